import type { Pool, PoolClient } from 'pg';
import { appliedMigrations, madeBy, type MigrationSet } from '../../postgres/migrate.ts';
import { findTables, rowsOf, speakPlainly, type TableShape } from '../../postgres/table-rows.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import { version } from '../version.ts';
import { writeState, type StateRows, type StateSum } from './file.ts';

/** What is of processes that live, and is nothing to those who come later. */
const leftOut = ['brokers'];

export interface SavedState extends StateSum {
  /** Ids of the keys under which it has records. */
  readonly keys: readonly string[];
}

/**
 * Writes all that the brokers on this database know, as it is at one moment; they may go on meanwhile. The tables are
 * left as they are, also when they are older than this program.
 * @param onProgress told how many rows there are in the file by now
 * @throws Error with a sentence when there is nothing, or the file cannot be written
 */
export function saveState(
  pool: Pool,
  sets: readonly MigrationSet[],
  file: string,
  onProgress: (rows: number) => void,
): Promise<SavedState> {
  return inTransaction(pool, async (client) => {
    await client.query('set transaction isolation level repeatable read, read only');
    const migrations = await appliedMigrations(client, sets);
    if (!migrations) throw new Error('There is nothing to save: no broker has used this database yet.');
    await speakPlainly(client);
    const { tables: ours } = await madeBy(sets);
    const tables = await findTables(
      client,
      ours.filter((table) => !leftOut.includes(table)),
    );
    const heading = { at: new Date().toISOString(), version: version(), migrations, tables };
    const sum = await writeState(file, heading, allRows(client, tables, onProgress));
    const { rows } = await client.query<{ id: string }>('select id from encryption_keys order by id');
    return { ...sum, keys: rows.map(({ id }) => id) };
  });
}

async function* allRows(
  client: PoolClient,
  tables: readonly TableShape[],
  onProgress: (rows: number) => void,
): AsyncGenerator<StateRows> {
  let seen = 0;
  for (const { table } of tables) {
    for await (const rows of rowsOf(client, table)) {
      yield { table, rows };
      onProgress((seen += rows.length));
    }
  }
}
