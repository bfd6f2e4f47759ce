import { Failure } from '../../../src/broker/errors.ts';
import {
  aMortal,
  needingCore,
  app,
  appPlan,
  childrenOf,
  ended,
  needOf,
  onlyChildOf,
  planOf,
  untilSo,
} from './dependent-apps.ts';
import { toDeprovision, toProvision, toUpdate } from '../fixtures.ts';
import { coreInMemory, gate, scripted } from '../core-in-memory.ts';

/** Brokers die, lose what they hold, or have not room enough, while what an instance needs is made or removed. */

const soon = { acceptsIncomplete: true };
const toMake = toProvision({ ...app, ...soon });
const toRemove = toDeprovision({ ...app, ...soon });

function slowCore(failing = false) {
  const slowly = ({ memo }: { memo?: unknown }) =>
    memo ? { done: {} } : { again: { afterMs: 0, memo: 'half' } };
  const asked = { fails: failing };
  const core = needingCore(
    [
      appPlan(),
      appPlan({ id: 'app-large' }, { search: needOf('search'), cache: needOf('db', { instance: 'shared' }) }),
      planOf('db'),
      planOf('search'),
    ],
    {
      provision: slowly,
      bind: slowly,
      unbind: slowly,
      deprovision: slowly,
      update(work) {
        if (asked.fails) throw new Failure('broken', 'The disk is full.');
        return slowly(work);
      },
    },
  );
  return core;
}

/** What has to be the case in the end, however often somebody died on the way. */
const fates = {
  async provision(core: ReturnType<typeof slowCore>) {
    const child = await onlyChildOf(core);
    expect(core.things()).toEqual([
      'app i1',
      `db ${child.id}`,
      expect.stringContaining(`db ${child.id}/`),
      'db shared',
    ]);
    expect(child.ready).toBe(true);
    expect((await core.store.findInstance('i1'))?.instance.ready).toBe(true);
  },
  async deprovision(core: ReturnType<typeof slowCore>) {
    expect(core.things()).toEqual(['db shared']);
    expect(await childrenOf(core)).toEqual([]);
    expect(await core.store.findInstance('i1')).toBeUndefined();
    expect(await core.store.findInstance('shared')).not.toHaveProperty('neededBy');
  },
  async update(core: ReturnType<typeof slowCore>) {
    const child = await onlyChildOf(core);
    expect(child).toMatchObject({ offeringId: 'search', ready: true });
    expect(core.things()).toHaveLength(5);
    expect(await core.store.findInstance('shared')).toMatchObject({ neededBy: ['i1'] });
  },
  async 'failing update'(core: ReturnType<typeof slowCore>) {
    await fates.provision(core);
    expect(await core.store.findInstance('shared')).not.toHaveProperty('neededBy');
    expect(await core.store.findInstance('i1')).toMatchObject({ instance: { planId: 'app-small' } });
  },
};

describe('A broker dies with one of its writes, and another one takes over', () => {
  test.each(Object.keys(fates) as (keyof typeof fates)[])(
    'A broker dies in a %s and another one takes over: whichever write it is, there is in the end what there has to be, once.',
    async (kind) => {
      let died = 0;
      for (let writes = 1; ; writes += 1) {
        const core = slowCore(kind === 'failing update');
        const heir = core.broker();
        await heir.broker.provision(
          toProvision({ offeringId: 'db', planId: 'db-small', instanceId: 'shared' }),
        );
        if (kind !== 'provision') await heir.broker.provision({ ...toMake, acceptsIncomplete: false });
        const { broker, work, isDead } = aMortal(core, writes, { asyncPatience: 0 });
        const request = {
          provision: () => broker.provision(toMake),
          deprovision: () => broker.deprovision(toRemove),
          update: () => broker.update(toUpdate({ ...app, ...soon, planId: 'app-large' })),
          'failing update': () => broker.update(toUpdate({ ...app, ...soon, planId: 'app-large' })),
        }[kind];
        await request().catch(() => undefined);
        await goOn(core, work, isDead);
        await work.rest();
        if (!isDead()) break;
        died += 1;
        core.pass(3001);
        await ended(core, [heir.work]);
        await fates[kind](core);
      }
      expect(died).toBeGreaterThan(8);
    },
    30_000,
  );

  /** Until it is dead or nothing is left to be done. */
  async function goOn(
    core: ReturnType<typeof slowCore>,
    work: { tick: () => Promise<number> },
    isDead: () => boolean,
  ): Promise<void> {
    const isOver = async () => isDead() || !(await core.store.findInstance('i1'))?.operation;
    while (!(await isOver())) {
      await work.tick().catch(() => undefined);
      core.pass(100);
      await new Promise(setImmediate);
    }
  }
});

