import type { Pool, PoolClient } from 'pg';
import { type KeyRing, openText, type Sealed, sealText } from '../keyring.ts';
import { queryThrough, translated } from './query.ts';
import { sql } from './sql.ts';
import { inTransaction } from '../../postgres/transaction.ts';

/**
 * Makes sure that the ring opens all that lies encrypted in this database, and remembers its newest key as one of
 * those that write to it. Brokers that start together wait for each other.
 * @throws Error when a key is missing, or is another one than this id stood for; then nothing is changed
 * @throws Refusal 'unavailable' when the database cannot be reached
 */
export async function requireKeys(pool: Pool, ring: KeyRing): Promise<void> {
  try {
    await inTransaction(pool, (client) => checkIn(client, ring));
  } catch (error) {
    throw translated(error);
  }
}

/** For when nothing lies any more under the keys behind the newest one: from then on they may be missing. */
export async function retireKeys(pool: Pool, [, ...older]: KeyRing): Promise<void> {
  // Not all but the newest: meanwhile a broker may have started that has a newer one.
  await queryThrough(pool)(sql`delete from encryption_keys where id = any(${older.map(({ id }) => id)})`);
}

interface Proof {
  readonly id: string;
  /** A known text, sealed with the key. */
  readonly proof: string;
}

async function checkIn(client: PoolClient, ring: KeyRing): Promise<void> {
  // One at a time, else two with different keys would both be the first.
  await client.query('lock table encryption_keys in share row exclusive mode');
  const { rows } = await client.query<Proof>('select id, proof from encryption_keys order by id');
  for (const row of rows) requireKey(ring, row);
  const [{ id }] = ring;
  if (rows.some((row) => row.id === id)) return;
  // Only the newest one writes. An older one without a proof has nothing here, or nothing any more: with a proof it
  // could never go.
  const proof = JSON.stringify(sealText(ring, placeOf(id), KNOWN));
  await client.query('insert into encryption_keys (id, proof) values ($1, $2)', [id, proof]);
}

const KNOWN = 'purveyor';
const WHERE = 'in ENCRYPTION_KEYS or, when that is not set, in the file encryption-keys in DATA_DIR.';

function requireKey(ring: KeyRing, { id, proof }: Proof): void {
  if (!ring.some((key) => key.id === id)) {
    throw new Error(
      `ENCRYPTION_KEYS lacks key '${id}', under which this database has records. ` +
        `Add it behind the newest one, ${WHERE}`,
    );
  }
  if (!isProven(ring, id, proof)) {
    throw new Error(
      `ENCRYPTION_KEYS: key '${id}' is not the key that this database was written with. ` +
        `Restore the right key, ${WHERE}`,
    );
  }
}

function isProven(ring: KeyRing, id: string, proof: string): boolean {
  try {
    return openText(ring, placeOf(id), JSON.parse(proof) as Sealed) === KNOWN;
  } catch {
    return false;
  }
}

function placeOf(id: string): string {
  return `encryption_keys/${id}`;
}
