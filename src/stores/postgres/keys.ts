// Which keys lie in the database, and which the brokers that live have: nobody writes what one of them cannot read.
import type { Pool, PoolClient } from 'pg';
import type { KeyRing } from '../keyring.ts';
import {
  isProven,
  type Known,
  type Other,
  proofOf,
  requireSame,
  requireSaved,
  requireShared,
  requireWritten,
} from './key-rules.ts';
import { stale } from './place.ts';
import { persistently, queryOn, queryThrough, translated, type Query } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';
import { inTransaction } from '../../postgres/transaction.ts';

/** A broker as the others know it while it lives. */
export interface KeyHolder {
  /** The process, as leases name it. */
  readonly id: string;
  /** How people know it. */
  readonly label: string;
}

export interface KeyState {
  /** The key to write with: the first of the ring that all who live can read. */
  readonly writes: string;
  /** Labels of the brokers that live and lack the first key of the ring. */
  readonly behind: readonly string[];
  /** Keys under which the database has records, and which the ring lacks. */
  readonly missing: readonly string[];
}

/** Milliseconds between two times that a broker tells of its keys. */
export const keysEvery = 5_000;
/** Milliseconds after which one that is silent counts as gone. */
const goneAfter = 30_000;

const lives = sql`beat_at > now() - ${goneAfter} * interval '1 millisecond'`;

/**
 * Makes sure that the ring opens all that lies encrypted in this database, and tells the others which keys this
 * broker has. Brokers that start together wait for each other.
 * @throws Error when a key is missing, or is another one than this id stands for; then nothing is changed
 * @throws Refusal 'unavailable' when the database cannot be reached
 */
export function requireKeys(pool: Pool, ring: KeyRing, holder: KeyHolder): Promise<KeyState> {
  return alone(pool, async (query) => {
    const known = await readKeys(query, holder);
    requireWritten(known, ring);
    requireSame(known, ring);
    return settle(query, known, ring, holder);
  });
}

/**
 * Tells that the broker lives, and finds out what has changed. What it lacks by now is in the answer.
 * @param writes the key that it has written with until now
 */
export function tellKeys(pool: Pool, ring: KeyRing, holder: KeyHolder, writes: string): Promise<KeyState> {
  return alone(pool, async (query) => settle(query, await readKeys(query, holder), ring, holder, writes));
}

/** It ends in good order: nobody need wait for it. */
export async function leaveKeys(pool: Pool, { id }: KeyHolder): Promise<void> {
  await queryThrough(pool)(sql`delete from brokers where id = ${id}`);
}

/**
 * Makes the first key of the ring one that writes, if nobody would be hurt by what lies under it.
 * @param isSaved the operator has said that it is kept somewhere
 * @throws Error with a sentence when a broker that lives lacks it, or when no broker has ever been started with it
 */
export function requireRekey(pool: Pool, ring: KeyRing, isSaved: boolean): Promise<void> {
  return alone(pool, async (query) => {
    const known = await readKeys(query, { id: '' });
    requireWritten(known, ring);
    requireSame(known, ring);
    requireShared(known, ring);
    if (!isSaved) requireSaved(known, ring);
    await prove(query, known, ring, ring[0].id);
  });
}

/** In a transaction of the caller's. @throws Error when the ring does not open what lies in this database */
export async function requireOpening(query: Query, ring: KeyRing): Promise<void> {
  requireWritten(await readKeys(query, { id: '' }), ring);
}

/** How people know the brokers that live. */
export async function livingBrokers(query: Query): Promise<readonly string[]> {
  const rows = await query(sql`select label from brokers where ${lives} order by label`);
  return rows.map((row) => String(row['label']));
}

export interface Retired {
  /** Keys that must stay, and why, as clauses; none: all but the first of the ring can go. */
  readonly needed: readonly string[];
}

/**
 * For when nothing lies any more under the keys behind the first one: from then on they may be missing.
 * @param kept ids of those under which something is left all the same
 */
