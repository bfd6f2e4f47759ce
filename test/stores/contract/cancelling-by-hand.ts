import { auditEntry } from '../../../src/broker/audit.ts';
import type { Store } from '../../../src/broker/store.ts';
import { newId } from '../../broker/fixtures.ts';
import type { MakeStore } from './remembered.ts';
import { begun, claim, long, open, provisioning } from './steps.ts';

const failure = { word: 'cancelled-by-operator', sentence: 'It is cancelled.' };

export function describeCancellingByHand(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
    principal = newId();
  });

  let principal: string;

  /** The trail is never emptied: those of one test are found by who asked. */
  function entry() {
    const auditor = { newId, settings: { holder: 'broker' } };
    const object = { kind: 'instance', instanceId: 'i1' } as const;
    const origin = { protocol: 'operator', principal };
    return auditEntry(auditor, origin, { verb: 'cancel', object, outcome: 'succeeded' });
  }

  async function trail(): Promise<number> {
    return (await store.audit.list({ limit: 9, principal })).entries.length;
  }

  test('An operation is asked to end once: its holder hears of it with its lease, until it has failed.', async () => {
    const { operation } = provisioning({}, begun('provision'));
    await open(store, provisioning({}, operation));
    const held = await claim(store);
    expect(await store.renew(held, long)).toBe(true);
    expect(await store.cancel(operation.id, failure, entry())).toMatchObject({
      id: operation.id,
      state: 'in progress',
      cancelled: failure,
    });
    expect(await store.cancel(operation.id, failure, entry())).toBeUndefined();
    expect(await trail()).toBe(1);
    expect(await store.renew(held, long)).toBe('cancelled');
    expect(await store.postpone(held, { failures: 0, failure, until: { holdMs: long } })).toBe(true);
    expect(await store.renew(held, long)).toBe(true);
    expect(await store.settle(held, { failure })).toBe(true);
    expect(await store.cancel(operation.id, failure, entry())).toBeUndefined();
    expect(await trail()).toBe(1);
  });

  test('An operation that nobody has is due at once when it is asked to end, and tells who takes it up.', async () => {
    const { operation } = provisioning({}, begun('provision'));
    await open(store, provisioning({}, operation));
    await store.postpone(await claim(store), { failures: 0, until: { dueMs: long } });
    expect(await store.claim('worker', long)).toBeUndefined();
    await store.cancel(operation.id, failure, entry());
    expect((await claim(store)).operation).toMatchObject({ id: operation.id, cancelled: failure });
    expect(await store.cancel('none', failure, entry())).toBeUndefined();
  });
}
