import { Failure } from '../../../src/broker/errors.ts';
import { needingCore, app, appPlan, ended, needOf, onlyChildOf, planOf } from './dependent-apps.ts';
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

  test('An update to a plan with other needs makes the new ones first and gives the old ones back last.', async () => {
    const core = needingCore(plans);
    const { broker } = core.broker();
    await broker.provision(toMake);
    core.asked.length = 0;
    await broker.update(to('app-large'));
    expect(core.story()).toEqual(['provision search', 'bind search', 'update app']);
    expect(core.asked[2]?.work.values).toMatchObject({ deps: { db: {}, search: {} } });
    core.asked.length = 0;
    await broker.update(to('app-bigger'));
    expect(core.story()).toEqual([
      'provision db',
      'bind db',
      'update app',
      'unbind search',
      'deprovision search',
      'unbind db',
      'deprovision db',
    ]);
    expect(core.asked[2]?.work.previous?.confidential.facts).toMatchObject({ deps: { search: {} } });
    expect(await onlyChildOf(core)).toMatchObject({ planId: 'db-large' });
    await broker.update(to('app-plain'));
    expect((await broker.instance('i1')).confidential.facts).not.toHaveProperty('deps');
    expect(core.things()).toEqual(['app i1']);
    await broker.deprovision(toDeprovision({ ...app, planId: 'app-plain' }));
    expect(core.things()).toEqual([]);
  });

  test('An update that fails gives the new ones back, and leaves the instance with those it had.', async () => {
    const core = needingCore(plans, { update: broken });
    const { broker } = core.broker();
    await broker.provision(toMake);
    const before = core.things();
    const facts = (await broker.instance('i1')).confidential.facts;
    await expect(broker.update(to('app-large'))).rejects.toThrow('The disk is full.');
    expect(core.story().slice(-2)).toEqual(['unbind search', 'deprovision search']);
    expect(core.things()).toEqual(before);
    expect(await broker.instance('i1')).toMatchObject({ ready: true, planId: 'app-small' });
    expect((await broker.instance('i1')).confidential.facts).toEqual(facts);
    await broker.deprovision(toRemove);
    expect(core.things()).toEqual([]);
  });

  test('An update whose new need cannot be had has changed nothing.', async () => {
    const core = needingCore(plans, {
      provision: ({ plan }) => (plan.offeringName === 'search' ? broken() : { done: {} }),
    });
    const { broker } = core.broker();
    await broker.provision(toMake);
    await expect(broker.update(to('app-large'))).rejects.toThrow('The service needs search');
    expect(core.story()).not.toContain('update app');
    expect(await onlyChildOf(core)).toMatchObject({ offeringId: 'db' });
    expect(await broker.bind(toBind({ ...app, bindingId: 'b' }))).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind({ ...app, bindingId: 'b' }))).toMatchObject({ is: 'done' });
  });
});

describe('Starting and stopping', () => {
  const able = { start: () => ({ done: {} }), stop: () => ({ done: {} }), restart: () => ({ done: {} }) };

  test('What an instance needs is started before the instance, and stopped after it.', async () => {
    const core = needingCore(undefined, able);
    const { broker } = core.broker();
    await broker.provision(toMake);
    core.asked.length = 0;
    await broker.stop(toOperate());
    await broker.stop(toOperate());
    await broker.start(toOperate());
    await broker.stop(toOperate());
    await broker.restart(toOperate());
    expect(core.story()).toEqual([
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
    expect(await onlyChildOf(core)).toMatchObject({ stopped: false });
  });

  test('Starting and stopping single units leaves what the instance needs as it is.', async () => {
    const core = needingCore(undefined, able);
    const { broker } = core.broker();
    await broker.provision(toMake);
    core.asked.length = 0;
    await broker.stop(toOperate({ units: ['web'] }));
    await broker.restart(toOperate({ units: ['web'] }));
    expect(core.story()).toEqual(['stop app', 'restart app']);
  });

  test.each([
    ['right', 0],
    ['an hour slow', -3_600_000],
    ['an hour fast', 3_600_000],
  ])(
    'What cannot be started lets the start of what needs it fail, once, where the clock is %s, and a later one tries again.',
    async (_how, wrong) => {
      let mended = false;
      const start = ({ plan, memo }: { plan: { offeringName: string }; memo?: unknown }) => {
        if (plan.offeringName === 'app' || mended) return { done: {} };
        return memo ? broken() : { again: { afterMs: 2000, memo: 1 } };
      };
      const core = needingCore(undefined, { ...able, start });
      const { broker, work } = core.broker({}, wrongBy(wrong, core));
      await broker.provision(toMake);
      await broker.stop(toOperate());
      core.pass(60_000);
      const outcome = await broker.start(toOperate(soon));
      if (outcome.is !== 'accepted') throw new Error('It was not accepted.');
      await ended(core, [work]);
      const { id: operationId } = outcome.operation;
      expect(await broker.lastOperation({ instanceId: 'i1', operationId })).toMatchObject({
        operation: {
          state: 'failed',
          failure: { sentence: 'The service needs db, which could not be started. The disk is full.' },
        },
      });
      expect(core.story().filter((deed) => deed === 'start db')).toHaveLength(2);
      expect(core.story()).not.toContain('start app');
      mended = true;
      core.pass(60_000);
      expect(await broker.start(toOperate())).toMatchObject({ is: 'done' });
    },
  );
});
