import { Failure } from '../../../src/broker/errors.ts';
import {
  aMortal,
  aNeedingWorld,
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
import { aWorld, gate, scripted } from '../core-in-memory.ts';

/** Brokers die, lose what they hold, or have not room enough, while what an instance needs is made or removed. */

const soon = { acceptsIncomplete: true };
const toMake = toProvision({ ...app, ...soon });
const toRemove = toDeprovision({ ...app, ...soon });

function aSlowWorld(failing = false) {
  const slowly = ({ memo }: { memo?: unknown }) =>
    memo ? { done: {} } : { again: { afterMs: 0, memo: 'half' } };
  const asked = { fails: failing };
  const world = aNeedingWorld(
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
  return world;
}

/** What has to be the case in the end, however often somebody died on the way. */
const fates = {
  async provision(world: ReturnType<typeof aSlowWorld>) {
    const child = await onlyChildOf(world);
    expect(world.things()).toEqual([
      'app i1',
      `db ${child.id}`,
      expect.stringContaining(`db ${child.id}/`),
      'db shared',
    ]);
    expect(child.ready).toBe(true);
    expect((await world.store.findInstance('i1'))?.instance.ready).toBe(true);
  },
  async deprovision(world: ReturnType<typeof aSlowWorld>) {
    expect(world.things()).toEqual(['db shared']);
    expect(await childrenOf(world)).toEqual([]);
    expect(await world.store.findInstance('i1')).toBeUndefined();
    expect(await world.store.findInstance('shared')).not.toHaveProperty('neededBy');
  },
  async update(world: ReturnType<typeof aSlowWorld>) {
    const child = await onlyChildOf(world);
    expect(child).toMatchObject({ offeringId: 'search', ready: true });
    expect(world.things()).toHaveLength(5);
    expect(await world.store.findInstance('shared')).toMatchObject({ neededBy: ['i1'] });
  },
  async 'failing update'(world: ReturnType<typeof aSlowWorld>) {
    await fates.provision(world);
    expect(await world.store.findInstance('shared')).not.toHaveProperty('neededBy');
    expect(await world.store.findInstance('i1')).toMatchObject({ instance: { planId: 'app-small' } });
  },
};

describe('A broker dies with one of its writes, and another one takes over', () => {
  test.each(Object.keys(fates) as (keyof typeof fates)[])(
    'in a %s: whichever write it is, there is in the end what there has to be, once.',
    async (kind) => {
      let died = 0;
      for (let writes = 1; ; writes += 1) {
        const world = aSlowWorld(kind === 'failing update');
        const heir = world.broker();
        await heir.broker.provision(
          toProvision({ offeringId: 'db', planId: 'db-small', instanceId: 'shared' }),
        );
        if (kind !== 'provision') await heir.broker.provision({ ...toMake, acceptsIncomplete: false });
        const { broker, work, isDead } = aMortal(world, writes, { asyncPatience: 0 });
        const request = {
          provision: () => broker.provision(toMake),
          deprovision: () => broker.deprovision(toRemove),
          update: () => broker.update(toUpdate({ ...app, ...soon, planId: 'app-large' })),
          'failing update': () => broker.update(toUpdate({ ...app, ...soon, planId: 'app-large' })),
        }[kind];
        await request().catch(() => undefined);
        await goOn(world, work, isDead);
        await work.rest();
        if (!isDead()) break;
        died += 1;
        world.pass(3001);
        await ended(world, [heir.work]);
        await fates[kind](world);
      }
      expect(died).toBeGreaterThan(8);
    },
    30_000,
  );

  /** Until it is dead or nothing is left to be done. */
  async function goOn(
    world: ReturnType<typeof aSlowWorld>,
    work: { tick: () => Promise<number> },
    isDead: () => boolean,
  ): Promise<void> {
    const isOver = async () => isDead() || !(await world.store.findInstance('i1'))?.operation;
    while (!(await isOver())) {
      await work.tick().catch(() => undefined);
      world.pass(100);
      await new Promise(setImmediate);
    }
  }
});

describe('Who has lost an operation', () => {
  test('makes nothing for its sake any more, however late it comes.', async () => {
    const late = gate();
    const world = aSlowWorld();
    const { store } = world;
    const slept = world.broker(
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
    world.pass(3001);
    const { broker, work } = world.broker();
    expect(await broker.deprovision(toRemove)).toMatchObject({ is: 'accepted' });
    await ended(world, [work]);
    expect(await store.findInstance('i1')).toBeUndefined();
    late.open();
    await slept.work.rest();
    expect(await store.list({ limit: 9 })).toEqual([]);
    expect(world.things()).toEqual([]);
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

  test('what is needed may be made on another node, and the instance gets it all the same.', async () => {
    const { provisioner, asked } = scripted({}, { local: true });
    const world = aWorld(provisioner, plans);
    const [one, two] = await Promise.all(
      ['n1', 'n2'].map(async (node) => {
        await world.beat({ name: node });
        return world.broker({ node });
      }),
    );
    if (!one || !two) throw new Error('There are no brokers.');
    await one.broker.provision(toMake);
    await ended(world, [one.work, two.work]);
    const child = await onlyChildOf(world);
    expect(child.place).toEqual({ node: 'n2', cost: 5 });
    expect((await one.broker.instance('i1')).place).toEqual({ node: 'n1', cost: 6 });
    const { values } = asked.find(({ work }) => work.plan.offeringName === 'app')?.work ?? {};
    expect(values).toMatchObject({ deps: { db: { uri: expect.stringContaining('db://') } } });
    await one.broker.deprovision(toRemove);
    await untilSo(
      world,
      [one.work, two.work],
      async () => (await world.store.list({ limit: 9 })).length === 0,
    );
    expect(await world.nodes.list()).toMatchObject([
      { name: 'n1', used: 0, instances: 0 },
      { name: 'n2', used: 0, instances: 0 },
    ]);
  });

  test('without room for what is needed the instance fails with the limit, and takes no room itself.', async () => {
    const { provisioner, deeds } = scripted({}, { local: true });
    const world = aWorld(provisioner, plans);
    await world.beat({ name: 'n1' });
    const { broker } = world.broker({ node: 'n1' });
    await expect(broker.provision({ ...toMake, acceptsIncomplete: false })).rejects.toThrow(
      "The service needs db, which could not be had. No node has room for this: it takes 5 of a node's capacity",
    );
    expect(deeds()).toEqual(['deprovision']);
    expect(await world.nodes.list()).toMatchObject([{ used: 0, instances: 0 }]);
  });

  test('what was needed by an instance of a lost machine is given back when that is deleted.', async () => {
    const { provisioner, story } = scripted({}, { local: true });
    const world = aWorld(provisioner, plans);
    const [one, two] = [world.broker({ node: 'n1' }), world.broker({ node: 'n2' })];
    await Promise.all([world.beat({ name: 'n1' }), world.beat({ name: 'n2' })]);
    await one.broker.provision(toMake);
    await ended(world, [one.work, two.work]);
    world.pass(31_000);
    await world.beat({ name: 'n2' });
    await two.broker.overview.forget('n1', { abandon: true });
    await two.broker.deprovision(toRemove);
    await untilSo(world, [two.work], async () => (await world.store.list({ limit: 9 })).length === 0);
    expect(story().slice(3)).toEqual(['unbind db', 'deprovision db']);
  });
});
