import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool, PoolClient } from 'pg';
import { auditEntry } from '../../broker/audit.ts';
import type { Origin } from '../../broker/records.ts';
import { keepMigrationsOut, madeBy, migrateWithin, type MigrationSet } from '../../postgres/migrate.ts';
import { queryOn } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';
import {
  addRows,
  findTables,
  goOnCounting,
  speakPlainly,
  type TableShape,
} from '../../postgres/table-rows.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import type { KeyRing } from '../../stores/keyring.ts';
import { auditInsertion } from '../../stores/postgres/audit/write.ts';
import { livingBrokers, requireOpening } from '../../stores/postgres/keys.ts';
import { resealRows } from '../../stores/postgres/reseal.ts';
import { resealer } from '../../stores/sealed.ts';
import type { StateFile } from './file.ts';

export interface StateLoading {
  readonly sets: readonly MigrationSet[];
  readonly keys: KeyRing;
  readonly origin: Origin;
  /** What the database has is dropped for it. */
  readonly replace: boolean;
  /** Told how many rows are there by now. */
  readonly onProgress: (rows: number) => void;
}

/**
 * Brings what was saved into a database, and its tables to the level of this program: all of it, or nothing.
 * @returns how many records cannot be read with these keys
 * @throws Error with a sentence when the database is in use, the keys are others, or the file is of a newer program
 */
export function loadState(pool: Pool, file: StateFile, loading: StateLoading): Promise<number> {
  const { sets, keys } = loading;
  return inTransaction(pool, async (client) => {
    await keepMigrationsOut(client);
    await makeRoom(client, loading);
    await migrateWithin(client, sets, file.heading.migrations);
    await requireShape(client, sets, file);
    await fill(client, file, loading);
    await migrateWithin(client, sets);
    await requireOpening(queryOn(client), keys);
    // Those who were there then speak for their nodes no more.
    await client.query("update nodes set holder = ''");
    await tell(client, file, loading);
    return countUnreadable(client, keys);
  });
}

/** @throws Error when there are records, or brokers that live */
async function makeRoom(client: PoolClient, { sets, replace }: StateLoading): Promise<void> {
  const made = await madeBy(sets);
  const found = (await findTables(client, [...made.tables, 'schema_migrations'])).map(({ table }) => table);
  if (found.length === 0) return;
  if (!replace) {
    throw new Error(
      'Nothing was changed: a broker has used this database already. Name an empty one (the embedded one lies in ' +
        'DATA_DIR/postgres), or say --replace when what is in it may be lost.',
    );
  }
  const living = found.includes('brokers') ? await livingBrokers(queryOn(client)) : [];
  if (living.length > 0)
    throw new Error(
      `Nothing was changed: ${living.join(', ')} uses this database. Stop all brokers on it first.`,
    );
  await client.query(`drop table ${found.join(', ')}`);
  await client.query(`drop function if exists ${made.functions.join(', ')}`);
}

/** @throws Error when a text of the file would not mean here what it meant there */
async function requireShape(
  client: PoolClient,
  sets: readonly MigrationSet[],
  { heading: { tables } }: StateFile,
): Promise<void> {
  const own = await findTables(client, (await madeBy(sets)).tables);
  const isSame = ({ table, columns }: TableShape) =>
    own.some((one) => one.table === table && JSON.stringify(one.columns) === JSON.stringify(columns));
  const other = tables.find((one) => !isSame(one));
  if (other)
    throw new Error(`The file has a table '${other.table}' of another form than this program makes.`);
}

async function fill(client: PoolClient, file: StateFile, { onProgress }: StateLoading): Promise<void> {
  const tables = file.heading.tables.map(({ table }) => table);
  await speakPlainly(client);
  // What follows from rows stands in the file as well.
  const triggers = async (what: 'disable' | 'enable') => {
    for (const table of tables) await client.query(`alter table ${table} ${what} trigger user`);
  };
  await triggers('disable');
  // A migration may have put something there that the rows have as well.
  for (const table of tables.toReversed()) await client.query(`delete from ${table}`);
  let seen = 0;
  for await (const { table, rows } of file.rows()) {
    if (!tables.includes(table))
      throw new Error(`The file has rows of a table '${table}' that it does not name.`);
    await addRows(client, table, rows);
    onProgress((seen += rows.length));
  }
  await triggers('enable');
  await goOnCounting(client, tables);
}

/** In the trail that was loaded, as its latest entry. */
async function tell(
  client: PoolClient,
  { heading, sum }: StateFile,
  { origin, replace }: StateLoading,
): Promise<void> {
  const context = { newId: randomUUID, settings: { holder: `${hostname()}-${process.pid}` } };
  const entry = auditEntry(context, origin, {
    verb: 'load-state',
    object: { kind: 'state', id: sum.sha256 },
    after: { saved_at: heading.at, records: sum.rows, replaced: replace },
  });
  await queryOn(client)(sql`${auditInsertion({ ...entry, outcome: 'succeeded' })}`);
}

async function countUnreadable(client: PoolClient, keys: KeyRing): Promise<number> {
  const open = resealer(keys);
  const unreadable = new Set<string>();
  await resealRows(
    client,
    (row) => {
      open(row);
      return undefined;
    },
    { onUnreadable: ({ table, ids }) => void unreadable.add([table, ...ids].join('/')) },
  );
  return unreadable.size;
}
