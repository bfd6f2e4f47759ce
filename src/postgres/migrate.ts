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

/** A migration that a database has. */
export interface Applied {
  readonly set: string;
  readonly number: number;
  readonly file: string;
  readonly checksum: string;
}

/**
 * Brings the database up to date: all sets, in the given order, in one transaction. Brokers that start together
 * wait for each other. Throws an Error, and changes nothing, when the database has been used by a newer program or
 * when a file was changed after it was applied; Refusal 'unavailable' when the database goes away.
 * @returns the files that were applied now
 */
export async function migrate(pool: Pool, sets: readonly MigrationSet[]): Promise<readonly string[]> {
  // Brokers that are at work already may be in the way of a change of their tables, and it of them.
  return persistently(() => inTransaction(pool, (client) => migrateWithin(client, sets)));
}

/**
 * The same in a transaction of somebody else's.
 * @param level only these, all of which must be among the sets; absent: all
 */
export async function migrateWithin(
  client: PoolClient,
  sets: readonly MigrationSet[],
  level?: readonly Applied[],
): Promise<readonly string[]> {
  if (level) await requireOurs(sets, level, 'The file');
  await keepMigrationsOut(client);
  await client.query(LEDGER);
  const applied: string[] = [];
  for (const set of sets) {
    const wanted = (await readSet(set)).filter(
      ({ number }) => !level || level.some((one) => one.set === set.name && one.number === number),
    );
    applied.push(...(await applySet(client, set, wanted)));
  }
  return applied;
}

/** As long as the transaction goes on. */
export async function keepMigrationsOut(client: PoolClient): Promise<void> {
  // Of the transaction, not of the session: a pooler may give each statement outside of one to another session.
  await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
}

/**
 * What the database has, as it is until the end of the transaction; undefined when there is none of it. Of one that
 * looks at what there was at its beginning, this is the beginning.
 * @throws Error when it has been used by a newer program, or when a file was changed after it was applied
 */
export async function appliedMigrations(
  client: PoolClient,
  sets: readonly MigrationSet[],
): Promise<readonly Applied[] | undefined> {
  const isThere = await client.query('lock table schema_migrations in share mode').catch((error: unknown) => {
    if (codeOf(error) !== '42P01') throw error;
  });
  if (!isThere) return undefined;
  const { rows } = await client.query<Applied>(
    'select set_name as set, number, file, checksum from schema_migrations order by set_name, number',
  );
  await requireOurs(sets, rows, 'The database');
  return rows;
}

async function requireOurs(
  sets: readonly MigrationSet[],
  applied: readonly Applied[],
  whose: string,
): Promise<void> {
  const foreign = applied.find((one) => sets.every(({ name }) => name !== one.set));
  if (foreign) throw new Error(newer(whose, foreign.set, foreign.file));
  for (const set of sets) {
    const own = applied.filter((one) => one.set === set.name);
    requireAllKnown(set.name, own, await readSet(set), whose);
  }
}

/** What the sets make, by name, whether the database has it or not. */
export async function madeBy(
  sets: readonly MigrationSet[],
): Promise<Readonly<Record<'tables' | 'functions', readonly string[]>>> {
  const texts = (await Promise.all(sets.map(readSet))).flat().map(({ text }) => text);
  const made = (pattern: RegExp) =>
    texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name));
  return { tables: made(/^create table (\w+)/gm), functions: made(/^create function (\w+)/gm) };
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
  requireAllKnown(name, rows, migrations, 'The database');
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

function requireAllKnown(
  name: string,
  applied: readonly Omit<Migration, 'text'>[],
  known: readonly Migration[],
  whose: string,
): void {
  for (const { number, file, checksum } of applied) {
    const own = known.find((one) => one.number === number);
    if (!own) throw new Error(newer(whose, name, file));
    if (own.checksum === checksum) continue;
    throw new Error(
      `The migration ${own.file} of '${name}' is not the one that ${whose.toLowerCase()} was made with. ` +
        'Bring the file back, and put the change into a new migration.',
    );
  }
}

function newer(whose: string, set: string, file: string): string {
  return (
    `${whose} is newer than this program: it has the migration ${file} of '${set}'. ` +
    'Run the version of the program that made it, or a later one.'
  );
}
