import type { StepRecord, Store } from '../../../src/broker/store.ts';
import type { ListQuery } from '../../../src/broker/listing.ts';
import type { MakeStore } from './remembered.ts';
import {
  aBindingIn,
  aFailedBindingIn,
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
import { until } from '../../support/until.ts';

export function describeHistory(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  const did = (step: string, rest: Partial<StepRecord> = {}): StepRecord => ({
    step,
    tries: 1,
    undo: false,
    ms: 12,
    ...rest,
  });

  test('What an operation did is remembered in order.', async () => {
    await open(store, provisioning());
    const held = await claim(store);
    const until = { holdMs: long };
    await store.postpone(held, { failures: 0, until, did: did('prepare', { ms: 3.6 }) });
    await store.postpone(held, { failures: 0, until });
    await store.postpone(held, { failures: 1, until, did: did('start', { tries: 3 }) });
    await store.postpone(held, { failures: 0, until, did: did('start', { undo: true }) });
    const { id } = held.operation;
    expect((await store.timeline(id)).map(({ step }) => step)).toEqual(['prepare', 'start', 'start']);
    await store.settle(held, { did: did('check_up', { ms: 0 }), instance: { put: held.instance } });
    const timeline = await store.timeline(id);
    expect(timeline).toEqual(
      [
        did('prepare', { ms: 4 }),
        did('start', { tries: 3 }),
        did('start', { undo: true }),
        did('check_up', { ms: 0 }),
      ].map((entry) => ({ ...entry, endedAt: expect.any(Date) })),
    );
    const times = timeline.map(({ endedAt }) => endedAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(await store.timeline('unknown')).toEqual([]);
  });

  test('Steps that were not written when they were taken are written before the next one, however it comes.', async () => {
    await open(store, provisioning());
    const held = await claim(store);
    const carrying = (...steps: readonly string[]) => ({
      ...held,
      unwritten: steps.map((step) => did(step)),
    });
    const on = { failures: 0, until: { holdMs: long } };
    await store.postpone(carrying('init', 'prepare'), { ...on, did: did('configure') });
    await store.postpone(carrying('check_up'), on);
    const { id } = held.operation;
    const steps = ['init', 'prepare', 'configure', 'check_up'];
    expect((await store.timeline(id)).map(({ step }) => step)).toEqual(steps);
    await store.settle(carrying('start'), { instance: { put: held.instance } });
    expect((await store.timeline(id)).map(({ step }) => step)).toEqual([...steps, 'start']);
  });

  test('A failure is untold until it has been told, once for all, and only a failure is.', async () => {
    const opening = provisioning();
    await open(store, { ...opening, operation: { ...opening.operation, untold: true } });
    const { id, instanceId } = opening.operation;
    const untold = async () =>
      (await store.lastOperation({ instanceId, operationId: id })).operation?.untold ?? false;
    const isFound = async () => (await store.findInstance(instanceId))?.hasUntold ?? false;
    await store.tell(id);
    expect(await untold()).toBe(true);
    expect(await isFound()).toBe(false);
    const held = await claim(store);
    expect(held.operation.untold).toBe(true);
    await store.settle(held, { failure: { word: 'x', sentence: 'It failed.' } });
    expect(await untold()).toBe(true);
    expect(await isFound()).toBe(true);
    await Promise.all([store.tell(id), store.tell(id), store.tell('unknown')]);
    expect(await untold()).toBe(false);
    expect(await isFound()).toBe(false);
    expect((await store.history(instanceId, 1))[0]?.untold ?? false).toBe(false);
  });

  test('An instance is found with what its bindings have failed in and nobody was told.', async () => {
    const instance = await anInstanceIn(store);
    const opening = binding(instance, {}, begun('bind', { untold: true }));
    await open(store, opening);
    await store.settle(await claim(store), { failure: { word: 'x', sentence: 'It failed.' } });
    expect((await store.findBinding(instance.id, 'b1')).found?.hasUntold).toBe(true);
    await store.tell(opening.operation.id);
    expect((await store.findBinding(instance.id, 'b1')).found?.hasUntold).toBeUndefined();
  });

  test('What is opened to be told at once is never untold.', async () => {
    const opening = provisioning();
    await open(store, opening);
    await store.settle(await claim(store), { failure: { word: 'x', sentence: 'It failed.' } });
    const { operation } = await store.lastOperation({ instanceId: opening.operation.instanceId });
    expect(operation).toMatchObject({ state: 'failed' });
    expect(operation?.untold ?? false).toBe(false);
  });

  test('Who has lost the operation adds nothing to what it did.', async () => {
    await open(store, provisioning());
    const lost = await claim(store, 'one', 0);
    const held = await claim(store, 'two');
    expect(await store.postpone(lost, { failures: 0, until: { dueMs: 0 }, did: did('late') })).toBe(false);
    expect(await store.settle(lost, { did: did('late') })).toBe(false);
    await store.settle(held, { did: did('last'), instance: { remove: held.instance } });
    expect(await store.settle(held, { did: did('twice') })).toBe(false);
    expect((await store.timeline(held.operation.id)).map(({ step }) => step)).toEqual(['last']);
  });

  test('What an operation did is forgotten with it.', async () => {
    await open(store, provisioning());
    const held = await claim(store);
    await store.settle(held, { did: did('start') });
    await until('an old operation is removed', async () => (await store.prune(0)) || undefined);
    expect(await store.timeline(held.operation.id)).toEqual([]);
  });

  test('The operations of an instance and its bindings are listed, the latest first.', async () => {
    const confidential = { memo: { at: 'start' } };
    const instance = await anInstanceIn(store);
    await anInstanceIn(store, { id: 'i2' });
    await aBindingIn(store, instance);
    const put = await readInstance(store);
    await open(store, {
      operation: heldFromBirth('restart', { confidential }),
      leaseMs: long,
      instance: { put },
    });
    const all = await store.history('i1', 10);
    expect(all.map(({ kind }) => kind)).toEqual(['restart', 'bind', 'provision']);
    expect(all[0]).toMatchObject({ state: 'in progress', confidential });
    expect(all[1]).toMatchObject({ bindingId: 'b1', state: 'succeeded' });
    expect(await store.history('i1', 2)).toEqual(all.slice(0, 2));
    expect(await store.history('i3', 2)).toEqual([]);
  });

  test('The last operation, if none is named, is the latest that a platform can have asked for.', async () => {
    const put = await anInstanceIn(store);
    const restart = ended('restart');
    await open(store, { operation: restart, leaseMs: 0, instance: { put } });
    const { operation } = await store.lastOperation({ instanceId: 'i1' });
    expect(operation?.kind).toBe('provision');
    const named = await store.lastOperation({ instanceId: 'i1', operationId: restart.id });
    expect(named.operation?.kind).toBe('restart');
  });

  test('Instances are listed by id, as they are when they are found, and their operations without what is confidential.', async () => {
    const secret = { parameters: { p: 'canary' }, secrets: { s: 'canary' }, facts: { f: 'canary' } };
    const place = { node: 'n1', cost: 1 };
    for (const n of [3, 1, 2]) await anInstanceIn(store, { id: `i${n}`, confidential: secret });
    const i4 = provisioning({ id: 'i4', place, offeringId: 'queue', confidential: secret });
    await open(store, i4);
    for (const id of ['b1', 'b2']) await aBindingIn(store, await readInstance(store, 'i2'), { id });
    await open(store, binding(await readInstance(store, 'i2'), { id: 'b3' }));
    // What failed and was undone gave nothing to anybody.
    await aFailedBindingIn(store, await readInstance(store, 'i2'), { id: 'b4' });
    const seen = { units: [], checkedAt: '2026-01-01T00:00:00.000Z' };
    await store.saveSeen('i3', seen);
    const all = await store.list({ limit: 10 });
    expect(all.map(({ instance }) => instance.id)).toEqual(['i1', 'i2', 'i3', 'i4']);
    expect(all.map(({ bindings }) => bindings)).toEqual([0, 3, 0, 0]);
    expect(all.map((one) => one.seen)).toEqual([undefined, undefined, seen, undefined]);
    expect(all.map(({ operation }) => operation?.id)).toEqual([
      undefined,
      undefined,
      undefined,
      i4.operation.id,
    ]);
    expect(all[0]).toEqual({ instance: await readInstance(store, 'i1'), bindings: 0 });
    expect(JSON.stringify(all.map(({ operation }) => operation))).not.toMatch(/canary|confidential|sealed/);
    const ids = async (rest: object) =>
      (await store.list({ limit: 10, ...rest })).map(({ instance }) => instance.id);
    expect(await ids({ after: 'i1', limit: 2 })).toEqual(['i2', 'i3']);
    expect(await ids({ after: 'i4' })).toEqual([]);
    expect(await ids({ node: 'n1' })).toEqual(['i4']);
    expect(await ids({ instanceId: 'i2' })).toEqual(['i2']);
    expect(await ids({ instanceId: 'i5' })).toEqual([]);
    expect(await ids({ offeringId: 'cache', after: 'i2' })).toEqual(['i3']);
    expect(await ids({ offeringId: 'cache', node: 'n1' })).toEqual([]);
  });

  test('The bindings of an instance are listed as they were made, those that failed too, without what is confidential.', async () => {
    const instance = await anInstanceIn(store);
    await aBindingIn(store, await anInstanceIn(store, { id: 'i2' }), { id: 'b9' });
    const canary = {
      parameters: { p: 'canary' },
      secrets: { s: 'canary' },
      facts: {},
      answer: { credentials: {} },
    };
    const made = { appGuid: 'app', dependent: 'i2', context: { app_name: 'shop' }, confidential: canary };
    await aBindingIn(store, instance, { id: 'b2', ...made });
    await aFailedBindingIn(store, instance, { id: 'b3' });
    const opening = unbinding(instance, await readBinding(store, 'i1', 'b2'), heldFromBirth('unbind'));
    await open(store, opening);
    await open(store, binding(await readInstance(store), { id: 'b1', confidential: canary }));
    const all = await store.bindings('i1');
    expect(all.map(({ binding: { id, ready }, operation }) => [id, ready, operation?.kind])).toEqual([
      ['b2', true, 'unbind'],
      ['b3', false, undefined],
      ['b1', false, 'bind'],
    ]);
    const { confidential: _secret, ...visible } = await readBinding(store, 'i1', 'b2');
    expect(all[0]?.binding).toEqual(visible);
    expect(all[0]?.operation).toMatchObject({
      id: opening.operation.id,
      bindingId: 'b2',
      origin: { protocol: 'test' },
    });
    expect(JSON.stringify(all)).not.toMatch(/canary|confidential|sealed/);
    expect(await store.bindings('i3')).toEqual([]);
  });

  test('What has drifted from the plans of today is listed and counted; of other plans nobody knows.', async () => {
    for (const id of ['i1', 'i2']) await anInstanceIn(store, { id, revision: id });
    const { offeringId, planId: id } = await readInstance(store, 'i1');
    const now = { offeringId, id, revision: 'i2' };
    const others = [
      { ...now, id: 'another' },
      { ...now, offeringId: 'another' },
    ];
    const drifted = async (driftedFrom: ListQuery['driftedFrom'] = []) =>
      (await store.list({ limit: 10, driftedFrom })).map(({ instance }) => instance.id);
    expect(await drifted([now, ...others])).toEqual(['i1']);
    expect(await store.countDrifted([now, ...others])).toBe(1);
    expect(await drifted([{ ...now, revision: 'newer' }])).toEqual(['i1', 'i2']);
    expect(await drifted(others)).toEqual([]);
    expect([await drifted([]), await store.countDrifted([])]).toEqual([[], 0]);
  });

  test('Pages of the list leave nothing out.', async () => {
    const ids = numbered(7).map((n) => `${n % 2 ? 'B' : 'a'}-${n}`);
    for (const id of ids) await anInstanceIn(store, { id });
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = await store.list({ limit: 2, ...(after !== undefined && { after }) });
      if (page.length === 0) break;
      seen.push(...page.map(({ instance }) => instance.id));
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });
}
