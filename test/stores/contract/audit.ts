import type { AuditEntry } from '../../../src/broker/audit.ts';
import type { Opening, Store } from '../../../src/broker/store.ts';
import { writePageMark } from '../../../src/stores/page-mark.ts';
import { newId } from '../../broker/fixtures.ts';
import { aNodeIn, type MakeRemembered, type MakeStore } from './remembered.ts';
import {
  anInstanceIn,
  begun,
  ended,
  heldFromBirth,
  long,
  numbered,
  open,
  provisioning,
  readInstance,
} from './steps.ts';

/** An entry of its own, on an instance of its own. */
export function anEntry(rest: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id: newId(),
    broker: 'broker-1',
    protocol: 'operator',
    principal: 'ann',
    requestId: 'r1',
    verb: 'exec',
    object: { kind: 'instance', instanceId: newId() },
    confidential: {},
    ...rest,
  };
}

function audited(opening: Opening): Opening {
  const { operation } = opening;
  const { id, kind: verb, instanceId, state } = operation;
  const outcome = state === 'succeeded' ? state : undefined;
  const object = { kind: 'instance', instanceId } as const;
  return { ...opening, audit: anEntry({ id, verb, object, outcome, after: { plan: 'small' } }) };
}

export function describeAudit(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  async function entryOf(id: string) {
    const { entries } = await store.audit.list({ limit: 1000 });
    return entries.find((one) => one.id === id);
  }

  test('An operation that is opened has its entry, which tells its end when it has one.', async () => {
    const succeeds = audited(provisioning({}, heldFromBirth('provision')));
    await open(store, succeeds);
    expect(await entryOf(succeeds.operation.id)).toMatchObject({
      ...succeeds.audit,
      at: expect.any(Date),
      outcome: undefined,
      endedAt: undefined,
    });
    const { operation } = succeeds;
    expect(await store.settle({ operation, instance: await readInstance(store), remainingMs: 1 }, {})).toBe(
      true,
    );
    expect(await entryOf(succeeds.operation.id)).toMatchObject({
      outcome: 'succeeded',
      endedAt: expect.any(Date),
    });
  });

  test('An operation that fails has an entry that says by which word.', async () => {
    const opening = audited(provisioning({}, heldFromBirth('provision')));
    await open(store, opening);
    const held = { operation: opening.operation, instance: await readInstance(store), remainingMs: 1 };
    await store.settle(held, { failure: { word: 'broken', sentence: 'A sentence.' } });
    expect(await entryOf(opening.operation.id)).toMatchObject({ outcome: 'failed', reason: 'broken' });
  });

  test('An operation that is over at once has an entry that is complete.', async () => {
    const opening = audited(provisioning({}, ended('provision')));
    await open(store, opening);
    expect(await entryOf(opening.operation.id)).toMatchObject({
      outcome: 'succeeded',
      after: { plan: 'small' },
      endedAt: expect.any(Date),
    });
  });

  test('An operation that is refused has no entry.', async () => {
    await anInstanceIn(store);
    const opening = audited(provisioning());
    expect(await store.open(opening)).toBe(false);
    expect(await entryOf(opening.operation.id)).toBeUndefined();
  });

  test('An operation that is cancelled has an entry that says so, beside that of the one which cancels it.', async () => {
    const first = audited(provisioning({}, heldFromBirth('provision')));
    await open(store, first);
    const put = await readInstance(store);
    const cancels = first.operation.id;
    const operation = begun('deprovision', { instanceId: 'i1', follows: cancels });
    const second = audited({ operation, leaseMs: long, instance: { put }, cancels });
    await open(store, second);
    expect(await entryOf(cancels)).toMatchObject({ outcome: 'failed', reason: 'cancelled' });
    expect(await entryOf(operation.id)).toMatchObject({ verb: 'deprovision', outcome: undefined });
  });

  test('An entry that was written before its deed is concluded once.', async () => {
    const entry = anEntry({ confidential: { identity: { user: 'u' } } });
    await store.audit.record(entry);
    await store.audit.conclude(entry.id, { outcome: 'refused', reason: 'not-found', result: { a: 1 } });
    await store.audit.conclude(entry.id, { outcome: 'succeeded' });
    expect(await entryOf(entry.id)).toMatchObject({
      ...entry,
      outcome: 'refused',
      reason: 'not-found',
      result: { a: 1 },
      confidential: { identity: { user: 'u' } },
    });
  });

  test('The trail is read page by page in both directions, each entry once.', async () => {
    const principal = newId();
    for (const _ of numbered(7)) await store.audit.record(anEntry({ principal }));
    const read = async (oldestFirst: boolean) => {
      const ids: string[] = [];
      let after: string | undefined;
      do {
        const page = await store.audit.list({ principal, oldestFirst, limit: 3, after });
        ids.push(...page.entries.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined);
      return ids;
    };
    const oldest = await read(true);
    expect(new Set(oldest).size).toBe(7);
    expect(await read(false)).toEqual(oldest.toReversed());
  });

  test('The trail is read on from an entry that has gone meanwhile, and from no word of somebody else.', async () => {
    const principal = newId();
    const entry = anEntry({ principal });
    await store.audit.record(entry);
    const after = writePageMark([new Date(0).toISOString(), 'gone']);
    const { entries } = await store.audit.list({ principal, oldestFirst: true, limit: 3, after });
    expect(entries).toMatchObject([{ id: entry.id }]);
    for (const wrong of ['nothing', writePageMark([new Date(0).toISOString(), 1])]) {
      const reading = store.audit.list({ limit: 3, after: wrong });
      await expect(reading).rejects.toMatchObject({ code: 'invalid', field: 'after' });
    }
  });

  test('The trail is read by who, what, to what, with which end and when.', async () => {
    const principal = newId();
    const object = { kind: 'binding', instanceId: newId(), id: newId() } as const;
    const bound = anEntry({ principal, verb: 'bind', object, outcome: 'succeeded' });
    const refused = anEntry({ principal, verb: 'log', outcome: 'refused' });
    const open = anEntry({ principal });
    for (const entry of [bound, refused, open]) await store.audit.record(entry);
    const ids = async (query: object) =>
      (await store.audit.list({ principal, limit: 10, ...query })).entries.map(({ id }) => id);
    expect(new Set(await ids({}))).toEqual(new Set([bound.id, refused.id, open.id]));
    expect(await ids({ verb: 'bind' })).toEqual([bound.id]);
    expect(await ids({ outcome: 'refused' })).toEqual([refused.id]);
    expect(await ids({ instanceId: object.instanceId })).toEqual([bound.id]);
    expect(await ids({ objectId: object.id })).toEqual([bound.id]);
    expect(await ids({ principal: 'nobody' })).toEqual([]);
    const at = (await entryOf(bound.id))?.at.getTime() ?? 0;
    expect(await ids({ since: new Date(at + 3_600_000) })).toEqual([]);
    expect(await ids({ until: new Date(at - 3_600_000) })).toEqual([]);
    expect(await ids({ since: new Date(at - 3_600_000), until: new Date(at + 3_600_000) })).toHaveLength(3);
  });

  test('Nothing of the trail that is younger than asked for is forgotten.', async () => {
    const entry = anEntry();
    await store.audit.record(entry);
    await store.audit.prune(86_400_000, 1000);
    expect(await entryOf(entry.id)).toMatchObject({ id: entry.id });
  });
}

export function describeAuditOfNodes(makeRemembered: MakeRemembered): void {
  test('What is done with a node has an entry, when it is done.', async () => {
    const remembered = await makeRemembered();
    const { nodes, store, pass } = remembered;
    await aNodeIn(remembered);
    const entryFor = (verb: AuditEntry['verb'], id = 'n1') =>
      anEntry({ verb, object: { kind: 'node', id }, outcome: 'succeeded', principal: newId() });
    const entries = {
      drain: entryFor('drain'),
      nowhere: entryFor('drain', 'nowhere'),
      early: entryFor('forget'),
      abandon: entryFor('abandon'),
    };
    expect(await nodes.drain('n1', true, entries.drain)).toBe(true);
    expect(await nodes.drain('nowhere', true, entries.nowhere)).toBe(false);
    expect(await nodes.forget('n1', false, entries.early)).toBe(false);
    await pass(3_600_000);
    expect(await nodes.forget('n1', true, entries.abandon)).toBe(true);
    const written = (await store.audit.list({ limit: 1000 })).entries;
    const known = Object.values(entries).filter(({ id }) => written.some((one) => one.id === id));
    expect(known).toEqual([entries.drain, entries.abandon]);
  });
}
