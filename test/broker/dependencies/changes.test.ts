import { Failure } from '../../../src/broker/errors.ts';
import { aNeedingWorld, app, appPlan, ended, needOf, onlyChildOf, planOf } from './dependent-apps.ts';
import { toBind, toDeprovision, toOperate, toProvision, toUnbind, toUpdate } from '../fixtures.ts';
import { wrongBy } from '../core-in-memory.ts';

/** What updates, starts and stops of an instance mean for what it needs, and for who needs it. */

const soon = { acceptsIncomplete: true };
const toMake = toProvision(app);
const toRemove = toDeprovision(app);

const broken = () => {
  throw new Failure('broken', 'The disk is full.');
};

describe('An update', () => {
  const large = appPlan({ id: 'app-large' }, { db: needOf('db'), search: needOf('search') });
  const plain = planOf('app', { id: 'app-plain' });
  const bigger = appPlan({ id: 'app-bigger' }, { db: needOf('db', { plan: 'db-large' }) });
  const plans = [
    appPlan(),
    large,
    plain,
    bigger,
    planOf('db'),
    planOf('db', { id: 'db-large' }),
    planOf('search'),
  ];
  const to = (planId: string) => toUpdate({ ...app, planId });

  test('to a plan with other needs makes the new ones first and gives the old ones back last.', async () => {
    const world = aNeedingWorld(plans);
    const { broker } = world.broker();
    await broker.provision(toMake);
    world.asked.length = 0;
    await broker.update(to('app-large'));
    expect(world.story()).toEqual(['provision search', 'bind search', 'update app']);
    expect(world.asked[2]?.work.values).toMatchObject({ deps: { db: {}, search: {} } });
    world.asked.length = 0;
    await broker.update(to('app-bigger'));
    expect(world.story()).toEqual([
      'provision db',
      'bind db',
      'update app',
      'unbind search',
      'deprovision search',
      'unbind db',
      'deprovision db',
    ]);
    expect(world.asked[2]?.work.previous?.confidential.facts).toMatchObject({ deps: { search: {} } });
    expect(await onlyChildOf(world)).toMatchObject({ planId: 'db-large' });
    await broker.update(to('app-plain'));
    expect((await broker.instance('i1')).confidential.facts).not.toHaveProperty('deps');
    expect(world.things()).toEqual(['app i1']);
    await broker.deprovision(toDeprovision({ ...app, planId: 'app-plain' }));
    expect(world.things()).toEqual([]);
  });

  test('that fails gives the new ones back, and leaves the instance with those it had.', async () => {
    const world = aNeedingWorld(plans, { update: broken });
    const { broker } = world.broker();
    await broker.provision(toMake);
    const before = world.things();
    const facts = (await broker.instance('i1')).confidential.facts;
    await expect(broker.update(to('app-large'))).rejects.toThrow('The disk is full.');
    expect(world.story().slice(-2)).toEqual(['unbind search', 'deprovision search']);
    expect(world.things()).toEqual(before);
    expect(await broker.instance('i1')).toMatchObject({ ready: true, planId: 'app-small' });
    expect((await broker.instance('i1')).confidential.facts).toEqual(facts);
    await broker.deprovision(toRemove);
    expect(world.things()).toEqual([]);
  });

  test('whose new need cannot be had has changed nothing.', async () => {
    const world = aNeedingWorld(plans, {
      provision: ({ plan }) => (plan.offeringName === 'search' ? broken() : { done: {} }),
    });
    const { broker } = world.broker();
    await broker.provision(toMake);
    await expect(broker.update(to('app-large'))).rejects.toThrow('The service needs search');
    expect(world.story()).not.toContain('update app');
    expect(await onlyChildOf(world)).toMatchObject({ offeringId: 'db' });
    expect(await broker.bind(toBind({ ...app, bindingId: 'b' }))).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind({ ...app, bindingId: 'b' }))).toMatchObject({ is: 'done' });
  });
});

describe('Starting and stopping', () => {
  const able = { start: () => ({ done: {} }), stop: () => ({ done: {} }), restart: () => ({ done: {} }) };

  test('what it needs is started before the instance, and stopped after it.', async () => {
    const world = aNeedingWorld(undefined, able);
    const { broker } = world.broker();
    await broker.provision(toMake);
    world.asked.length = 0;
    await broker.stop(toOperate());
    await broker.stop(toOperate());
    await broker.start(toOperate());
    await broker.stop(toOperate());
    await broker.restart(toOperate());
    expect(world.story()).toEqual([
      'stop app',
      'stop db',
      'stop app',
      'start db',
      'start app',
      'stop app',
      'stop db',
      'start db',
      'restart app',
    ]);
    expect(await onlyChildOf(world)).toMatchObject({ stopped: false });
  });

  test('single units leave what is needed as it is.', async () => {
    const world = aNeedingWorld(undefined, able);
    const { broker } = world.broker();
    await broker.provision(toMake);
    world.asked.length = 0;
    await broker.stop(toOperate({ units: ['web'] }));
    await broker.restart(toOperate({ units: ['web'] }));
    expect(world.story()).toEqual(['stop app', 'restart app']);
  });

  test.each([
    ['right', 0],
    ['an hour slow', -3_600_000],
    ['an hour fast', 3_600_000],
  ])(
    'what cannot be started lets the start fail, once, where the clock is %s, and a later one tries again.',
    async (_how, wrong) => {
      let mended = false;
      const start = ({ plan, memo }: { plan: { offeringName: string }; memo?: unknown }) => {
        if (plan.offeringName === 'app' || mended) return { done: {} };
        return memo ? broken() : { again: { afterMs: 2000, memo: 1 } };
      };
      const world = aNeedingWorld(undefined, { ...able, start });
      const { broker, work } = world.broker({}, wrongBy(wrong, world));
      await broker.provision(toMake);
      await broker.stop(toOperate());
      world.pass(60_000);
      const outcome = await broker.start(toOperate(soon));
      if (outcome.is !== 'accepted') throw new Error('It was not accepted.');
      await ended(world, [work]);
      const { id: operationId } = outcome.operation;
      expect(await broker.lastOperation({ instanceId: 'i1', operationId })).toMatchObject({
        operation: {
          state: 'failed',
          failure: { sentence: 'The service needs db, which could not be started. The disk is full.' },
        },
      });
      expect(world.story().filter((deed) => deed === 'start db')).toHaveLength(2);
      expect(world.story()).not.toContain('start app');
      mended = true;
      world.pass(60_000);
      expect(await broker.start(toOperate())).toMatchObject({ is: 'done' });
    },
  );
});
