import type { Pool, PoolClient } from 'pg';
import type { ConfidentialRow } from '../operation-rows.ts';
import { queryOn, queryThrough, type Query } from '../../postgres/query.ts';
import { join, raw, sql } from '../../postgres/sql.ts';

interface Table {
  readonly table: ConfidentialRow['table'];
  readonly ids: readonly string[];
}

const TABLES: readonly Table[] = [
  { table: 'service_instances', ids: ['id'] },
  { table: 'service_bindings', ids: ['instance_id', 'id'] },
  { table: 'operations', ids: ['id'] },
  { table: 'authorities', ids: ['generation'] },
  { table: 'audit_trail', ids: ['id'] },
  { table: 'backups', ids: ['id'] },
];

export interface ResealOptions {
  /** Rows that are read at once. */
  readonly batch?: number;
  /** Told, once or more, of a row for which `reseal` threw: it is left as it is. Absent: that ends everything. */
  readonly onUnreadable?: (row: ConfidentialRow, error: unknown) => void;
  /** Told after each batch how many rows were looked at, of how many there were at the beginning. */
  readonly onProgress?: (seen: number, all: number) => void;
}

/**
 * Goes through all that is confidential and writes what `reseal` makes of it; undefined leaves a row as it is. A
 * row that a broker has written meanwhile is looked at again and never overwritten, so this may run beside them.
 * @returns the number of rows written
 */
export async function resealRows(
  pool: Pool | PoolClient,
  reseal: (row: ConfidentialRow) => string | undefined,
  { batch = 200, onUnreadable, onProgress }: ResealOptions = {},
): Promise<number> {
  const query = 'release' in pool ? queryOn(pool) : queryThrough(pool);
  const skipping: typeof reseal = (row) => {
    try {
      return reseal(row);
    } catch (error) {
      if (!onUnreadable) throw error;
      onUnreadable(row, error);
      return undefined;
    }
  };
  const all = onProgress ? await countRows(query) : 0;
  let seen = 0;
  const onBatch = (rows: number) => onProgress?.((seen += rows), all);
  let written = 0;
  for (const table of TABLES) written += await resealTable(query, table, skipping, { batch, onBatch });
  return written;
}

async function countRows(query: Query): Promise<number> {
  const counts = TABLES.map(
    ({ table }) => sql`(select count(*) from ${raw(table)} where confidential <> '{}')`,
  );
  const [row] = await query(sql`select ${join(counts, ' + ')} as rows`);
  return Number(row?.['rows']);
}

async function resealTable(
  query: Query,
  table: Table,
  reseal: (row: ConfidentialRow) => string | undefined,
  { batch, onBatch }: { readonly batch: number; readonly onBatch: (rows: number) => void },
): Promise<number> {
  let written = 0;
  let after: readonly string[] | undefined;
  for (;;) {
    const rows = await readBatch(query, table, after, batch);
    const last = rows.at(-1);
    if (!last) return written;
    const changes = rows.flatMap((row) => {
      const becomes = reseal(row);
      return becomes === undefined ? [] : [{ row, becomes }];
    });
    const done = changes.length > 0 ? await write(query, table, changes) : 0;
    written += done;
    // Fewer than wanted: somebody was quicker with one of them, so this batch is looked at again.
    if (done < changes.length) continue;
    after = last.ids;
    onBatch(rows.length);
  }
}

async function readBatch(
  query: Query,
  { table, ids }: Table,
  after: readonly string[] | undefined,
  batch: number,
): Promise<readonly ConfidentialRow[]> {
  const key = raw(ids.join(', '));
  const from = after
    ? sql`(${key}) > (${join(
        after.map((id) => sql`${id}`),
        ', ',
      )})`
    : sql`true`;
  // An ended operation has nothing left to hide.
  const rows = await query(sql`
    select ${key}, confidential from ${raw(table)} where ${from} and confidential <> '{}'
    order by ${key} limit ${batch}`);
  return rows.map((row) => ({
    table,
    ids: ids.map((name) => String(row[name])),
    confidential: String(row['confidential']),
  }));
}

interface Resealed {
  readonly row: ConfidentialRow;
  readonly becomes: string;
}

/** Only what is still as it was read. */
async function write(query: Query, { table, ids }: Table, changes: readonly Resealed[]): Promise<number> {
  const same = ids.map((name, place) => {
    const list = changes.map(({ row }) => row.ids[place]);
    return {
      list: sql`${list}::text[]`,
      test: raw(`t.${name} = v.id${place} and `),
      name: raw(`id${place}`),
    };
  });
  const rows = await query(sql`
    update ${raw(table)} t set confidential = v.becomes
    from unnest(${join(
      same.map(({ list }) => list),
      ', ',
    )}, ${changes.map(({ row }) => row.confidential)}::text[],
      ${changes.map(({ becomes }) => becomes)}::text[]) as v (${join(
        same.map(({ name }) => name),
        ', ',
      )}, was, becomes)
    where ${join(
      same.map(({ test }) => test),
      '',
    )} t.confidential = v.was
    returning 1`);
  return rows.length;
}
