import type { MakeRemembered } from './remembered.ts';
import { aBindingIn, begun, binding, claim, open, readInstance } from './steps.ts';
import {
  aNodeIn,
  aPlacedInstance,
  aProfile,
  aRoom,
  placeOne,
  removeIn,
  type Remembered,
} from './remembered.ts';

export function describeNodes(makeRemembered: MakeRemembered): void {
  let remembered: Remembered;
  beforeEach(async () => {
    remembered = await makeRemembered();
  });

  test('Nodes are listed by name, as they told of themselves, with what is used of them.', async () => {
    expect(await remembered.nodes.list()).toEqual([]);
    const second = await aNodeIn(remembered, { name: 'n2', capacity: 0.5, executables: [] });
    const first = await aNodeIn(remembered, {
      ports: { first: 20_000, last: 20_003 },
      limits: 'cpu: missing',
    });
    await aPlacedInstance(remembered, { id: 'i1' });
    await placeOne(remembered, { id: 'i2' }, { room: aRoom({ cost: 1.5 }) });
    await placeOne(remembered, { id: 'i3' }, { room: aRoom({ cost: 0.5 }) });
    await remembered.store.settle(await claim(remembered.store, 'worker', 0, 'n1'), {});
    await remembered.ports.take('n1', 'i1', ['main', 'admin']);
    const [one, two] = await remembered.nodes.list();
    expect(one).toEqual({
      ...first,
      draining: false,
      stale: false,
      beatAt: expect.any(Date),
      used: 1 + 0.5,
      instances: 3,
      portsFree: 2,
    });
    expect(two).toMatchObject({ ...second, used: 0, instances: 0, portsFree: 100 });
    expect(Math.abs(Number(one?.beatAt) - Date.now())).toBeLessThan(10_000);
  });

  test('A node is stale when it has not told of itself for thirty seconds.', async () => {
    await aNodeIn(remembered);
    await remembered.pass(29_000);
    expect(await remembered.nodes.list()).toMatchObject([{ stale: false }]);
    await remembered.pass(2000);
    expect(await remembered.nodes.list()).toMatchObject([{ stale: true }]);
    await aNodeIn(remembered);
    expect(await remembered.nodes.list()).toMatchObject([{ stale: false }]);
  });

  test('A beat tells what has changed, and leaves alone what the operator has said.', async () => {
    await aNodeIn(remembered);
    expect(await remembered.nodes.drain('n1', true)).toBe(true);
    await aNodeIn(remembered, { capacity: 7, executables: ['nats-server'], limits: 'by cgroup v2' });
    expect(await remembered.nodes.list()).toMatchObject([
      { capacity: 7, executables: ['nats-server'], limits: 'by cgroup v2', draining: true },
    ]);
    expect(await remembered.nodes.drain('nowhere', true)).toBe(false);
  });

  test('A broker of another machine may not speak for a node that lives, until it has fallen silent.', async () => {
    expect(await remembered.nodes.beat(aProfile(), 'one', 'here')).toBe(true);
    expect(await remembered.nodes.beat(aProfile({ capacity: 9 }), 'two', 'there')).toBe(false);
    expect(await remembered.nodes.list()).toMatchObject([{ capacity: 3 }]);
    expect(await remembered.nodes.beat(aProfile(), 'one', 'here')).toBe(true);
    await remembered.pass(31_000);
    expect(await remembered.nodes.beat(aProfile(), 'two', 'there')).toBe(true);
    expect(await remembered.nodes.beat(aProfile(), 'one', 'here')).toBe(false);
  });

  test('A new broker on the same machine takes the node over at once.', async () => {
    expect(await remembered.nodes.beat(aProfile(), 'one', 'here')).toBe(true);
    expect(await remembered.nodes.beat(aProfile(), 'two', 'here')).toBe(true);
  });

  test('A node that leaves is stale at once, until it tells of itself again, and anybody may be it.', async () => {
    const { nodes } = remembered;
    await nodes.beat(aProfile(), 'one', 'here');
    const [before] = await nodes.list();
    await nodes.leave('n1', 'two');
    expect(await nodes.list()).toMatchObject([{ stale: false }]);
    await nodes.leave('n1', 'one');
    expect(await nodes.list()).toMatchObject([{ stale: true, beatAt: before?.beatAt }]);
    expect(await placeOne(remembered)).toEqual({ short: { of: 'nodes' } });
    await nodes.beat(aProfile(), 'one', 'here');
    expect(await nodes.list()).toMatchObject([{ stale: false }]);
    await nodes.leave('n1', 'one');
    expect(await nodes.beat(aProfile(), 'two', 'there')).toBe(true);
    await nodes.leave('n1', 'one');
    expect(await nodes.list()).toMatchObject([{ stale: false }]);
    await nodes.leave('nowhere', 'one');
  });

  test('Of two machines that claim a new node at once, one gets it.', async () => {
    const other = remembered.elsewhere();
    const both = await Promise.all([
      remembered.nodes.beat(aProfile(), 'one', 'here'),
      other.nodes.beat(aProfile(), 'two', 'there'),
    ]);
    expect(both.toSorted()).toEqual([false, true]);
  });

  test('A node can be forgotten when it is silent and nothing is left on it.', async () => {
    expect(await remembered.nodes.forget('n1')).toBe(false);
    await aNodeIn(remembered);
    expect(await remembered.nodes.forget('n1')).toBe(false);
    const instance = await aPlacedInstance(remembered);
    await remembered.ports.take('n1', 'i9', ['main']);
    await remembered.orphans.look({ provisioner: 'process', node: 'n1' }, [{ name: 'a' }]);
    await remembered.orphans.look({ provisioner: 'process', node: 'n2' }, [{ name: 'b' }]);
    await remembered.pass(31_000);
    expect(await remembered.nodes.forget('n1')).toBe(false);
    await removeIn(remembered, instance);
    expect(await remembered.nodes.forget('n1')).toBe(true);
    expect(await remembered.nodes.list()).toEqual([]);
    expect(await remembered.orphans.list()).toMatchObject([{ node: 'n2' }]);
    await aNodeIn(remembered);
    expect(await remembered.nodes.list()).toMatchObject([{ portsFree: 100 }]);
  });

  test('A node that never comes back can be given up with all that was on it.', async () => {
    await aNodeIn(remembered);
    await aNodeIn(remembered, { name: 'n2' });
    const instance = await aPlacedInstance(remembered, { id: 'i1' });
    await aPlacedInstance(remembered, { id: 'i2' });
    await placeOne(remembered, { id: 'i3' }, { room: aRoom() });
    const { store } = remembered;
    await aBindingIn(store, instance, { dependent: 'i9' });
    await open(store, binding(await readInstance(store, 'i1'), { id: 'b2' }));
    const places = await Promise.all(
      ['i1', 'i2', 'i3'].map(async (id) => (await readInstance(store, id)).place),
    );
    expect(places).toMatchObject([{ node: 'n1' }, { node: 'n2' }, { node: 'n1' }]);
    await store.saveSeen('i1', { units: [], checkedAt: new Date().toISOString() });
    await remembered.ports.take('n1', 'i1', ['main']);
    expect(await remembered.nodes.forget('n1', true)).toBe(false);
    await remembered.pass(31_000);
    await aNodeIn(remembered, { name: 'n2' });
    expect(await remembered.nodes.forget('n2', true)).toBe(false);
    expect(await remembered.nodes.forget('n1', true)).toBe(true);
    expect(await remembered.nodes.list()).toMatchObject([{ name: 'n2', instances: 1, used: 1 }]);
    for (const id of ['i1', 'i3']) {
      const found = await store.findInstance(id);
      const lost = { node: 'n1', at: expect.any(Date) };
      expect(found).toMatchObject({ instance: { ready: false, lost }, bindingsBusy: false });
      for (const gone of ['operation', 'neededBy', 'instance.place']) expect(found).not.toHaveProperty(gone);
    }
    expect(await store.findBinding('i1', 'b1')).not.toHaveProperty('binding');
    expect(await store.history('i3', 9)).toMatchObject([
      { kind: 'provision', state: 'failed', failure: { word: 'abandoned' }, confidential: {} },
    ]);
    expect(await store.history('i1', 1)).toMatchObject([{ kind: 'bind', state: 'failed' }]);
    expect(await store.nextDue('n1')).toBeUndefined();
    expect(await readInstance(store, 'i2')).toMatchObject({ ready: true, place: { node: 'n2' } });
    expect(await readInstance(store, 'i2')).not.toHaveProperty('lost');
    const told = await store.lastOperation({ instanceId: 'i1' });
    expect(told).toMatchObject({ exists: true, lost: { node: 'n1', at: expect.any(Date) } });
    expect(await store.lastOperation({ instanceId: 'i2' })).not.toHaveProperty('lost');
    // What was last seen of it says nothing of what is made anew.
    expect(await store.findSeen('i1')).toBeUndefined();
    // Who read it before decides again.
    const stale = { operation: begun('deprovision'), leaseMs: 0, instance: { put: instance } };
    expect(await store.open(stale)).toBe(false);
  });

  test('A create that failed still stands on its node, though it takes nothing of it.', async () => {
    await aNodeIn(remembered);
    await placeOne(remembered, {}, { room: aRoom(), here: 'n2' });
    await remembered.store.settle(await claim(remembered.store, 'worker', 0, 'n1'), {
      failure: { word: 'broken', sentence: 'It broke.' },
    });
    await remembered.pass(31_000);
    expect(await remembered.nodes.list()).toMatchObject([{ used: 0, instances: 1 }]);
    expect(await remembered.nodes.forget('n1')).toBe(false);
    const put = await readInstance(remembered.store);
    await open(remembered.store, { operation: begun('deprovision'), leaseMs: 0, instance: { put } });
    expect(await remembered.nodes.list()).toMatchObject([{ used: 1 }]);
  });
}
