import type { Demand, Shortage } from '../../../src/broker/nodes.ts';
import type { ServiceInstance } from '../../../src/broker/records.ts';
import type { Opening, Placement, Store } from '../../../src/broker/store.ts';
import type { MakeRemembered } from './remembered.ts';
import {
  begun,
  claim,
  ended,
  heldFromBirth,
  long,
  numbered,
  open,
  provisioning,
  readInstance,
} from './steps.ts';
import {
  aNodeIn,
  aPlacedInstance,
  aRoom,
  brokersOf,
  placeOne,
  removeIn,
  said,
  type Remembered,
} from './remembered.ts';

export function describePlacing(makeRemembered: MakeRemembered): void {
  let remembered: Remembered;
  let store: Store;
  beforeEach(async () => {
    remembered = await makeRemembered();
    store = remembered.store;
  });

  /** An update that shall cost so much of the node. */
  function updating(instance: ServiceInstance, cost: number): Opening {
    const target = { ...instance, place: { node: 'n1', ...instance.place, cost } };
    const operation = heldFromBirth('update', { instanceId: instance.id, confidential: { target } });
    return { operation, leaseMs: long, instance: { put: instance } };
  }

  function update(
    instance: ServiceInstance,
    cost: number,
    needs: readonly string[] = [],
  ): Promise<Placement> {
    return store.place(updating(instance, cost), {
      room: aRoom({ cost, executables: needs, on: 'n1' }),
      here: 'n1',
    });
  }

  async function usedOf(name = 'n1'): Promise<number | undefined> {
    return (await remembered.nodes.list()).find((node) => node.name === name)?.used;
  }

  test('An instance gets a place, and the broker of that node holds its operation.', async () => {
    await aNodeIn(remembered);
    const confidential = { parameters: { a: 1 }, secrets: { s: 'x' }, facts: {} };
    const placement = await placeOne(
      remembered,
      { confidential, checkEvery: 5000, stopped: true, parent: 'i0' },
      { room: aRoom({ cost: 0.5 }), here: 'n1' },
    );
    if (placement === 'stale' || 'short' in placement) throw new Error(said(placement));
    const found = await store.findInstance('i1');
    const times = { createdAt: expect.any(Date), updatedAt: expect.any(Date) };
    expect(found?.instance).toEqual({ ...placement.placed, ...times });
    expect(found?.operation).toEqual({
      ...placement.operation,
      createdAt: expect.any(Date),
      deadline: expect.any(Date),
    });
    expect(placement.placed).toMatchObject({
      version: 1,
      place: { node: 'n1', cost: 0.5 },
      checkEvery: 5000,
      stopped: true,
      parent: 'i0',
      confidential,
    });
    expect(placement.operation).toMatchObject({ node: 'n1', holder: 'request', attempt: 1 });
    expect(await store.claim('worker', long, 'n1')).toBeUndefined();
  });

  test('When its place is another one than that of who asks, the node there takes its operation up at once.', async () => {
    await aNodeIn(remembered);
    const placement = await placeOne(remembered, {}, { room: aRoom(), here: 'n2' });
    expect(placement).toMatchObject({ operation: { node: 'n1', attempt: 0 } });
    expect(placement).not.toHaveProperty('operation.holder');
    expect(await store.claim('worker', long, 'n2')).toBeUndefined();
    expect(await store.claim('worker', long, 'n1')).toMatchObject({ operation: { attempt: 1 } });
  });

  test('What needs no room is held by who asks, and carried by anybody.', async () => {
    const placement = await placeOne(remembered, {}, { maxInstances: 1 });
    expect(placement).toMatchObject({ operation: { holder: 'request' } });
    expect(await readInstance(store)).not.toHaveProperty('place');
  });

  test('What is stale is not placed.', async () => {
    await aNodeIn(remembered);
    await placeOne(remembered);
    expect(await placeOne(remembered)).toBe('stale');
    expect(await placeOne(remembered, { version: 7 })).toBe('stale');
    expect(await usedOf()).toBe(1);
  });

  test('Of ten who ask at once for room for three, three get it.', async () => {
    await aNodeIn(remembered, { capacity: 3 });
    const broker = brokersOf(remembered);
    const all = await Promise.all(numbered(10).map((n) => placeOne(broker(n), { id: `i${n}` })));
    expect(all.map(said).toSorted()).toEqual([
      ...numbered(7).map(() => 'capacity'),
      ...numbered(3).map(() => 'n1'),
    ]);
    expect(all.find((one) => said(one) === 'capacity')).toEqual({ short: { of: 'capacity', cost: 1 } });
    expect(await usedOf()).toBe(3);
    expect(await store.list({ limit: 100 })).toHaveLength(3);
  });

  test('Of five who ask at once for an instance of which there may be two, two get it.', async () => {
    await aNodeIn(remembered, { capacity: 100 });
    const broker = brokersOf(remembered);
    const demand = { maxInstances: 2, room: aRoom() };
    const all = await Promise.all(numbered(5).map((n) => placeOne(broker(n), { id: `i${n}` }, demand)));
    expect(all.map(said).toSorted()).toEqual(['instances', 'instances', 'instances', 'n1', 'n1']);
    expect(all.find((one) => said(one) === 'instances')).toEqual({ short: { of: 'instances', limit: 2 } });
    const operation = heldFromBirth('provision', { offeringId: 'queue' });
    const other = provisioning({ id: 'q1', offeringId: 'queue' }, operation);
    expect(said(await store.place(other, demand))).toBe('n1');
  });

  test('An update is not one more instance.', async () => {
    await aNodeIn(remembered);
    for (const id of ['i1', 'i2']) await aPlacedInstance(remembered, { id });
    const opening = updating(await readInstance(store), 1);
    expect(said(await store.place(opening, { maxInstances: 1, room: aRoom({ on: 'n1' }) }))).toBe('n1');
  });

  test('A removal gives room back when it has ended, not before.', async () => {
    await aNodeIn(remembered, { capacity: 1 });
    const demand = { maxInstances: 1, room: aRoom() };
    const instance = await aPlacedInstance(remembered, {}, demand);
    const removal = begun('deprovision');
    await open(store, { operation: removal, leaseMs: 0, instance: { put: instance } });
    expect(said(await placeOne(remembered, { id: 'i2' }, { room: aRoom() }))).toBe('capacity');
    expect(said(await placeOne(remembered, { id: 'i2' }, demand))).toBe('instances');
    const held = await claim(store, 'worker', long, 'n1');
    await store.settle(held, { instance: { remove: held.instance } });
    expect(await usedOf()).toBe(0);
    expect(said(await placeOne(remembered, { id: 'i2' }, demand))).toBe('n1');
  });

  test('A create that failed holds no room; when it is started again it needs room again.', async () => {
    await aNodeIn(remembered, { capacity: 1 });
    const demand = { maxInstances: 1, room: aRoom() };
    await placeOne(remembered, {}, demand);
    const held = await claim(store, 'worker', long, 'n1');
    await store.settle(held, { failure: { word: 'broken', sentence: 'It broke.' } });
    expect(await usedOf()).toBe(0);
    const second = await aPlacedInstance(remembered, { id: 'i2' }, demand);
    const failed = await readInstance(store);
    expect(said(await placeOne(remembered, failed, { room: aRoom() }))).toBe('capacity');
    expect(said(await placeOne(remembered, failed, demand))).toBe('instances');
    await removeIn(remembered, second);
    expect(said(await placeOne(remembered, failed, demand))).toBe('n1');
  });

  test('A create that failed may be started again on another node.', async () => {
    await aNodeIn(remembered);
    await placeOne(remembered, {}, { room: aRoom(), here: 'n2' });
    await store.settle(await claim(store, 'worker', long, 'n1'), { failure: { word: 'w', sentence: 's' } });
    await remembered.nodes.drain('n1', true);
    await aNodeIn(remembered, { name: 'n2' });
    expect(said(await placeOne(remembered, await readInstance(store), { room: aRoom(), here: 'n2' }))).toBe(
      'n2',
    );
    expect(await readInstance(store)).toMatchObject({ place: { node: 'n2' } });
  });

  test('An update holds what it will cost from the beginning, and only then.', async () => {
    await aNodeIn(remembered, { capacity: 3 });
    const instance = await aPlacedInstance(remembered);
    expect(said(await update(instance, 3))).toBe('n1');
    expect(await readInstance(store)).toMatchObject({ place: { cost: 1 } });
    expect(await usedOf()).toBe(3);
    expect(said(await placeOne(remembered, { id: 'i2' }))).toBe('capacity');
    const held = await claimed();
    await store.settle(held, { failure: { word: 'broken', sentence: 'It broke.' } });
    expect(await usedOf()).toBe(1);
  });

  test('An update that has succeeded costs what its target says.', async () => {
    await aNodeIn(remembered, { capacity: 3 });
    await update(await aPlacedInstance(remembered), 2);
    const held = await claimed();
    const { target } = held.operation.confidential;
    await store.settle(held, { ...(target && { instance: { put: target } }) });
    expect(await usedOf()).toBe(2);
    await update(await readInstance(store), 1);
    expect(await usedOf()).toBe(2);
  });

  /** The open operation of the instance, as if its holder had handed it over. */
  async function claimed() {
    const { operation, instance } = (await store.findInstance('i1')) ?? {};
    if (!operation || !instance) throw new Error('There is no open operation.');
    await store.postpone({ operation, instance, remainingMs: 1 }, { failures: 0, until: { dueMs: 0 } });
    return claim(store, 'worker', long, 'n1');
  }

  test('An update that wants more than there is changes nothing.', async () => {
    await aNodeIn(remembered, { capacity: 3 });
    const instance = await aPlacedInstance(remembered);
    await aPlacedInstance(remembered, { id: 'i2' });
    expect(await update(instance, 3)).toEqual({ short: { of: 'capacity', cost: 3 } });
    expect(await store.findInstance('i1')).toEqual({ instance, bindingsBusy: false });
    expect((await store.lastOperation({ instanceId: 'i1' })).operation).toMatchObject({ kind: 'provision' });
    expect(said(await update(instance, 2))).toBe('n1');
  });

  test('An update that takes no more than its instance has is not refused on a node that has become smaller.', async () => {
    await aNodeIn(remembered, { capacity: 3 });
    const instance = await aPlacedInstance(remembered, {}, { room: aRoom({ cost: 2 }) });
    await aNodeIn(remembered, { capacity: 1 });
    expect(said(await update(instance, 2.5))).toBe('capacity');
    expect(said(await update(instance, 2))).toBe('n1');
  });

  test('Of an instance that has its node only the room there counts.', async () => {
    await aNodeIn(remembered);
    await aNodeIn(remembered, { name: 'n2', capacity: 50 });
    await remembered.nodes.drain('n2', true);
    const instance = await aPlacedInstance(remembered);
    await remembered.nodes.drain('n1', true);
    await remembered.pass(40_000);
    expect(said(await update(instance, 3, ['oracle']))).toBe('n1');
    expect(await update({ ...instance, id: 'i9' }, 4)).toMatchObject({ short: { of: 'capacity' } });
    const gone: Demand = { room: aRoom({ on: 'gone' }) };
    expect(await store.place(updating(instance, 1), gone)).toEqual({ short: { of: 'nodes' } });
  });

  test('The node with the most free room is chosen, among equals that of who asks.', async () => {
    await aNodeIn(remembered, { name: 'a', capacity: 10 });
    await aNodeIn(remembered, { name: 'b', capacity: 11 });
    await aNodeIn(remembered, { name: 'c', capacity: 11 });
    const demand = { room: aRoom({ cost: 2 }), here: 'c' };
    const order: string[] = [];
    for (const n of numbered(4)) order.push(said(await placeOne(remembered, { id: `i${n}` }, demand)));
    expect(order).toEqual(['c', 'b', 'a', 'c']);
  });

  test('A node that drains or has fallen silent gets nothing new.', async () => {
    await aNodeIn(remembered, { name: 'silent', capacity: 99 });
    await remembered.pass(31_000);
    await aNodeIn(remembered, { name: 'draining', capacity: 50 });
    await remembered.nodes.drain('draining', true);
    await aNodeIn(remembered, { name: 'small', capacity: 1 });
    expect(said(await placeOne(remembered))).toBe('small');
    await remembered.nodes.drain('draining', false);
    expect(said(await placeOne(remembered, { id: 'i2' }))).toBe('draining');
    await aNodeIn(remembered, { name: 'silent', capacity: 99 });
    expect(said(await placeOne(remembered, { id: 'i3' }))).toBe('silent');
  });

  describe('What there is not enough of is said, the most general first:', () => {
    const executables = ['redis-server', 'epmd'];
    const demand = { maxInstances: 1, room: aRoom({ cost: 9, executables, runsPrograms: true }) };
    const shortages: readonly (readonly [string, Shortage, () => Promise<unknown>])[] = [
      ['no node at all', { of: 'nodes' }, async () => undefined],
      [
        'no node that answers or takes new ones',
        { of: 'nodes' },
        async () => {
          await aNodeIn(remembered, { executables: demand.room.executables, capacity: 9 });
          await remembered.pass(31_000);
          await aNodeIn(remembered, { name: 'n2', executables: demand.room.executables, capacity: 9 });
          await remembered.nodes.drain('n2', true);
        },
      ],
      [
        'no node with all executables',
        { of: 'executables', needs: demand.room.executables },
        async () => {
          await aNodeIn(remembered, { executables: ['redis-server'], capacity: 9 });
          await aNodeIn(remembered, { name: 'n2', executables: ['epmd'], capacity: 9 });
        },
      ],
      [
        'no node that keeps programs apart',
        { of: 'isolation' },
        async () => {
          const { executables } = demand.room;
          await aNodeIn(remembered, { executables, isolation: 'none', capacity: 9 });
          await aNodeIn(remembered, { name: 'n2', capacity: 9 });
        },
      ],
      [
        'no room on those that could',
        { of: 'capacity', cost: 9 },
        async () => {
          const executables = ['a', 'epmd', 'redis-server'];
          await aNodeIn(remembered, { executables, capacity: 8 });
          const unisolated = { isolation: 'none', allowsUnisolated: true } as const;
          await aNodeIn(remembered, { name: 'n3', executables, capacity: 8, ...unisolated });
          await aNodeIn(remembered, { name: 'n2', capacity: 100 });
        },
      ],
      [
        'enough instances',
        { of: 'instances', limit: 1 },
        async () => open(store, provisioning({ id: 'other' }, ended('provision'))),
      ],
    ];

    test.each(shortages)(
      'What there is not enough of is said, the most general first: %s.',
      async (_what, short, given) => {
        await given();
        expect(await placeOne(remembered, {}, demand)).toEqual({ short });
        expect(await store.findInstance('i1')).toBeUndefined();
        expect(await store.lastOperation({ instanceId: 'i1' })).toEqual({ exists: false });
      },
    );
  });
}