export function retireKeys(
  pool: Pool,
  [first, ...older]: KeyRing,
  kept: readonly string[] = [],
): Promise<Retired> {
  return alone(pool, async (query) => {
    const { others } = await readKeys(query, { id: '' });
    const writers = others.filter(({ writes }) => older.some(({ id }) => id === writes));
    // Not all but the first: meanwhile a broker may have started that has a newer one.
    const going = older
      .map(({ id }) => id)
      .filter((id) => !kept.includes(id) && writers.every((one) => one.writes !== id));
    await query(sql`delete from encryption_keys where id = any(${going})`);
    return {
      needed: [
        ...writers.map(({ label, writes }) => `${label} writes with '${writes}', not with '${first.id}'`),
        ...kept.map((id) => `there are records under '${id}' that could not be read`),
      ],
    };
  });
}

/** Brokers that want to write with the first key of the ring and still write with another. */
export async function isTurning(pool: Pool, [first]: KeyRing): Promise<boolean> {
  const others = await readOthers(queryThrough(pool), '', []);
  return others.some(({ keys: [wanted], writes }) => wanted === first.id && writes !== first.id);
}

/** One at a time: else two with different keys would both be the first, or one would start while another turns. */
async function alone<Result>(pool: Pool, work: (query: Query) => Promise<Result>): Promise<Result> {
  return persistently(() =>
    inTransaction(pool, async (client: PoolClient) => {
      await client.query('lock table encryption_keys in share row exclusive mode');
      return work(queryOn(client));
    }),
  ).catch((error: unknown) => {
    throw translated(error);
  });
}

async function readKeys(query: Query, { id }: Pick<KeyHolder, 'id'>): Promise<Known> {
  const written = proofsIn(await query(sql`select id, proof from encryption_keys order by id`));
  return {
    written,
    known: proofsIn(await query(sql`select id, proof from known_keys order by id`)),
    others: await readOthers(query, id, [...written.keys()]),
  };
}

function proofsIn(rows: readonly Readonly<Record<string, unknown>>[]): ReadonlyMap<string, string> {
  return new Map(rows.map((row) => [String(row['id']), String(row['proof'])]));
}

/**
 * A node whose process never told of its keys is a broker from before there was anything to tell: it has those that
 * it could not start without.
 */
async function readOthers(query: Query, own: string, written: readonly string[]): Promise<readonly Other[]> {
  const rows = await query(sql`
    select label, keys, writes from brokers
    where id <> ${own} and ${lives}
    union all
    select 'the older broker on node ' || name, null, '' from nodes
    where not ${stale} and holder <> '' and not exists (select from brokers b where b.id = nodes.holder)
    order by label`);
  return rows.map((row) => ({
    label: String(row['label']),
    keys: (row['keys'] as readonly string[] | null) ?? written,
    writes: String(row['writes']),
  }));
}

async function settle(
  query: Query,
  known: Known,
  ring: KeyRing,
  { id, label }: KeyHolder,
  wrote?: string,
): Promise<KeyState> {
  const { written, others } = known;
  const isReadByAll = (key: string) => written.has(key) || others.every(({ keys }) => keys.includes(key));
  const ids = ring.map((key) => key.id);
  const [first = ''] = ids;
  const writes = ids.find(isReadByAll) ?? first;
  await prove(query, known, ring, writes);
  // What is on its way to the database as the key is changed has arrived by the next time: only then it is told.
  await query(sql`
    insert into brokers (id, label, keys, writes)
    values (${id}, ${label}, ${JSON.stringify(ids)}::json, ${wrote ?? writes})
    on conflict (id) do update set label = excluded.label, keys = excluded.keys, writes = excluded.writes,
      beat_at = now()`);
  await query(sql`delete from brokers where beat_at < now() - interval '1 day'`);
  return {
    writes,
    behind: written.has(first)
      ? []
      : others.filter(({ keys }) => !keys.includes(first)).map((one) => one.label),
    missing: [...written.keys()].filter((key) => !ids.includes(key)),
  };
}

/** Remembers all keys of the ring as known, and this one as one that writes. */
async function prove(query: Query, { written, known }: Known, ring: KeyRing, writes: string): Promise<void> {
  for (const key of ring) {
    const proof = known.get(key.id);
    if (proof !== undefined && isProven(ring, key.id, proof)) continue;
    await query(sql`
      insert into known_keys (id, proof) values (${key.id}, ${proofOf(key)})
      on conflict (id) do update set proof = excluded.proof`);
  }
  const writer = ring.find(({ id }) => id === writes);
  // Only one that writes must never be missing: with a proof among these it could not go.
  if (writer && !written.has(writes))
    await query(sql`insert into encryption_keys (id, proof) values (${writes}, ${proofOf(writer)})`);
}