describe('Who has lost an operation', () => {
  test('Who has lost an operation makes nothing for its sake any more, however late it comes.', async () => {
    const late = gate();
    const core = slowCore();
    const { store } = core;
    const slept = core.broker(
      { asyncPatience: 0 },
      {
        store: {
          ...store,
          async open(opening) {
            // It sleeps just before it writes that the database is to be made, longer than its lease.
            if (opening.operation.offeringId === 'db') await late.passed;
            return store.open(opening);
          },
          renew: async () => true,
        },
      },
    );
    await slept.broker.provision(toMake);
    core.pass(3001);
    const { broker, work } = core.broker();
    expect(await broker.deprovision(toRemove)).toMatchObject({ is: 'accepted' });
    await ended(core, [work]);
    expect(await store.findInstance('i1')).toBeUndefined();
    late.open();
    await slept.work.rest();
    expect(await store.list({ limit: 9 })).toEqual([]);
    expect(core.things()).toEqual([]);
  });
});

describe('On nodes', () => {
  const plans = [
    appPlan({
      operating: { cost: 6, dependencies: { db: needOf('db') } },
      making: { provisioner: 'scripted', answer: { credentials: { db: '{{deps.db.uri}}' } } },
    }),
    planOf('db', { operating: { cost: 5 } }),
  ];

  test('What an instance needs may be made on another node, and the instance gets it all the same.', async () => {
    const { provisioner, asked } = scripted({}, { local: true });
    const core = coreInMemory(provisioner, plans);
    const [one, two] = await Promise.all(
      ['n1', 'n2'].map(async (node) => {
        await core.beat({ name: node });
        return core.broker({ node });
      }),
    );
    if (!one || !two) throw new Error('There are no brokers.');
    await one.broker.provision(toMake);
    await ended(core, [one.work, two.work]);
    const child = await onlyChildOf(core);
    expect(child.place).toEqual({ node: 'n2', cost: 5 });
    expect((await one.broker.instance('i1')).place).toEqual({ node: 'n1', cost: 6 });
    const { values } = asked.find(({ work }) => work.plan.offeringName === 'app')?.work ?? {};
    expect(values).toMatchObject({ deps: { db: { uri: expect.stringContaining('db://') } } });
    await one.broker.deprovision(toRemove);
    await untilSo(core, [one.work, two.work], async () => (await core.store.list({ limit: 9 })).length === 0);
    expect(await core.nodes.list()).toMatchObject([
      { name: 'n1', used: 0, instances: 0 },
      { name: 'n2', used: 0, instances: 0 },
    ]);
  });

  test('Without room for what it needs an instance fails with the limit, and takes no room itself.', async () => {
    const { provisioner, deeds } = scripted({}, { local: true });
    const core = coreInMemory(provisioner, plans);
    await core.beat({ name: 'n1' });
    const { broker } = core.broker({ node: 'n1' });
    await expect(broker.provision({ ...toMake, acceptsIncomplete: false })).rejects.toThrow(
      "The service needs db, which could not be had. No node has room for this: it takes 5 of a node's capacity",
    );
    expect(deeds()).toEqual(['deprovision']);
    expect(await core.nodes.list()).toMatchObject([{ used: 0, instances: 0 }]);
  });

  test('What was needed by an instance of a lost machine is given back when that is deleted.', async () => {
    const { provisioner, story } = scripted({}, { local: true });
    const core = coreInMemory(provisioner, plans);
    const [one, two] = [core.broker({ node: 'n1' }), core.broker({ node: 'n2' })];
    await Promise.all([core.beat({ name: 'n1' }), core.beat({ name: 'n2' })]);
    await one.broker.provision(toMake);
    await ended(core, [one.work, two.work]);
    core.pass(31_000);
    await core.beat({ name: 'n2' });
    await two.broker.overview.forget({ node: 'n1', abandon: true, origin: { protocol: 'operator' } });
    await two.broker.deprovision(toRemove);
    await untilSo(core, [two.work], async () => (await core.store.list({ limit: 9 })).length === 0);
    expect(story().slice(3)).toEqual(['unbind db', 'deprovision db']);
  });
});
