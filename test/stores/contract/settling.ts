import type { LeasedOperation, Store } from '../../../src/broker/store.ts';
import type { MakeStore } from './remembered.ts';
import {
  aBindingIn,
  anInstanceIn,
  begun,
  binding,
  claim,
  heldFromBirth,
  long,
  numbered,
  open,
  provisioning,
  readBinding,
  readInstance,
  unbinding,
} from './steps.ts';

export function describeSettling(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  const failure = { word: 'broken', sentence: 'It broke.', instanceUsable: true };

  test('A provision ends with its instance ready, in one write.', async () => {
    await open(store, provisioning({}, begun('provision', { confidential: { memo: 'm' } })));
    const held = await claim(store);
    const confidential = { parameters: { a: 1 }, secrets: { s: 'x' }, facts: { node: 'n' } };
    const put = { ...held.instance, ready: true, confidential, metadata: { labels: { l: 1 } } };
    expect(await store.settle(held, { instance: { put } })).toBe(true);
    expect(await store.findInstance('i1')).toEqual({
      instance: { ...put, version: 2, updatedAt: expect.any(Date) },
      bindingsBusy: false,
    });
    const { operation } = await store.lastOperation({ instanceId: 'i1' });
    expect(operation).toMatchObject({ state: 'succeeded', confidential: {}, finishedAt: expect.any(Date) });
    expect(operation).not.toHaveProperty('holder');
    expect(operation).not.toHaveProperty('failure');
    expect(await store.nextDue()).toBeUndefined();
  });

  test('An operation ends once.', async () => {
    await open(store, provisioning());
    const held = await claim(store);
    const results = await Promise.all(numbered(5).map(() => store.settle(held, {})));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect((await readInstance(store)).version).toBe(2);
  });

  test('The change is written although the version has risen, and raises it again.', async () => {
    await open(store, provisioning());
    const held = await claim(store);
    const put = { ...held.instance, version: 17, ready: true };
    expect(await store.settle(held, { instance: { put } })).toBe(true);
    expect(await readInstance(store)).toMatchObject({ version: 2, ready: true });
  });

  test('A failure without a change leaves the row as it was, and free.', async () => {
    await open(store, provisioning());
    const held = await claim(store);
    expect(await store.settle(held, { failure })).toBe(true);
    const found = await store.findInstance('i1');
    expect(found).toMatchObject({ instance: { ready: false, version: 2 } });
    expect(found).not.toHaveProperty('operation');
    const { operation } = await store.lastOperation({ instanceId: 'i1' });
    expect(operation).toMatchObject({ state: 'failed', failure });
  });

  test('Who read the instance while it was busy decides again when it has ended.', async () => {
    await open(store, provisioning());
    const read = await readInstance(store);
    await store.settle(await claim(store), { failure });
    expect(await store.open({ operation: begun('deprovision'), leaseMs: 0, instance: { put: read } })).toBe(
      false,
    );
  });

  test('A deprovision ends with the instance and what was bound to it gone.', async () => {
    const instance = await anInstanceIn(store);
    await aBindingIn(store, instance);
    await open(store, { operation: begun('deprovision'), leaseMs: 0, instance: { put: instance } });
    const held = await claim(store);
    expect(await store.settle(held, { instance: { remove: held.instance } })).toBe(true);
    expect(await store.findBinding('i1', 'b1')).toEqual({});
    expect(await store.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { kind: 'deprovision', state: 'succeeded' },
      exists: false,
    });
    await anInstanceIn(store);
  });

  test('A bind ends with its binding ready, and leaves the instance alone.', async () => {
    const instance = await anInstanceIn(store);
    await open(store, binding(instance));
    const held = await claim(store);
    const answer = { credentials: { password: 'pw' } };
    const expiresAt = new Date(Date.now() + long);
    const put = {
      ...bindingOf(held),
      ready: true,
      expiresAt,
      confidential: { ...bindingOf(held).confidential, answer },
    };
    const before = await readInstance(store);
    expect(await store.settle(held, { binding: { put } })).toBe(true);
    expect(await store.findBinding('i1', 'b1')).toEqual({
      found: { instance: before, bindingsBusy: false },
      binding: put,
    });
  });

  test('A bind that failed leaves its binding unfinished, and free.', async () => {
    const instance = await anInstanceIn(store);
    await open(store, binding(instance));
    expect(await store.settle(await claim(store), { failure })).toBe(true);
    const { binding: left, operation } = await store.findBinding('i1', 'b1');
    expect([left?.ready, operation]).toEqual([false, undefined]);
    await open(store, binding(await readInstance(store)));
  });

  test('An unbind ends with its binding gone, and no other.', async () => {
    const instance = await anInstanceIn(store);
    const bound = await aBindingIn(store, instance);
    const other = await aBindingIn(store, instance, { id: 'b2' });
    await open(store, unbinding(instance, bound));
    const held = await claim(store);
    expect(await store.settle(held, { binding: { remove: bindingOf(held) } })).toBe(true);
    expect((await store.findBinding('i1', 'b1')).binding).toBeUndefined();
    expect(await readBinding(store, 'i1', 'b2')).toEqual(other);
  });

  test('An operation held from birth is settled by who opened it.', async () => {
    const opening = provisioning({}, heldFromBirth('provision'));
    await open(store, opening);
    const { operation } = opening;
    const instance = { ...(await readInstance(store)), ready: true };
    expect(await store.settle({ operation, instance, remainingMs: 1 }, { instance: { put: instance } })).toBe(
      true,
    );
    expect(await readInstance(store)).toMatchObject({ ready: true });
  });

  function bindingOf({ binding: record }: LeasedOperation) {
    if (!record) throw new Error('The operation was claimed without its binding.');
    return record;
  }
}
