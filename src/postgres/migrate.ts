import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { persistently, translated } from './query.ts';
import { codeOf } from '../system/error-code.ts';
import { inTransaction } from './transaction.ts';

/** Numbered SQL files, `0001_what.sql` and so on, applied in this order and never changed after. */
export interface MigrationSet {
  readonly name: string;
  readonly directory: string;
}

interface Migration {
  readonly number: number;
  readonly file: string;
  readonly text: string;
  readonly checksum: string;
}

/** Any number; it is the same for all brokers. */
const LOCK = 7_366_255_231;

/**
 * Brings the database up to date: all sets, in the given order, in one transaction. Brokers that start together
 * wait for each other. Throws an Error, and changes nothing, when the database has been used by a newer program or
 * when a file was changed after it was applied; Refusal 'unavailable' when the database goes away.
 * @returns the files that were applied now
 */
export async function migrate(pool: Pool, sets: readonly MigrationSet[]): Promise<readonly string[]> {
  const read = await Promise.all(sets.map(async (set) => ({ set, migrations: await readSet(set) })));
  // Brokers that are at work already may be in the way of a change of their tables, and it of them.
  return persistently(() => inTransaction(pool, (client) => applyAll(client, read)));
}

interface ReadSet {
  readonly set: MigrationSet;
  readonly migrations: readonly Migration[];
}

async function applyAll(client: PoolClient, read: readonly ReadSet[]): Promise<readonly string[]> {
  // Of the transaction, not of the session: a pooler may give each statement outside of one to another session.
  await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
  await client.query(LEDGER);
  const applied: string[] = [];
  for (const { set, migrations } of read) applied.push(...(await applySet(client, set, migrations)));
  return applied;
}

const LEDGER = `create table if not exists schema_migrations (
  set_name text not null,
  number integer not null,
  file text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  primary key (set_name, number)
)`;

async function readSet({ name, directory }: MigrationSet): Promise<readonly Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).toSorted();
  const numbers = files.map((file) => Number(/^(\d{4})_/.exec(file)?.[1]));
  return Promise.all(
    files.map(async (file, index) => {
      const number = numbers[index] ?? Number.NaN;
      if (!(number > (numbers[index - 1] ?? 0))) {
        throw new Error(
          `The migrations of '${name}' are not numbered, each with a number of its own: see ${file}.`,
        );
      }
      // A checkout may have changed the ends of lines.
      const text = (await readFile(join(directory, file), 'utf8')).replaceAll('\r\n', '\n');
      return { number, file, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

async function applySet(
  client: PoolClient,
  { name }: MigrationSet,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const { rows } = await client.query<Omit<Migration, 'text'>>(
    'select number, file, checksum from schema_migrations where set_name = $1 order by number',
    [name],
  );
  for (const row of rows)
    requireKnown(
      name,
      row,
      migrations.find(({ number }) => number === row.number),
    );
  const pending = migrations.filter(({ number }) => rows.every((row) => row.number !== number));
  requireLater(name, pending[0], rows.at(-1));
  for (const { number, file, text, checksum } of pending) {
    await client.query(text).catch((cause: unknown) => {
      if (translated(cause) !== cause) throw cause;
      const failed = new Error(`The migration ${file} of '${name}' failed: ${String(cause)}`, { cause });
      throw Object.assign(failed, { code: codeOf(cause) });
    });
    await client.query(
      'insert into schema_migrations (set_name, number, file, checksum) values ($1, $2, $3, $4)',
      [name, number, file, checksum],
    );
  }
  return pending.map(({ file }) => file);
}

/** One that comes between others, after they were applied, would find other tables than it was written for. */
function requireLater(
  name: string,
  first: Migration | undefined,
  last: Omit<Migration, 'text'> | undefined,
): void {
  if (!first || !last || first.number > last.number) return;
  throw new Error(
    `The migration ${first.file} of '${name}' comes before ${last.file}, which was applied already. ` +
      'Give it a number behind all others.',
  );
}

function requireKnown(name: string, applied: Omit<Migration, 'text'>, own: Migration | undefined): void {
  if (!own) {
    throw new Error(
      `The database is newer than this program: it has the migration ${applied.file} of '${name}'. ` +
        'Run the version of the program that made it, or a later one.',
    );
  }
  if (own.checksum !== applied.checksum) {
    throw new Error(
      `The migration ${own.file} of '${name}' is not the one that was applied to the database. ` +
        'Bring the file back, and put the change into a new migration.',
    );
  }
}
