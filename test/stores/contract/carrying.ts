import type { ServiceInstance } from '../../../src/broker/records.ts';
import type { Store } from '../../../src/broker/store.ts';
import type { MakeStore } from './remembered.ts';
import {
  aBindingIn,
  anInstanceIn,
  begun,
  binding,
  claim,
  ended,
  heldFromBirth,
  long,
  open,
  provisioning,
  readInstance,
  unbinding,
} from './steps.ts';

export function describeCarrying(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  const place = { node: 'n1', cost: 1.5 };

  async function nodeOf(instanceId: string, bindingId?: string): Promise<string | undefined> {
    const query = { instanceId, ...(bindingId !== undefined && { bindingId }) };
    return (await store.lastOperation(query)).operation?.node;
  }

  test('Operations of an instance and its bindings have the node that it is on.', async () => {
    const instance = await anInstanceIn(store, { place });
    expect(await nodeOf('i1')).toBe('n1');
    const bound = await aBindingIn(store, instance);
    expect(await nodeOf('i1', 'b1')).toBe('n1');
    await open(store, binding(instance, { id: 'b2' }, heldFromBirth('bind')));
    expect(await nodeOf('i1', 'b2')).toBe('n1');
    await open(store, unbinding(await readInstance(store), bound));
    expect(await nodeOf('i1', 'b1')).toBe('n1');
    await open(store, provisioning({ id: 'i2', place: { node: 'n2', cost: 0 } }));
    expect(await nodeOf('i2')).toBe('n2');
    const nowhere = provisioning({ id: 'i3' }, ended('provision', { node: 'n3' }));
    await open(store, nowhere);
    expect(await nodeOf('i3')).toBeUndefined();
    await open(store, {
      operation: ended('deprovision', { instanceId: 'i3' }),
      leaseMs: 0,
      instance: { remove: await readInstance(store, 'i3') },
    });
  });

  test('A bind gets the node of the instance as it is, not as it was read.', async () => {
    const read = await anInstanceIn(store, { place });
    await open(store, binding({ ...read, place: { node: 'n9', cost: 1 } }));
    expect(await nodeOf('i1', 'b1')).toBe('n1');
  });

  test('A node claims what is its own and what is of no node; who is no node only the latter.', async () => {
    await open(store, provisioning({ id: 'i1', place }));
    await open(store, provisioning({ id: 'i2', place: { node: 'n2', cost: 1 } }));
    await open(store, provisioning({ id: 'i3' }));
    expect(await store.nextDue()).toBe(0);
    expect((await claim(store)).instance.id).toBe('i3');
    expect(await store.claim('worker', long)).toBeUndefined();
    expect(await store.nextDue()).toBeGreaterThan(0);
    expect(await store.nextDue('n2')).toBe(0);
    expect((await claim(store, 'worker', long, 'n2')).operation).toMatchObject({
      instanceId: 'i2',
      node: 'n2',
    });
    expect(await store.claim('worker', long, 'n2')).toBeUndefined();
    await open(store, provisioning({ id: 'i4' }));
    const both = [await claim(store, 'w', long, 'n1'), await claim(store, 'w', long, 'n1')];
    expect(both.map(({ instance }) => instance.id)).toEqual(['i1', 'i4']);
  });

  test('What of an instance goes with it is read as it was put, and lost by no operation.', async () => {
    const lasting = { place, stopped: true, stoppedUnits: ['web'], checkEvery: 5000, parent: 'i0' };
    const put = await anInstanceIn(store, lasting);
    expect(put).toMatchObject(lasting);
    for (const kind of ['start', 'stop', 'restart', 'update'] as const) {
      const confidential = kind === 'update' ? {} : { units: ['main'] };
      await open(store, {
        operation: begun(kind, { confidential }),
        leaseMs: 0,
        instance: { put: await readInstance(store) },
      });
      const held = await claim(store, 'worker', long, 'n1');
      expect(held.operation).toMatchObject({ kind, node: 'n1', confidential });
      expect(held.instance).toMatchObject(lasting);
      await store.settle(held, { instance: { put: held.instance } });
      expect(await readInstance(store)).toMatchObject(lasting);
    }
    await store.open(stopping(await readInstance(store)));
    const held = await claim(store, 'worker', long, 'n1');
    const { stopped: _stopped, stoppedUnits: _units, checkEvery: _every, ...rest } = held.instance;
    await store.settle(held, { instance: { put: rest } });
    expect(await readInstance(store)).not.toMatchObject({ stopped: true });
    expect(await readInstance(store)).not.toHaveProperty('stoppedUnits');
    expect(await readInstance(store)).not.toHaveProperty('checkEvery');
  });

  test('A start, stop or restart of an instance excludes its other operations.', async () => {
    const instance = await anInstanceIn(store);
    expect(await store.open(stopping(instance))).toBe(true);
    const busy = await store.findInstance('i1');
    expect(busy).toMatchObject({ operation: { kind: 'stop' } });
    const put = await readInstance(store);
    expect(await store.open({ operation: begun('update'), leaseMs: 0, instance: { put } })).toBe(false);
    expect(await store.open(binding(put))).toBe(false);
  });

  function stopping(put: ServiceInstance) {
    return { operation: begun('stop'), leaseMs: 0, instance: { put } };
  }
}
