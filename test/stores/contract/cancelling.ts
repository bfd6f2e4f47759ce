import type { Opening, Store } from '../../../src/broker/store.ts';
import type { Operation, ServiceInstance } from '../../../src/broker/records.ts';
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

export function describeCancelling(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  /** A deprovision that takes the place of the open provision, as the core opens it. */
  function cancelling(instance: ServiceInstance, cancels: Operation, rest: Partial<Operation> = {}): Opening {
    const operation = begun('deprovision', { instanceId: instance.id, follows: cancels.id, ...rest });
    return { operation, leaseMs: long, instance: { put: instance }, cancels: cancels.id };
  }

  async function provisionHeld(id = 'i1', leaseMs = long): Promise<[ServiceInstance, Operation]> {
    const opening = provisioning({ id }, heldFromBirth('provision', { confidential: { memo: 'half way' } }));
    await open(store, { ...opening, leaseMs });
    return [await readInstance(store, id), opening.operation];
  }

  test('A deprovision closes the open provision as failed and forgets what it knew.', async () => {
    const [instance, provision] = await provisionHeld();
    const opening = cancelling(instance, provision, { confidential: { trace: 'half way' } });
    await open(store, opening);
    expect(await store.findInstance('i1')).toMatchObject({
      instance: { version: 2 },
      operation: { id: opening.operation.id, follows: provision.id, confidential: { trace: 'half way' } },
    });
    const { operation } = await store.lastOperation({ instanceId: 'i1', operationId: provision.id });
    expect(operation).toMatchObject({
      state: 'failed',
      failure: { word: 'cancelled', sentence: 'The operation was cancelled by a deprovision request.' },
      confidential: {},
      finishedAt: expect.any(Date),
      attempt: 1,
    });
    expect(operation?.holder).toBeUndefined();
  });

  test('The cancelled operation is lost to its holder.', async () => {
    const [instance, operation] = await provisionHeld();
    await open(store, cancelling(instance, operation));
    const held = { operation, instance, remainingMs: 1 };
    expect(await store.renew(held, long)).toBe(false);
    expect(await store.postpone(held, { failures: 0, until: { holdMs: long } })).toBe(false);
    expect(await store.settle(held, { instance: { put: { ...instance, ready: true } } })).toBe(false);
    expect(await readInstance(store)).toMatchObject({ ready: false });
  });

  test('What has ended cannot be cancelled any more, and nothing is written.', async () => {
    const [instance, operation] = await provisionHeld();
    expect(await store.settle({ operation, instance, remainingMs: 1 }, { instance: { put: instance } })).toBe(
      true,
    );
    const now = await readInstance(store);
    const opening = cancelling(now, operation);
    expect(await store.open(opening)).toBe(false);
    expect(await store.findInstance('i1')).toEqual({ instance: now, bindingsBusy: false });
    const { operation: last } = await store.lastOperation({ instanceId: 'i1' });
    expect(last).toMatchObject({ id: operation.id, state: 'succeeded' });
  });

  test('A cancelling decided on an older version writes nothing, and the operation goes on.', async () => {
    const [instance, operation] = await provisionHeld();
    for (const stale of [
      { ...instance, version: 0 },
      { ...instance, version: 7 },
    ]) {
      expect(await store.open(cancelling(stale, operation))).toBe(false);
    }
    expect(await store.findInstance('i1')).toMatchObject({ instance, operation: { state: 'in progress' } });
    expect(await store.renew({ operation, instance, remainingMs: 1 }, long)).toBe(true);
  });

  test('Only the named operation is cancelled.', async () => {
    const [instance] = await provisionHeld();
    const [, other] = await provisionHeld('i2');
    expect(await store.open(cancelling(instance, other))).toBe(false);
    expect(await store.findInstance('i2')).toMatchObject({ operation: { state: 'in progress' } });
  });

  test('Either the cancelling or the settling of the operation succeeds, never both.', async () => {
    const held = await Promise.all(numbered(12).map((n) => provisionHeld(`i${n}`)));
    const outcomes = await Promise.all(
      held.map(async ([instance, operation], n) => {
        const cancel = () => store.open(cancelling(instance, operation));
        const settle = () =>
          store.settle(
            { operation, instance, remainingMs: 1 },
            { instance: { put: { ...instance, ready: true } } },
          );
        const both = n % 2 ? [cancel(), settle()] : [settle(), cancel()];
        return (await Promise.all(both)).filter(Boolean).length;
      }),
    );
    expect(outcomes).toEqual(numbered(12).map(() => 1));
    for (const [{ id }] of held) {
      const { instance, operation } = (await store.findInstance(id)) ?? {};
      expect(operation === undefined).toBe(instance?.ready);
    }
  });

  test('A renewal, a progress or a claim at the same moment does not prevent the cancelling.', async () => {
    const held = await Promise.all(numbered(12).map((n) => provisionHeld(`i${n}`, n % 2 ? long : 0)));
    const outcomes = await Promise.all(
      held.map(async ([instance, operation]) => {
        const own = { operation, instance, remainingMs: 1 };
        const progress = { memo: 'more', failures: 0, until: { holdMs: long } };
        const [, , , cancelled] = await Promise.all([
          store.renew(own, long),
          store.postpone(own, progress),
          store.claim('worker', long),
          store.open(cancelling(instance, operation)),
        ]);
        return cancelled;
      }),
    );
    expect(outcomes).toEqual(numbered(12).map(() => true));
  });

  test('What may be cancelled only before it is begun is not cancelled when it has been, nor claimed when it is.', async () => {
    for (const n of numbered(12)) {
      const instance = await anInstanceIn(store, { id: `i${n}` });
      const update = begun('update', { instanceId: instance.id });
      await open(store, { operation: update, leaseMs: 0, instance: { put: instance } });
      const cancel = async () => {
        const opening = cancelling(await readInstance(store, instance.id), update);
        return store.open({
          ...opening,
          operation: { ...opening.operation, holder: 'request', attempt: 1 },
        });
      };
      const take = () => store.claim('worker', long);
      const both = n % 2 ? [cancel(), take()] : [take(), cancel()];
      const [won, ...others] = (await Promise.all(both)).filter(Boolean);
      expect([won !== undefined, others]).toEqual([true, []]);
      const { operation } = await store.lastOperation({ instanceId: instance.id, operationId: update.id });
      expect(operation?.state).toBe(won === true ? 'failed' : 'in progress');
      if (won !== true) expect(await cancel()).toBe(false);
    }
  });

  test('Of 10 who cancel the same operation at once, one succeeds.', async () => {
    const [instance, operation] = await provisionHeld();
    const results = await Promise.all(numbered(10).map(() => store.open(cancelling(instance, operation))));
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  test('The follower waits for the lease of what it cancelled, and starts when it is released.', async () => {
    const [instance, operation] = await provisionHeld();
    const opening = cancelling(instance, operation);
    await open(store, opening);
    expect(await store.claim('worker', long)).toBeUndefined();
    expect(await store.nextDue()).toBeGreaterThan(long / 2);
    await store.release(operation.id);
    expect((await store.claim('worker', long))?.operation.id).toBe(opening.operation.id);
  });

  test('The follower starts by itself when the lease is over.', async () => {
    const [instance, operation] = await provisionHeld('i1', 40);
    await open(store, cancelling(instance, operation));
    expect((await claim(store)).operation.kind).toBe('deprovision');
  });

  test('The follower of an operation that nobody holds is due at once.', async () => {
    const opening = provisioning();
    await open(store, opening);
    await open(store, cancelling(await readInstance(store), opening.operation));
    expect((await store.claim('worker', long))?.operation.kind).toBe('deprovision');
  });

  test('A step that has not ended yet holds the follower back, again and again.', async () => {
    const [instance, operation] = await provisionHeld('i1', 1);
    await open(store, cancelling(instance, operation));
    await store.holdBack(operation.id, long);
    expect(await store.nextDue()).toBeGreaterThan(long / 2);
    await store.holdBack(operation.id, 2 * long);
    expect(await store.nextDue()).toBeGreaterThan(long);
    expect(await store.claim('worker', long)).toBeUndefined();
    await store.release(operation.id);
    await claim(store);
  });

  test('A follower that has started is neither held back nor released.', async () => {
    const [instance, operation] = await provisionHeld('i1', 1);
    await open(store, cancelling(instance, operation));
    const held = await claim(store, 'worker', long);
    await store.release(operation.id);
    expect(await store.claim('other', long)).toBeUndefined();
    await store.postpone(held, { failures: 0, until: { dueMs: 0 } });
    await store.holdBack(operation.id, long);
    expect((await claim(store)).operation.attempt).toBe(2);
  });

  test('A follower that is held from birth is left to its holder.', async () => {
    const [instance, operation] = await provisionHeld();
    await open(store, cancelling(instance, operation, { holder: 'request', attempt: 0 }));
    await store.release(operation.id);
    expect(await store.claim('worker', long)).toBeUndefined();
  });

  test('An unbind cancels the open bind of the same binding, and no other.', async () => {
    const instance = await anInstanceIn(store);
    const bind = binding(instance, {}, heldFromBirth('bind'));
    const other = binding(instance, { id: 'b2' }, heldFromBirth('bind'));
    await open(store, bind);
    await open(store, other);
    const [bound, otherBound] = [await readBinding(store), await readBinding(store, 'i1', 'b2')];
    const follows = { follows: bind.operation.id };
    expect(
      await store.open({
        ...unbinding(instance, otherBound, begun('unbind', follows)),
        cancels: bind.operation.id,
      }),
    ).toBe(false);
    const version = (await readInstance(store)).version;
    await open(store, {
      ...unbinding(instance, bound, begun('unbind', follows)),
      cancels: bind.operation.id,
    });
    expect(await store.findBinding('i1', 'b1')).toMatchObject({ operation: { kind: 'unbind' } });
    expect(await store.findBinding('i1', 'b2')).toMatchObject({ operation: { id: other.operation.id } });
    expect((await readInstance(store)).version).toBe(version + 1);
    const { operation } = await store.lastOperation({
      instanceId: 'i1',
      bindingId: 'b1',
      operationId: bind.operation.id,
    });
    expect(operation).toMatchObject({
      state: 'failed',
      failure: { word: 'cancelled', sentence: 'The operation was cancelled by an unbind request.' },
    });
  });

  test('An unbind that is over at once cancels too, and takes the binding away.', async () => {
    const instance = await anInstanceIn(store);
    const bind = binding(instance);
    await open(store, bind);
    const bound = await readBinding(store);
    await open(store, { ...unbinding(instance, bound, ended('unbind')), cancels: bind.operation.id });
    expect((await store.findBinding('i1', 'b1')).binding).toBeUndefined();
    expect(await store.claim('worker', long)).toBeUndefined();
  });

  test('A deprovision that is over at once cancels too, and takes the instance away.', async () => {
    const [instance, operation] = await provisionHeld();
    const opening = cancelling(instance, operation, { state: 'succeeded' });
    await open(store, { ...opening, instance: { remove: instance } });
    expect(await store.findInstance('i1')).toBeUndefined();
    expect(await store.claim('worker', long)).toBeUndefined();
  });

  test('A binding that is ready is not taken by an unbind that means to cancel its bind.', async () => {
    const instance = await anInstanceIn(store);
    const bound = await aBindingIn(store, instance);
    const { operation } = await store.lastOperation({ instanceId: 'i1', bindingId: 'b1' });
    expect(await store.open({ ...unbinding(instance, bound), cancels: operation?.id ?? '' })).toBe(false);
  });
}
