import type { UnitCheck, Store } from '../../../src/broker/store.ts';
import type { Seen } from '../../../src/broker/units.ts';
import type { MakeStore } from './remembered.ts';
import {
  anInstanceIn,
  begun,
  binding,
  claim,
  ended,
  long,
  numbered,
  open,
  provisioning,
  readInstance,
} from './steps.ts';
import { until } from '../../support/until.ts';

export function describeChecks(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  const seen: Seen = {
    units: [
      {
        unit: 'main',
        status: 'started',
        reason: 'It answers \u0000.',
        since: '2026-01-01T00:00:00.000Z',
        healing: { restarts: ['2026-01-01T00:00:00.000Z'], leftAlone: false },
      },
    ],
    checkedAt: '2026-01-01T00:00:00.000Z',
  };

  async function idsOf(checks: readonly Promise<UnitCheck | undefined>[]): Promise<(string | undefined)[]> {
    return (await Promise.all(checks)).map((check) => check?.instance.id);
  }

  test('No instance is to be looked at where nobody wants it.', async () => {
    await anInstanceIn(store);
    expect(await store.claimUnitCheck()).toBeUndefined();
    expect(await store.nextUnitCheck()).toBeUndefined();
  });

  test('An instance is looked at at once, and again when its time has come.', async () => {
    const confidential = { parameters: {}, secrets: { s: 'x' }, facts: {} };
    const instance = await anInstanceIn(store, { checkEvery: 150, confidential });
    expect(await store.nextUnitCheck()).toBe(0);
    const begin = performance.now();
    expect(await store.claimUnitCheck()).toEqual({ instance });
    expect(await store.nextUnitCheck()).toBeLessThanOrEqual(150);
    await store.saveSeen('i1', seen);
    expect(await until('a look is due', () => store.claimUnitCheck())).toEqual({ instance, seen });
    expect(performance.now() - begin).toBeGreaterThan(100);
  });

  test('Whoever has looked may say when the next look is due.', async () => {
    const instance = await anInstanceIn(store, { checkEvery: long });
    await store.claimUnitCheck();
    expect(await store.claimUnitCheck()).toBeUndefined();
    expect(await store.nextUnitCheck()).toBeGreaterThan(100);
    await store.saveSeen('i1', seen, 100);
    expect(await store.nextUnitCheck()).toBeLessThanOrEqual(100);
    expect(await until('a look is due', () => store.claimUnitCheck())).toEqual({ instance, seen });
    await store.saveSeen('i1', seen);
    expect(await store.nextUnitCheck()).toBeGreaterThan(100);
  });

  test('Of several who look at once, each gets another one, and none gets one twice.', async () => {
    for (const n of numbered(5)) await anInstanceIn(store, { id: `i${n}`, checkEvery: long });
    const got: string[] = [];
    while ((await store.nextUnitCheck()) === 0) {
      const ids = await idsOf(numbered(8).map(() => store.claimUnitCheck()));
      got.push(...ids.filter((id) => id !== undefined));
    }
    expect(got.toSorted()).toEqual(['i0', 'i1', 'i2', 'i3', 'i4']);
  });

  test('An instance of a node is looked at by that node, and one of none by anybody.', async () => {
    await anInstanceIn(store, { id: 'i1', checkEvery: long, place: { node: 'n1', cost: 1 } });
    expect(await idsOf([store.claimUnitCheck(), store.claimUnitCheck('n2')])).toEqual([undefined, undefined]);
    expect([await store.nextUnitCheck(), await store.nextUnitCheck('n2')]).toEqual([undefined, undefined]);
    expect(await store.nextUnitCheck('n1')).toBe(0);
    expect(await idsOf([store.claimUnitCheck('n1')])).toEqual(['i1']);
    await anInstanceIn(store, { id: 'i2', checkEvery: long });
    expect(await idsOf([store.claimUnitCheck('n1')])).toEqual(['i2']);
    await anInstanceIn(store, { id: 'i3', checkEvery: long });
    expect(await idsOf([store.claimUnitCheck()])).toEqual(['i3']);
  });

  test('What is not ready, or in the hands of an operation, is left alone; afterwards it is looked at at once.', async () => {
    await open(store, provisioning({ checkEvery: long }));
    expect(await store.claimUnitCheck()).toBeUndefined();
    expect(await store.nextUnitCheck()).toBeUndefined();
    const held = await claim(store);
    await store.settle(held, { instance: { put: { ...held.instance, ready: true } } });
    expect(await idsOf([store.claimUnitCheck()])).toEqual(['i1']);
    await open(store, binding(await readInstance(store)));
    await store.settle(await claim(store), {});
    expect(await store.nextUnitCheck()).toBeGreaterThan(0);
    const put = await readInstance(store);
    await open(store, { operation: begun('restart'), leaseMs: 0, instance: { put } });
    expect(await store.nextUnitCheck()).toBeUndefined();
    await store.settle(await claim(store), { failure: { word: 'broken', sentence: 'It broke.' } });
    expect(await idsOf([store.claimUnitCheck()])).toEqual(['i1']);
  });

  test('A create that failed is not looked at.', async () => {
    await open(store, provisioning({ checkEvery: long }));
    await store.settle(await claim(store), { failure: { word: 'broken', sentence: 'It broke.' } });
    expect(await store.claimUnitCheck()).toBeUndefined();
  });

  test('An instance that shall not be looked at any more is not.', async () => {
    const { checkEvery: _every, ...put } = await anInstanceIn(store, { checkEvery: 1 });
    await store.claimUnitCheck();
    await open(store, { operation: ended('update'), leaseMs: 0, instance: { put } });
    expect(await store.nextUnitCheck()).toBeUndefined();
    expect(await store.claimUnitCheck()).toBeUndefined();
  });

  test('What was seen is remembered, the last of it, and goes with the instance.', async () => {
    await store.saveSeen('i1', seen);
    expect(await store.findSeen('i1')).toBeUndefined();
    const instance = await anInstanceIn(store);
    expect(await store.findSeen('i1')).toBeUndefined();
    await store.saveSeen('i1', seen);
    const later = { units: [], checkedAt: '2026-01-01T00:00:01.000Z' };
    await store.saveSeen('i1', later);
    expect(await store.findSeen('i1')).toEqual(later);
    expect(await store.nextUnitCheck()).toBeUndefined();
    await open(store, { operation: ended('deprovision'), leaseMs: 0, instance: { remove: instance } });
    expect(await store.findSeen('i1')).toBeUndefined();
    await store.saveSeen('i1', seen);
    await anInstanceIn(store, { checkEvery: long });
    expect(await store.claimUnitCheck()).not.toHaveProperty('seen');
  });
}
