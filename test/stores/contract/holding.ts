import { setTimeout as sleep } from 'node:timers/promises';
import type { LeasedOperation, Store } from '../../../src/broker/store.ts';
import { anInstance } from '../../broker/fixtures.ts';
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

export function describeHolding(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  /** An update of a ready instance, in somebody's hands. */
  async function heldUpdate(leaseMs = long): Promise<LeasedOperation> {
    const instance = await anInstanceIn(store);
    const target = { ...instance, planId: 'large' };
    const confidential = { request: { planId: 'large', parameters: { a: 1 } }, target, trace: 'old' };
    await open(store, {
      operation: begun('update', { confidential }),
      leaseMs: 0,
      instance: { put: instance },
    });
    return claim(store, 'worker', leaseMs);
  }

  test('No operation can be claimed where none is due.', async () => {
    await anInstanceIn(store);
    expect(await store.claim('worker', long)).toBeUndefined();
  });

  test('Who claims an operation gets it with all that a step needs, for one attempt and one lease.', async () => {
    const instance = await anInstanceIn(store);
    const opening = binding(instance);
    await open(store, opening);
    const held = await store.claim('worker-1', long);
    expect(held).toEqual({
      operation: {
        ...opening.operation,
        attempt: 1,
        holder: 'worker-1',
        createdAt: expect.any(Date),
        deadline: expect.any(Date),
      },
      instance: await readInstance(store),
      binding: await readBinding(store),
      remainingMs: expect.any(Number),
    });
    expect(held?.remainingMs).toBeLessThanOrEqual(3_600_000);
    expect(held?.remainingMs).toBeGreaterThan(3_600_000 - long);
    expect(await store.claim('worker-2', long)).toBeUndefined();
    expect((await store.findBinding('i1', 'b1')).operation).toMatchObject({ holder: 'worker-1', attempt: 1 });
  });

  test('The instance of an update is given as it is, and as it shall be with all its dates.', async () => {
    const held = await heldUpdate();
    const instance = await readInstance(store);
    expect(held.instance).toEqual(instance);
    expect(held.operation.confidential).toEqual({
      request: { planId: 'large', parameters: { a: 1 } },
      target: { ...instance, planId: 'large', version: 1, updatedAt: expect.any(Date) },
      trace: 'old',
    });
    expect(held).not.toHaveProperty('binding');
  });

  test('A deprovision is claimed without a binding; those that are left are asked for.', async () => {
    const instance = await anInstanceIn(store);
    const first = await aBindingIn(store, instance, { id: 'b2' });
    await aBindingIn(store, instance, { id: 'b1' });
    await open(store, { operation: begun('deprovision'), leaseMs: 0, instance: { put: instance } });
    const held = await claim(store);
    expect(held).not.toHaveProperty('binding');
    expect(await store.leftBinding('i1')).toMatchObject({ instanceId: 'i1' });
    await store.postpone(held, { failures: 0, unbound: first, until: { holdMs: long } });
    expect(await store.leftBinding('i1')).toMatchObject({ id: 'b1' });
    expect((await store.findBinding('i1', 'b2')).binding).toBeUndefined();
  });

  test('What is held from birth is left to its holder until the lease is over.', async () => {
    await open(store, { ...provisioning({}, heldFromBirth('provision')), leaseMs: long });
    await open(store, { ...provisioning({ id: 'i2' }, heldFromBirth('provision')), leaseMs: 1 });
    const held = await claim(store);
    expect(held.operation).toMatchObject({ instanceId: 'i2', attempt: 2, holder: 'worker' });
    expect(await store.claim('worker', long)).toBeUndefined();
  });

  test('What has been due for longest is taken first.', async () => {
    for (const id of ['i1', 'i2', 'i3']) await open(store, provisioning({ id }));
    const first = await claim(store);
    await store.postpone(first, { failures: 0, until: { dueMs: 20 } });
    const order = [await claim(store), await claim(store), await claim(store)];
    expect(order.map(({ operation }) => operation.instanceId)).toEqual(['i2', 'i3', 'i1']);
  });

  test('Many who claim at once never get the same operation, and together they get all.', async () => {
    await Promise.all(numbered(40).map((n) => open(store, provisioning({ id: `i${n}` }))));
    const claimed: string[] = [];
    await Promise.all(
      numbered(10).map(async (n) => {
        for (let held = await store.claim(`w${n}`, long); held; held = await store.claim(`w${n}`, long)) {
          claimed.push(held.instance.id);
        }
      }),
    );
    expect(claimed.toSorted()).toEqual(
      numbered(40)
        .map((n) => `i${n}`)
        .toSorted(),
    );
  });

  test('A holder that renews keeps its hold.', async () => {
    const held = await heldUpdate(1000);
    expect(await store.renew(held, 2 * long)).toBe(true);
    expect(await store.nextDue()).toBeGreaterThan(long);
  });

  test('A holder whose lease has ended, and whose work somebody else took, cannot write any more.', async () => {
    const late = await heldUpdate(1);
    const taken = await claim(store, 'other');
    expect(taken.operation.attempt).toBe(late.operation.attempt + 1);
    expect(await store.renew(late, long)).toBe(false);
    expect(await store.postpone(late, { memo: 'late', failures: 0, until: { dueMs: 0 } })).toBe(false);
    expect(await store.settle(late, { instance: { remove: late.instance } })).toBe(false);
    expect(await readInstance(store)).toEqual(taken.instance);
    expect(await store.renew(taken, long)).toBe(true);
    expect(await store.settle(taken, {})).toBe(true);
  });

  test('A holder whose lease has ended may go on as long as nobody has taken its work.', async () => {
    const held = await heldUpdate(0);
    expect(await store.renew(held, long)).toBe(true);
    expect(await store.claim('other', long)).toBeUndefined();
  });

  test('Who has let go has no hold any more, even if nobody has taken it yet.', async () => {
    const held = await heldUpdate();
    expect(await store.postpone(held, { failures: 0, until: { dueMs: long } })).toBe(true);
    expect(await store.renew(held, 1)).toBe(false);
    expect(await store.settle(held, {})).toBe(false);
    expect((await store.findInstance('i1'))?.operation?.holder).toBeUndefined();
    expect(await store.nextDue()).toBeGreaterThan(long / 2);
  });

  test('Progress is remembered by who goes on with it, and the rest of what the operation knew stays.', async () => {
    const held = await heldUpdate();
    const before = held.operation.confidential;
    await store.postpone(held, { memo: { at: 'step 2' }, note: 'half', failures: 3, until: { dueMs: 0 } });
    const next = await claim(store);
    expect(next.operation).toMatchObject({ note: 'half', failures: 3, attempt: 2 });
    expect(next.operation.confidential).toEqual({ ...before, memo: { at: 'step 2' } });
    await store.postpone(next, { failures: 0, trace: 'new', until: { dueMs: 0 } });
    const last = await claim(store);
    expect(last.operation).toMatchObject({ note: 'half', failures: 0 });
    expect(last.operation.confidential).toEqual({ ...before, trace: 'new' });
  });

  test('Why a step failed is remembered until one does not, and forgotten at the end.', async () => {
    const held = await heldUpdate();
    await store.postpone(held, { failures: 1, trouble: 'Error: \u0000no', until: { dueMs: 0 } });
    const next = await claim(store);
    expect(next.operation).toMatchObject({ failures: 1, trouble: expect.stringMatching(/^Error: .?no$/s) });
    const [listed] = await store.list({ limit: 1 });
    expect(listed?.operation?.trouble).toBe(next.operation.trouble);
    await store.postpone(next, { failures: 0, until: { dueMs: 0 } });
    const again = await claim(store);
    expect(again.operation).not.toHaveProperty('trouble');
    await store.postpone(again, { failures: 1, trouble: 'Error: no', until: { dueMs: 0 } });
    await store.settle(await claim(store), {});
    expect((await store.history('i1', 1))[0]).not.toHaveProperty('trouble');
  });

  test('A holder that postpones may keep its hold.', async () => {
    const held = await heldUpdate(1);
    expect(await store.postpone(held, { memo: 1, failures: 0, until: { holdMs: long } })).toBe(true);
    expect(await store.claim('other', long)).toBeUndefined();
    expect(await store.renew(held, long)).toBe(true);
    expect((await store.findInstance('i1'))?.operation).toMatchObject({
      holder: 'worker',
      confidential: { memo: 1 },
    });
  });

  test('An operation that is being undone has failed, with a new deadline, and remembers it.', async () => {
    const held = await heldUpdate();
    const failure = { word: 'timeout', sentence: 'It took too long.', detail: 'd', updateRepeatable: true };
    await store.postpone(held, { failures: 0, failure, deadlineMs: 5000, until: { dueMs: 0 } });
    const next = await claim(store);
    expect(next.operation).toMatchObject({ state: 'in progress', failure });
    expect(next.remainingMs).toBeLessThanOrEqual(5000);
    await store.postpone(next, { failures: 1, until: { dueMs: 0 } });
    expect((await claim(store)).operation).toMatchObject({ failures: 1, failure });
  });

  test('The time that remains is negative when the deadline has passed.', async () => {
    const now = new Date();
    const operation = begun('provision', { createdAt: now, deadline: new Date(now.getTime() - 5000) });
    await open(store, provisioning({}, operation));
    expect((await claim(store)).remainingMs).toBeLessThanOrEqual(-5000);
  });

  test('The time of what nobody held at first begins when it is taken up.', async () => {
    const instance = await anInstanceIn(store);
    const [createdAt, deadline] = [new Date(0), new Date(1000)];
    await open(store, {
      operation: begun('update', { createdAt, deadline }),
      leaseMs: 0,
      instance: { put: instance },
    });
    await sleep(20);
    const first = await claim(store);
    expect(first.remainingMs).toBeGreaterThan(990);
    const { operation } = await store.lastOperation({ instanceId: 'i1' });
    expect(operation?.deadline).toEqual(first.operation.deadline);
    await store.postpone(first, { failures: 0, until: { dueMs: 20 } });
    expect((await claim(store)).remainingMs).toBeLessThan(990);
  });

  test('The next look is when the first of the open operations is due.', async () => {
    expect(await store.nextDue()).toBeUndefined();
    await anInstanceIn(store);
    expect(await store.nextDue()).toBeUndefined();
    await open(store, { ...provisioning({ id: 'i2' }, heldFromBirth('provision')), leaseMs: 2 * long });
    expect(await store.nextDue()).toBeGreaterThan(long);
    expect(await store.nextDue()).toBeLessThanOrEqual(2 * long);
    await open(store, provisioning({ id: 'i3' }));
    expect(await store.nextDue()).toBe(0);
  });

  test('Bindings past their expiry are named, the oldest first, unless something is open on them.', async () => {
    const past = (ms: number) => new Date(Date.now() - ms);
    const [one, two, three] = [
      await anInstanceIn(store),
      await anInstanceIn(store, { id: 'i2' }),
      await anInstanceIn(store, { id: 'i3' }),
    ];
    await aBindingIn(store, one, { id: 'young', expiresAt: past(1000) });
    await aBindingIn(store, one, { id: 'old', expiresAt: past(5000), renewBefore: past(6000) });
    await aBindingIn(store, one, { id: 'future', expiresAt: new Date(Date.now() + long) });
    await aBindingIn(store, one, { id: 'eternal' });
    await open(store, binding(one, { id: 'unfinished', expiresAt: past(1000), ready: false }));
    const leaving = await aBindingIn(store, one, { id: 'leaving', expiresAt: past(1000) });
    await open(store, unbinding(one, leaving, heldFromBirth('unbind')));
    await aBindingIn(store, two, { id: 'of-busy', expiresAt: past(9000) });
    await open(store, {
      operation: heldFromBirth('update', { instanceId: 'i2' }),
      leaseMs: long,
      instance: { put: two },
    });
    expect((await store.expired(10)).map(({ id }) => id)).toEqual(['old', 'young']);
    const { expiresAt } = await readBinding(store, 'i1', 'old');
    expect(await store.expired(1)).toMatchObject([{ instanceId: 'i1', id: 'old', expiresAt }]);
    await aBindingIn(store, three, { id: 'first', expiresAt: past(20_000) });
    expect((await store.expired(1)).map(({ instanceId }) => instanceId)).toEqual(['i3']);
  });

  test('A binding of an instance that is not ready does not expire: it could not be unbound.', async () => {
    const instance = await anInstanceIn(store);
    await aBindingIn(store, instance, { expiresAt: new Date(0) });
    const put = anInstance({ ...instance, ready: false });
    await open(store, { operation: begun('update', { state: 'failed' }), leaseMs: 0, instance: { put } });
    expect(await store.expired(10)).toEqual([]);
  });
}
