import type { Store } from '../../../src/broker/store.ts';
import { auditEntry } from '../../../src/broker/audit.ts';
import { newId } from '../../broker/fixtures.ts';
import type { MakeStore } from './remembered.ts';
import {
  aBindingIn,
  anInstanceIn,
  begun,
  binding,
  claim,
  long,
  open,
  provisioning,
  readInstance,
} from './steps.ts';

const failure = { word: 'purged', sentence: 'It is forgotten.' };

export function describePurging(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  const requestId = newId();

  /** The trail is never emptied: these are found by their request. */
  function entry() {
    const auditor = { newId, settings: { holder: 'broker' } };
    const object = { kind: 'instance', instanceId: 'i1' } as const;
    const origin = { protocol: 'operator', principal: requestId };
    return auditEntry(auditor, origin, { verb: 'purge', object, outcome: 'succeeded' });
  }

  async function written(): Promise<readonly string[]> {
    const { entries } = await store.audit.list({ limit: 99, principal: requestId });
    return entries.map(({ id }) => id);
  }

  test('A purge forgets an instance, ends what is open on it and its bindings, and leaves others alone.', async () => {
    const other = await anInstanceIn(store, { id: 'other' });
    await aBindingIn(store, other, { id: 'b1' });
    await anInstanceIn(store);
    const bind = binding(await readInstance(store));
    await open(store, bind);
    const held = await claim(store);
    const { version } = await readInstance(store);
    const audit = entry();
    const hints: unknown[] = [];
    const stop = store.listen((hint) => hints.push(hint));
    const ended = await store.purge({ instanceId: 'i1', version }, failure, audit);
    expect(ended).toMatchObject([{ id: bind.operation.id, state: 'failed', failure, confidential: {} }]);
    expect(await store.findInstance('i1')).toBeUndefined();
    expect((await store.findBinding('other', 'b1')).binding).toBeDefined();
    expect(await store.settle(held, {})).toBe(false);
    expect(await written()).toContain(audit.id);
    await stop();
  });

  test('A mark is written with its entry, and outlives what goes on with the instance meanwhile.', async () => {
    const read = await anInstanceIn(store);
    const update = { operation: begun('update'), leaseMs: long, instance: { put: read } };
    expect(await store.open(update)).toBe(true);
    const held = await claim(store);
    const { version } = await readInstance(store);
    const protectedFrom = new Date('2026-01-01T00:00:00Z');
    const [refused, audit] = [entry(), entry()];
    const mark = { instanceId: 'i1', protectedFrom, keptUntil: undefined };
    expect(await store.mark({ ...mark, version: version + 1 }, refused)).toBe(false);
    expect(await store.mark({ ...mark, version }, audit)).toBe(true);
    expect(await store.settle(held, { instance: { put: { ...held.instance, planId: 'large' } } })).toBe(true);
    const after = await readInstance(store);
    expect(after).toMatchObject({ planId: 'large', protectedFrom });
    expect(await written()).toContain(audit.id);
    expect(await written()).not.toContain(refused.id);
    expect(await store.mark({ ...mark, version: after.version, protectedFrom: undefined }, entry())).toBe(
      true,
    );
    expect(await readInstance(store)).not.toHaveProperty('protectedFrom');
  });

  test('What a deletion keeps is gone for platforms, listed as deleted, and told when its time is over.', async () => {
    const read = await anInstanceIn(store);
    const removal = { operation: begun('deprovision'), leaseMs: long, instance: { put: read } };
    expect(await store.open(removal)).toBe(true);
    const held = await claim(store);
    const keptUntil = new Date('2026-01-01T00:00:00Z');
    expect(await store.settle(held, { instance: { put: { ...held.instance, keptUntil } } })).toBe(true);
    expect((await store.lastOperation({ instanceId: 'i1' })).exists).toBe(false);
    const idsIn = async (state: 'deleted' | 'ready') =>
      (await store.list({ state, limit: 9 })).map(({ instance }) => instance.id);
    expect([await idsIn('deleted'), await idsIn('ready')]).toEqual([['i1'], []]);
    expect(await store.keptEnough(9)).toEqual(['i1']);
    const { version } = await readInstance(store);
    const mark = { instanceId: 'i1', keptUntil, protectedFrom: keptUntil };
    expect(await store.mark({ ...mark, version }, entry())).toBe(true);
    expect(await store.keptEnough(9)).toEqual([]);
    const back = { ...mark, version: version + 1, keptUntil: undefined, protectedFrom: undefined };
    expect(await store.mark(back, entry())).toBe(true);
    expect([await idsIn('deleted'), await idsIn('ready')]).toEqual([[], ['i1']]);
  });

  test('A purge that was decided on an older version does nothing, and stands in no trail.', async () => {
    const { version } = await anInstanceIn(store);
    await open(store, binding(await readInstance(store)));
    const before = await written();
    expect(await store.purge({ instanceId: 'i1', version }, failure, entry())).toBeUndefined();
    expect(await store.findInstance('i1')).toMatchObject({ bindingsBusy: true });
    expect(await written()).toEqual(before);
    expect(await store.purge({ instanceId: 'none', version: 1 }, failure, entry())).toBeUndefined();
  });

  test('A purge of a binding ends what is open on it, and nothing else.', async () => {
    const instance = await anInstanceIn(store);
    await aBindingIn(store, instance, { id: 'stays' });
    const bind = binding(await readInstance(store), { id: 'goes' });
    await open(store, bind);
    const { version } = await readInstance(store);
    const what = { instanceId: 'i1', version, bindingId: 'goes' };
    expect(await store.purge({ ...what, bindingId: 'none' }, failure, entry())).toBeUndefined();
    expect(await store.purge(what, failure, entry())).toMatchObject([{ id: bind.operation.id }]);
    expect(await store.purge(what, failure, entry())).toBeUndefined();
    expect((await store.bindings('i1')).map((one) => one.binding.id)).toEqual(['stays']);
  });

  test('An instance that is purged may be made again at once.', async () => {
    await open(store, { ...provisioning({}, begun('provision')), leaseMs: long });
    const { version } = await readInstance(store);
    expect(await store.purge({ instanceId: 'i1', version }, failure, entry())).toHaveLength(1);
    await anInstanceIn(store);
  });
}
