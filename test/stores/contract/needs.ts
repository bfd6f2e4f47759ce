import type { ServiceInstance } from '../../../src/broker/records.ts';
import type { Opening, Store } from '../../../src/broker/store.ts';
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
  numbered,
  open,
  provisioning,
  readBinding,
  readInstance,
  unbinding,
} from './steps.ts';

export function describeNeeds(makeStore: MakeStore): void {
  let store: Store;
  let instance: ServiceInstance;
  beforeEach(async () => {
    store = await makeStore();
    instance = await anInstanceIn(store);
    for (const id of ['i8', 'i9']) await anInstanceIn(store, { id });
  });

  async function neededBy(): Promise<readonly string[] | undefined> {
    return (await store.findInstance('i1'))?.neededBy;
  }

  test('An instance knows those that need it, by their bindings.', async () => {
    await aBindingIn(store, instance);
    expect(await store.findInstance('i1')).not.toHaveProperty('neededBy');
    const bound = await aBindingIn(store, instance, { id: 'b2', dependent: 'i9' });
    expect(bound.dependent).toBe('i9');
    await aBindingIn(store, await readInstance(store), { id: 'b3', dependent: 'i9' });
    await open(store, binding(await readInstance(store), { id: 'b4', dependent: 'i8' }));
    expect(await neededBy()).toEqual(['i8', 'i9']);
    expect((await store.findBinding('i1', 'b1')).found?.neededBy).toEqual(['i8', 'i9']);
    for (const id of ['b2', 'b3']) {
      await open(store, unbinding(instance, await readBinding(store, 'i1', id), ended('unbind')));
    }
    expect(await neededBy()).toEqual(['i8']);
  });

  test('What is not there any more needs nothing.', async () => {
    await aBindingIn(store, instance, { dependent: 'gone' });
    expect(await neededBy()).toBeUndefined();
  });

  test('A bind that failed holds nothing.', async () => {
    await open(store, binding(instance, { dependent: 'i9' }));
    await store.settle(await claim(store), { failure: { word: 'broken', sentence: 'It broke.' } });
    expect(await neededBy()).toBeUndefined();
  });

  test('Who read an instance before somebody needed it decides again, however quick that was.', async () => {
    await aBindingIn(store, instance, { dependent: 'i9' });
    const removal = { operation: begun('deprovision'), leaseMs: 0, instance: { put: instance } };
    expect(await store.open(removal)).toBe(false);
    expect(await neededBy()).toEqual(['i9']);
  });

  test('What is opened for the sake of another operation is opened only while that one is in the same hands.', async () => {
    await open(store, provisioning({ id: 'p1' }, heldFromBirth('provision', { id: 'mine' })));
    const onBehalfOf = { id: 'mine', attempt: 1 };
    const needed = (id: string, rest: Partial<Opening> = {}) => ({
      ...provisioning({ id, parent: 'p1' }),
      onBehalfOf,
      ...rest,
    });
    await open(store, needed('c1'));
    expect((await readInstance(store, 'c1')).parent).toBe('p1');
    expect(await store.open(needed('c2', { onBehalfOf: { id: 'mine', attempt: 2 } }))).toBe(false);
    expect(await store.open(needed('c2', { onBehalfOf: { id: 'other', attempt: 1 } }))).toBe(false);
    expect(
      await store.open({ ...binding(instance, { dependent: 'p1' }), onBehalfOf: { id: 'mine', attempt: 0 } }),
    ).toBe(false);
    await open(store, { ...binding(instance, { dependent: 'p1' }), onBehalfOf });
    const put = await readInstance(store, 'p1');
    const removal = begun('deprovision', { instanceId: 'p1', follows: 'mine' });
    await open(store, { operation: removal, leaseMs: long, instance: { put }, cancels: 'mine' });
    expect(await store.open(needed('c2'))).toBe(false);
    const read = await readInstance(store, 'c1');
    const change = {
      operation: begun('deprovision', { instanceId: 'c1' }),
      leaseMs: long,
      instance: { put: read },
    };
    expect(await store.open({ ...change, onBehalfOf })).toBe(false);
    expect(await store.findInstance('c2')).toBeUndefined();
  });

  test('Of what is opened for the sake of an operation and the cancelling of that one, the former comes first or not at all.', async () => {
    for (const n of numbered(15)) {
      const [id, child] = [`p${n}`, `c${n}`];
      await open(store, provisioning({ id }, heldFromBirth('provision', { id: `op${n}` })));
      const put = await readInstance(store, id);
      const operation = begun('deprovision', { instanceId: id, follows: `op${n}` });
      const [cancelled, made] = await Promise.all([
        store.open({ operation, leaseMs: long, instance: { put }, cancels: `op${n}` }),
        store.open({ ...provisioning({ id: child }), onBehalfOf: { id: `op${n}`, attempt: 1 } }),
      ]);
      expect(cancelled).toBe(true);
      expect((await store.findInstance(child)) !== undefined).toBe(made);
    }
  });

  test.each([['over at once'], ['in progress']])(
    'A removal and a bind by who needs the instance, %s, exclude each other in every race.',
    async (how) => {
      for (const n of numbered(15)) {
        const read = await anInstanceIn(store, { id: `r${n}` });
        const operation = how === 'over at once' ? ended('bind') : begun('bind');
        const opened = await Promise.all([
          store.open({
            operation: begun('deprovision', { instanceId: read.id }),
            leaseMs: long,
            instance: { put: read },
          }),
          store.open(binding(read, { dependent: 'i9' }, operation)),
        ]);
        expect(opened.filter(Boolean)).toHaveLength(1);
      }
    },
  );
}
