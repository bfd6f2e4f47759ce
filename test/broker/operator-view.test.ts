import type { Provisioner, Resource } from '../../src/broker/provisioner.ts';
import { instanceKey } from '../../src/broker/key.ts';
import { findOrphans } from '../../src/broker/repair/find-orphans.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from './fixtures.ts';
import { coreInMemory, gate, scripted, untilAborted, type CoreInMemory } from './core-in-memory.ts';

const plan = aPlan({
  making: { secrets: { admin: { per: 'instance', length: 20 }, password: { per: 'binding', length: 20 } } },
});
const large = aPlan({ id: 'large' });
const origin = { protocol: 'operator', principal: 'ops', requestId: 'r1' };

describe('The overview of instances', () => {
  test('The overview of instances tells each with its state, its status and the names of what it is; nothing confidential.', async () => {
    const { provisioner } = scripted({ stop: () => ({ done: {} }) }, { local: true });
    const core = coreInMemory(provisioner, [plan]);
    await core.beat({ name: 'n1' });
    const { broker } = core.broker({ node: 'n1' });
    for (const instanceId of ['i3', 'i1', 'i2']) await broker.provision(toProvision({ instanceId }));
    await broker.bind(toBind());
    const entries = await broker.overview.instances({ limit: 10 });
    expect(entries.map(({ instance }) => instance.id)).toEqual(['i1', 'i2', 'i3']);
    expect(entries[0]).toMatchObject({
      state: 'ready',
      offering: 'cache',
      plan: 'small',
      bindings: 1,
      drifted: false,
      status: { status: 'started', reason: 'it was ready when it had been made' },
    });
    expect(JSON.stringify(entries)).not.toMatch(/confidential|ssssss/);
    core.pass(31_000);
    const [silent] = await broker.overview.instances({ after: 'i1', limit: 1 });
    expect(silent).toMatchObject({ instance: { id: 'i2' }, status: { status: 'down' } });
  });

  test('The overview of instances tells which plans have changed since; what has left the catalog keeps its ids.', async () => {
    const { provisioner } = scripted({});
    const core = coreInMemory(provisioner, [plan, large]);
    const { broker } = core.broker();
    await broker.provision(toProvision());
    const catalogOf = (plans: readonly (typeof plan)[]) => ({
      catalog: () => ({
        offerings: broker.catalog().offerings.map((offering) => ({ ...offering, plans })),
        loadedAt: new Date(),
      }),
    });
    const changed = core.broker({}, catalogOf([aPlan({ revision: 'small-2' })])).broker;
    expect(await changed.overview.instance('i1')).toMatchObject({ drifted: true, plan: 'small' });
    const gone = core.broker({}, catalogOf([large])).broker;
    expect(await gone.overview.instance('i1')).toMatchObject({ drifted: false, plan: 'small' });
  });

  test('The overview of instances tells of one what was done with it, step by step, and who needs it.', async () => {
    const { provisioner } = scripted({
      provision: () => ({ done: {}, did: { step: 'prepare' } }),
      stop: () => ({ done: {} }),
    });
    const { broker } = coreInMemory(provisioner, [plan, large]).broker();
    await broker.provision(toProvision());
    await broker.provision(toProvision({ instanceId: 'i9' }));
    await broker.bind(toBind({ dependent: 'i9' }));
    await broker.update(toUpdate({ planId: 'large' }));
    await broker.stop({ instanceId: 'i1', origin: { protocol: 'test' }, acceptsIncomplete: false });
    const details = await broker.overview.instance('i1');
    expect(details).toMatchObject({ instance: { id: 'i1' }, bindings: 1, neededBy: ['i9'], plan: 'large' });
    const kinds = details.operations.map(({ operation }) => operation.kind);
    expect(kinds).toEqual(['stop', 'update', 'bind', 'provision']);
    expect(details.operations.at(-1)?.timeline).toMatchObject([{ step: 'prepare', tries: 1, undo: false }]);
    expect(JSON.stringify(details)).not.toMatch(/confidential|ssssss/);
    await expect(broker.overview.instance('i2')).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('Offerings are listed with the reason why they are not on sale.', () => {
  const { provisioner } = scripted({});
  const core = coreInMemory(provisioner);
  const [cache] = core.broker().broker.catalog().offerings;
  if (!cache) throw new Error('There is no offering');
  const search = { ...cache, id: 'search', name: 'search', description: 'A search engine' };
  const { broker } = core.broker(
    {},
    { hidden: () => [{ offering: search, reason: 'No node has elasticsearch.' }] },
  );
  const plans = cache.plans.map(({ id, name }) => ({ id, name }));
  expect(broker.overview.offerings()).toEqual([
    { offering: { id: 'cache', name: 'cache', description: 'A cache', plans } },
    {
      offering: { id: 'search', name: 'search', description: 'A search engine', plans },
      hidden: 'No node has elasticsearch.',
    },
  ]);
});

describe('The overview of nodes', () => {
  async function withNode() {
    const { provisioner } = scripted({}, { local: true });
    const core = coreInMemory(provisioner);
    await core.beat({ name: 'n1' });
    return { pass: (ms: number) => core.pass(ms), ...core.broker({ node: 'n1' }) };
  }

  test('The overview of nodes lists them, and lets them be drained and taken back.', async () => {
    const {
      broker: { overview },
    } = await withNode();
    expect(await overview.nodes()).toMatchObject([{ name: 'n1', draining: false, stale: false }]);
    await overview.drain({ node: 'n1', draining: true, origin });
    expect(await overview.nodes()).toMatchObject([{ name: 'n1', draining: true }]);
    await expect(overview.drain({ node: 'n2', draining: true, origin })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('The overview of nodes forgets a node that is silent and has nothing, and no other one.', async () => {
    const { broker, pass } = await withNode();
    const { overview } = broker;
    await expect(overview.forget({ node: 'n2', origin })).rejects.toMatchObject({ code: 'not-found' });
    await expect(overview.forget({ node: 'n1', origin })).rejects.toMatchObject({
      code: 'conflict',
      message: "The node 'n1' is alive.",
    });
    await broker.provision(toProvision());
    pass(31_000);
    await expect(overview.forget({ node: 'n1', origin })).rejects.toMatchObject({
      code: 'conflict',
      message: "The node 'n1' has a service instance.",
    });
    await broker.deprovision({ ...toUpdate(), planId: 'small' });
    pass(31_000);
    await overview.forget({ node: 'n1', origin });
    expect(await overview.nodes()).toEqual([]);
  });

  test('A node whose machine is lost gives up what was on it: it can be deleted, or made on another node.', async () => {
    const stuck = new AbortController();
    const { provisioner, deeds } = scripted(
      {
        provision: ({ instance }) =>
          instance.id === 'i3' ? untilAborted(stuck.signal).catch(() => ({ done: {} })) : { done: {} },
        start: () => ({ done: {} }),
      },
      { local: true },
    );
    const core = coreInMemory(provisioner);
    await core.beat({ name: 'n1' });
    const { broker, checks, work } = core.broker({ node: 'n1' });
    for (const instanceId of ['i1', 'i2']) await broker.provision(toProvision({ instanceId }));
    await broker.provision(toProvision({ instanceId: 'i3', acceptsIncomplete: true }));
    await broker.bind(toBind());
    await ((await checks.take()) as { ended: Promise<unknown> }).ended;
    const { overview } = broker;
    await expect(overview.forget({ node: 'n1', abandon: true, origin })).rejects.toThrow(
      "The node 'n1' is alive.",
    );
    core.pass(31_000);
    await core.beat({ name: 'n2' });
    await overview.forget({ node: 'n1', abandon: true, origin });
    const made = deeds();
    const other = core.broker({ node: 'n2' });
    expect(await other.broker.overview.instances({ limit: 9 })).toMatchObject([
      { instance: { id: 'i1', ready: false }, state: 'lost', bindings: 0, status: { status: 'error' } },
      { instance: { id: 'i2' }, state: 'lost' },
      { instance: { id: 'i3' }, state: 'lost' },
    ]);
    expect((await other.broker.status('i1')).reason).toBe('it was lost with its node n1');
    expect(await other.broker.lastOperation({ instanceId: 'i3' })).toMatchObject({
      operation: {
        state: 'failed',
        failure: { sentence: expect.stringContaining('It was lost with its node') },
      },
    });
    await expect(other.broker.bind(toBind())).rejects.toMatchObject({ code: 'not-ready' });
    expect(await other.broker.unbind(toUnbind())).toEqual({ is: 'absent' });
    expect(await other.broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(await other.broker.deprovision(toDeprovision({ instanceId: 'i3' }))).toMatchObject({ is: 'done' });
    expect(deeds()).toEqual(made);
    expect(await other.broker.provision(toProvision({ instanceId: 'i2' }))).toMatchObject({
      is: 'done',
      record: { place: { node: 'n2' } },
    });
    // Who comes back late has nothing to say any more.
    stuck.abort();
    await work.rest();
    expect(await core.store.findInstance('i3')).toBeUndefined();
  });
});

describe('Orphans', () => {
  /** A provisioner that has, and removes, what the test says. */
  function withThings(local = false) {
    const things = new Map<string, Resource>();
    const state: { fails?: Error; purgeFails?: Error } = {};
    const { provisioner: bare } = scripted(
      {
        provision({ instance }) {
          const { id } = instance;
          things.set(id, { name: `directory ${id}`, key: instanceKey(instance) });
          return { done: {} };
        },
      },
      { local },
    );
    const provisioner = {
      ...bare,
      inventory: async () => {
        if (state.fails) throw state.fails;
        return [...things.values()];
      },
      purge: async ({ name }: Resource) => {
        if (state.purgeFails) throw state.purgeFails;
        for (const [id, thing] of things) if (thing.name === name) things.delete(id);
      },
    };
    return { things, state, provisioner };
  }

  function look({ orphans, events }: CoreInMemory, provisioner: Provisioner, node?: string): Promise<void> {
    return findOrphans({
      orphans,
      inventories: () => [provisioner],
      observe: (event) => void events.push(event),
      settings: node === undefined ? {} : { node },
    });
  }

  const told = ({ events }: CoreInMemory) =>
    events.filter(({ type }) => type.startsWith('orphan') || type === 'trouble');
  const where = { provisioner: 'scripted' };

  test('Orphans are suspects at first, final at a look five minutes later, and removed only when somebody says so.', async () => {
    const { things, provisioner } = withThings();
    const core = coreInMemory(provisioner);
    const { broker } = core.broker();
    const { overview } = broker;
    const lookAgain = () => look(core, provisioner);
    await broker.provision(toProvision());
    things.set('lost', { name: 'directory lost', instanceId: 'lost' });
    await lookAgain();
    expect(await overview.orphans()).toMatchObject([{ resource: { name: 'directory lost' }, final: false }]);
    await expect(overview.removeOrphan({ ...where, name: 'directory lost', origin })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(overview.removeOrphan({ ...where, name: 'directory i1', origin })).rejects.toMatchObject({
      code: 'not-found',
    });
    core.pass(299_000);
    await lookAgain();
    expect(await overview.orphans()).toMatchObject([{ final: false }]);
    core.pass(1000);
    await lookAgain();
    expect(await overview.orphans()).toMatchObject([{ final: true }]);
    core.pass(86_400_000);
    await lookAgain();
    expect([...things.keys()]).toEqual(['i1', 'lost']);
    await overview.removeOrphan({ ...where, name: 'directory lost', origin });
    await lookAgain();
    expect([...things.keys()]).toEqual(['i1']);
    await lookAgain();
    expect(await overview.orphans()).toEqual([]);
    expect(told(core)).toEqual([
      { type: 'orphan-suspected', ...where, name: 'directory lost' },
      { type: 'orphan-removed', ...where, name: 'directory lost' },
    ]);
    const command = { kind: 'remove-orphan', ...where, name: 'directory lost' };
    expect(core.events.filter(({ type }) => type === 'command-ended')).toMatchObject([
      { command, origin, failure: { word: 'conflict' } },
      { origin, failure: { word: 'not-found' } },
      { command, origin, failure: undefined },
    ]);
  });

  test('Orphans are never what is in the making.', async () => {
    const { things, provisioner } = withThings();
    const begun = gate();
    const finished = gate();
    const slow = {
      ...provisioner,
      async provision(...args: Parameters<typeof provisioner.provision>) {
        const step = await provisioner.provision(...args);
        begun.open();
        await finished.passed;
        return step;
      },
    };
    const core = coreInMemory(slow);
    const { broker, work } = core.broker();
    const provisioned = broker.provision(toProvision());
    await begun.passed;
    await look(core, slow);
    expect(things.size).toBe(1);
    expect(await broker.overview.orphans()).toEqual([]);
    finished.open();
    await provisioned;
    await work.rest();
    // Here the instance appears while the inventory is on its way: the row is asked for after it.
    const late = {
      ...provisioner,
      inventory: async () => {
        await broker.provision(toProvision({ instanceId: 'i2' }));
        return [...things.values(), { name: 'directory i2', instanceId: 'i2' }];
      },
    };
    await look(core, late);
    expect(await broker.overview.orphans()).toEqual([]);
  });

  test('Orphans are not removed when an instance has got their id since the look.', async () => {
    const { things, provisioner } = withThings();
    const slow = {
      ...provisioner,
      async purge(thing: Resource) {
        await broker.provision(toProvision({ instanceId: 'second' }));
        await provisioner.purge(thing);
      },
    };
    const core = coreInMemory(slow);
    const { broker } = core.broker();
    const names = ['first', 'second'].map((id) => `directory ${id}`);
    for (const id of ['first', 'second']) things.set(id, { name: `directory ${id}`, instanceId: id });
    await look(core, slow);
    core.pass(300_000);
    await look(core, slow);
    for (const name of names) await broker.overview.removeOrphan({ ...where, name, origin });
    await look(core, slow);
    expect([...things.keys()]).toEqual(['second']);
    expect(told(core).filter(({ type }) => type === 'orphan-removed')).toHaveLength(1);
    await look(core, slow);
    expect(await broker.overview.orphans()).toEqual([]);
  });

  test('Orphans are looked for on a node when they are local, and there only.', async () => {
    const { things, provisioner } = withThings(true);
    const core = coreInMemory(provisioner);
    things.set('lost', { name: 'directory lost', key: 'p123' });
    await look(core, provisioner);
    expect(await core.orphans.list()).toEqual([]);
    await look(core, provisioner, 'n1');
    expect(await core.orphans.list()).toMatchObject([{ provisioner: 'scripted', node: 'n1' }]);
    await look(core, provisioner, 'n2');
    expect(told(core)).toHaveLength(2);
  });

  test('Orphans are remembered when a provisioner cannot tell what there is, or cannot remove it.', async () => {
    const { things, state, provisioner } = withThings();
    const core = coreInMemory(provisioner);
    const lookAgain = () => look(core, provisioner);
    things.set('lost', { name: 'directory lost', instanceId: 'lost' });
    await lookAgain();
    state.fails = new Error('The server is away');
    await lookAgain();
    expect(await core.orphans.list()).toHaveLength(1);
    delete state.fails;
    core.pass(300_000);
    await lookAgain();
    await core.orphans.approveRemoval(where, 'directory lost');
    state.purgeFails = new Error('It is busy');
    await lookAgain();
    expect(await core.orphans.list()).toMatchObject([{ removalApproved: true }]);
    delete state.purgeFails;
    await lookAgain();
    expect(things.size).toBe(0);
    expect(told(core).map((event) => ('detail' in event ? event.detail : event.type))).toEqual([
      'orphan-suspected',
      'Error: The server is away',
      'Error: It is busy',
      'orphan-removed',
    ]);
  });
});
