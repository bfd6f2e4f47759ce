import type { Hint, Store } from '../../../src/broker/store.ts';
import { longestSleep } from '../../../src/broker/timing.ts';
import { newId } from '../../broker/fixtures.ts';
import type { MakeStore } from './remembered.ts';
import {
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
} from './steps.ts';
import { until } from '../../support/until.ts';

export function describeHints(makeStore: MakeStore): void {
  let store: Store;
  let hints: Hint[];
  let stop: () => Promise<void>;

  beforeEach(async () => {
    store = await makeStore();
    hints = [];
    stop = store.listen((hint) => hints.push(hint));
    await until('a hint is heard', async () => {
      await sendMark();
      return hints.length > 0 || undefined;
    });
    await soFar();
  });
  afterEach(() => stop());

  /** Cancels something: a hint that can be told from all others. */
  async function sendMark(): Promise<string> {
    const id = newId();
    const opening = provisioning({ id }, heldFromBirth('provision'));
    await open(store, opening);
    await open(store, {
      operation: begun('deprovision', { instanceId: id, state: 'succeeded' }),
      leaseMs: 0,
      instance: { remove: await readInstance(store, id) },
      cancels: opening.operation.id,
    });
    return opening.operation.id;
  }

  /** All hints that were sent since the last time: they come in the order in which they were sent. */
  async function soFar(): Promise<Hint[]> {
    const mark = await sendMark();
    const isMark = (hint: Hint) => 'cancelled' in hint && hint.cancelled === mark;
    await until('the mark is heard', () => hints.find(isMark));
    return hints.splice(0).filter((hint) => !isMark(hint));
  }

  test('An operation that nobody holds is told to those who might.', async () => {
    await open(store, provisioning());
    expect(await soFar()).toEqual([{ due: true }]);
  });

  test('What nobody else must hear is not told: what is held from birth, and what is over at once.', async () => {
    const instance = await anInstanceIn(store);
    await open(store, binding(instance, {}, ended('bind')));
    await open(store, binding(instance, { id: 'b2' }, heldFromBirth('bind')));
    await open(store, provisioning({ id: 'i2' }, heldFromBirth('provision')));
    expect(await soFar()).toEqual([]);
  });

  test('The holder of a cancelled operation is told; the follower that must wait for it is no news.', async () => {
    const opening = provisioning({}, heldFromBirth('provision'));
    await open(store, opening);
    const cancels = opening.operation.id;
    const operation = begun('deprovision', { follows: cancels });
    await open(store, { operation, leaseMs: 0, instance: { put: await readInstance(store) }, cancels });
    expect(await soFar()).toEqual([{ cancelled: cancels }]);
    await store.holdBack(cancels, long);
    expect(await soFar()).toEqual([]);
    await store.release(cancels);
    expect(await soFar()).toEqual([{ due: true }]);
    await store.release('of which nothing follows');
    expect(await soFar()).toEqual([]);
  });

  test('An opening that fails tells nothing.', async () => {
    const instance = await anInstanceIn(store);
    const stale = { ...instance, version: 5 };
    await store.open({ operation: begun('update'), leaseMs: 0, instance: { put: stale } });
    expect(await soFar()).toEqual([]);
  });

  test('What is let go is told, what is held on to is not.', async () => {
    await open(store, provisioning());
    const held = await claim(store);
    await soFar();
    await store.renew(held, long);
    await store.postpone(held, { failures: 0, until: { holdMs: long } });
    expect(await soFar()).toEqual([]);
    await store.postpone(held, { failures: 0, until: { dueMs: 0 } });
    expect(await soFar()).toEqual([{ due: true }]);
  });

  test('What is let go until later is no news: by then everybody has looked by himself.', async () => {
    await open(store, provisioning());
    await open(store, provisioning({ id: 'i2' }));
    const [first, second] = [await claim(store), await claim(store)];
    await soFar();
    await store.postpone(first, { failures: 0, until: { dueMs: longestSleep } });
    expect(await soFar()).toEqual([]);
    await store.postpone(second, { failures: 0, until: { dueMs: longestSleep - 1 } });
    expect(await soFar()).toEqual([{ due: true }]);
  });

  test('No hint is heard any more after the listening was ended.', async () => {
    await stop();
    await open(store, provisioning());
    await sendMark();
    expect(hints).toEqual([]);
  });
}
