import { Failure } from '../../../src/broker/errors.ts';
import {
  needingCore,
  app,
  appPlan,
  childrenOf,
  credentialsOf,
  db,
  ended,
  needOf,
  onlyChildOf,
  planOf,
  untilSo,
} from './dependent-apps.ts';
import { toDeprovision, toProvision } from '../fixtures.ts';
import { untilAborted, wrongBy } from '../core-in-memory.ts';

/** Offerings of which each instance needs one of its own: made before, held by a binding, given back after. */

const soon = { acceptsIncomplete: true };
const toMake = toProvision(app);
const toRemove = toDeprovision(app);

const broken = () => {
  throw new Failure('broken', 'The disk is full.');
};

describe('A need of its own', () => {
  test('A need of its own is made and bound first, and what the binding gives reaches the work and later templates.', async () => {
    const core = needingCore([
      appPlan({}, { db: needOf('db', { parameters: { owner: '{{params.owner}}' } }) }),
      planOf('db'),
    ]);
    const { broker } = core.broker();
    const outcome = await broker.provision({
      ...toMake,
      parameters: { owner: 'me' },
      context: { instance_name: 'mine' },
    });
    expect(outcome).toMatchObject({ is: 'done', record: { id: 'i1', ready: true } });
    expect(core.story()).toEqual(['provision db', 'bind db', 'provision app']);
    const child = await onlyChildOf(core);
    const [made, , wanting] = core.asked;
    expect(made?.work.instance).toMatchObject({
      id: child.id,
      organizationGuid: 'org',
      context: { instance_name: 'mine' },
      confidential: { parameters: { owner: 'me' } },
    });
    const uri = expect.stringMatching(/^db:\/\/p[0-9a-f]{20}:s{19}\d$/);
    expect(wanting?.work.values).toMatchObject({ deps: { db: { uri } } });
    expect(await credentialsOf(broker)).toEqual({ db: uri });
    expect((await core.store.findInstance(child.id))?.neededBy).toEqual(['i1']);
    const { overview } = broker;
    expect(await overview.instance('i1')).toMatchObject({ needs: [child.id], neededBy: [] });
    expect(await overview.instance(child.id)).toMatchObject({ instance: { parent: 'i1' }, needs: [] });
  });

  test('A need of its own goes with the instance: first that, then the binding, then what was needed.', async () => {
    const core = needingCore();
    const { broker, work } = core.broker();
    await broker.provision(toMake);
    core.asked.length = 0;
    expect(await broker.deprovision(toRemove)).toMatchObject({ is: 'done' });
    expect(core.story()).toEqual(['deprovision app', 'unbind db', 'deprovision db']);
    expect(core.asked[0]?.work.values).toMatchObject({ deps: { db: {} } });
    expect(core.things()).toEqual([]);
    expect(await core.store.list({ limit: 9 })).toEqual([]);
    // The id is free again, also for what it needs.
    expect(await broker.provision(toMake)).toMatchObject({ is: 'done' });
    expect(core.things()).toHaveLength(3);
    await work.rest();
  });

  test('A need of its own may take its time: the instance is in the making, and none of its own steps begins before.', async () => {
    const core = needingCore(undefined, {
      provision: ({ plan, memo }) =>
        plan.offeringName === 'db' && memo !== 'third'
          ? { again: { afterMs: 5000, memo: memo === 'second' ? 'third' : 'second' } }
          : { done: {} },
      bind: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 5000, memo: 'bound' } }),
    });
    const { broker, work } = core.broker();
    const outcome = await broker.provision({ ...toMake, ...soon });
    expect(outcome).toMatchObject({ is: 'accepted', operation: { kind: 'provision', instanceId: 'i1' } });
    await expect(broker.instance('i1')).rejects.toMatchObject({ code: 'not-found' });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { kind: 'provision', state: 'in progress' },
    });
    expect(await ended(core, [work])).toMatchObject({ kind: 'provision', state: 'succeeded' });
    expect(core.story()).toEqual([
      'provision db',
      'provision db',
      'provision db',
      'bind db',
      'bind db',
      'provision app',
    ]);
  });

  test('A need of its own that fails at once lets the instance fail, with its reason, and nothing is left.', async () => {
    let mended = false;
    const core = needingCore(undefined, {
      provision: ({ plan }) => (plan.offeringName === 'db' && !mended ? broken() : { done: {} }),
    });
    const { broker } = core.broker();
    await expect(broker.provision(toMake)).rejects.toMatchObject({
      word: 'need',
      message: 'The service needs db, which could not be had. The disk is full.',
    });
    expect(core.things()).toEqual([]);
    expect(await core.store.list({ limit: 9 })).toMatchObject([{ instance: { id: 'i1', ready: false } }]);
    mended = true;
    expect(await broker.provision(toMake)).toMatchObject({ is: 'done' });
  });

  test.each(['provision', 'bind'] as const)(
    'A need of its own that fails later, in its %s, lets the instance fail all the same.',
    async (deed) => {
      const core = needingCore(undefined, {
        [deed]: ({ memo }: { memo?: unknown }) => (memo ? broken() : { again: { afterMs: 5000, memo: 1 } }),
      });
      const { broker, work } = core.broker();
      expect(await broker.provision({ ...toMake, ...soon })).toMatchObject({ is: 'accepted' });
      expect(await ended(core, [work])).toMatchObject({
        kind: 'provision',
        state: 'failed',
        failure: { sentence: 'The service needs db, which could not be had. The disk is full.' },
      });
      expect(core.things()).toEqual([]);
      expect(await childrenOf(core)).toEqual([]);
      expect(core.story().filter((done) => done === `${deed} db`)).toHaveLength(2);
    },
  );

  test('A need of its own is there when the instance itself has failed and is undone, and goes after it.', async () => {
    const core = needingCore(undefined, {
      provision: ({ plan }) => (plan.offeringName === 'app' ? broken() : { done: {} }),
    });
    const { broker } = core.broker();
    await expect(broker.provision(toMake)).rejects.toThrow('The disk is full.');
    expect(core.story().slice(2)).toEqual([
      'provision app',
      'deprovision app',
      'unbind db',
      'deprovision db',
    ]);
    expect(core.asked[3]?.work.values).toMatchObject({ deps: { db: { uri: expect.any(String) } } });
    expect(core.things()).toEqual([]);
    expect(await childrenOf(core)).toEqual([]);
  });

  test('A need of its own ends in the middle of its making when the instance is deleted.', async () => {
    const core = needingCore(undefined, {
      provision: ({ plan, signal }) => (plan.offeringName === 'db' ? untilAborted(signal) : { done: {} }),
    });
    const { broker, work } = core.broker();
    await broker.provision({ ...toMake, ...soon });
    await untilSo(core, [], () => core.story().includes('provision db'));
    expect(await broker.deprovision({ ...toRemove, ...soon })).toMatchObject({ is: 'accepted' });
    await ended(core, [work]);
    expect(core.things()).toEqual([]);
    expect(await core.store.list({ limit: 9 })).toEqual([]);
    expect(core.story()).not.toContain('provision app');
    await work.rest();
  });

  test('A need of its own cannot be taken from it, and nobody else gives it a binding that ends.', async () => {
    const lifetime = { credentials: { uri: 'db' }, bindingLifetime: { expiresAfter: 60 } };
    const core = needingCore([appPlan(), planOf('db', { making: { answer: lifetime } })]);
    const { broker, work } = core.broker();
    await broker.provision(toMake);
    const { id: instanceId } = await onlyChildOf(core);
    await expect(broker.deprovision(toDeprovision({ ...db, instanceId }))).rejects.toMatchObject({
      code: 'invalid',
      message: "Another instance needs this one, so it cannot be deleted: 'i1'.",
    });
    core.pass(61_000);
    await work.tick();
    expect(core.story()).not.toContain('unbind db');
    expect(await credentialsOf(broker)).toEqual({ db: 'db' });
  });

  test.each([
    ['right', 0],
    ['an hour slow', -3_600_000],
    ['an hour fast', 3_600_000],
  ])(
    'A need of its own that cannot be removed is tried again after a while, by a broker whose clock is %s.',
    async (_how, wrong) => {
      let mended = false;
      const core = needingCore(undefined, {
        deprovision({ plan, memo }) {
          if (plan.offeringName !== 'db' || mended) return { done: {} };
          return memo ? broken() : { again: { afterMs: 1000, memo: 1 } };
        },
      });
      const { broker, work } = core.broker({}, wrongBy(wrong, core));
      await broker.provision(toMake);
      expect(await broker.deprovision({ ...toRemove, ...soon })).toMatchObject({ is: 'accepted' });
      const tries = () => core.story().filter((deed) => deed === 'deprovision db').length;
      const before = core.passed();
      await untilSo(core, [work], () => tries() >= 4);
      // Each of the first two tries takes two steps; the third begins no sooner than ten seconds after the other.
      expect(core.passed() - before).toBeGreaterThan(10_000);
      expect(core.passed() - before).toBeLessThan(40_000);
      expect(core.story().filter((deed) => deed === 'deprovision app').length).toBeGreaterThan(1);
      expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
        operation: { kind: 'deprovision', state: 'in progress' },
      });
      mended = true;
      expect(await ended(core, [work])).toMatchObject({ kind: 'deprovision', state: 'succeeded' });
      expect(await core.store.list({ limit: 9 })).toEqual([]);
    },
  );

  test('A need of its own that has needs itself is made depth first, and goes in reverse.', async () => {
    const core = needingCore([
      appPlan(),
      planOf('db', { operating: { dependencies: { disk: needOf('disk') } } }),
      planOf('disk'),
    ]);
    const { broker } = core.broker();
    expect(await broker.provision(toMake)).toMatchObject({ is: 'done' });
    expect(core.story()).toEqual(['provision disk', 'bind disk', 'provision db', 'bind db', 'provision app']);
    core.asked.length = 0;
    await broker.deprovision(toRemove);
    expect(core.story()).toEqual([
      'deprovision app',
      'unbind db',
      'deprovision db',
      'unbind disk',
      'deprovision disk',
    ]);
    expect(core.things()).toEqual([]);
  });

  test('A need of its own that is not on sale is told by its name.', async () => {
    const { broker } = needingCore([appPlan()]).broker();
    await expect(broker.provision(toMake)).rejects.toThrow(
      'The service needs db, which could not be had. It is not in the catalog.',
    );
  });

  test('Of two needs the later one may be made from the earlier, and none of it is told to anybody.', async () => {
    const requires = {
      db: needOf('db'),
      search: needOf('search', { parameters: { source: '{{deps.db.uri}}' } }),
    };
    const core = needingCore([appPlan({}, requires), planOf('db'), planOf('search')], {
      provision({ plan, values }) {
        const { db: given } = (values['deps'] ?? {}) as { db?: { uri: string } };
        if (plan.offeringName !== 'app' || !given) return { done: {} };
        throw new Failure('no', `Cannot ${given.uri}.`, { detail: given.uri });
      },
    });
    const { broker } = core.broker();
    await expect(broker.provision(toMake)).rejects.toMatchObject({ message: 'Cannot ***.' });
    const search = core.asked.find(({ work }) => work.plan.offeringName === 'search');
    expect(search?.work.instance.confidential.parameters).toEqual({
      source: expect.stringContaining('db://'),
    });
    expect(JSON.stringify(core.events)).not.toContain('db://');
    const told = await broker.lastOperation({ instanceId: 'i1' });
    expect(told).toMatchObject({ operation: { failure: { sentence: 'Cannot ***.', detail: '***' } } });
  });
});
