// Whole tables as texts, one for each row, and back. Always in a transaction of the caller's.
import type { PoolClient } from 'pg';

/** A table as it is when its migrations have been applied. */
export interface TableShape {
  readonly table: string;
  /** Each with its type, in the order in which they stand in the text of a row. */
  readonly columns: readonly string[];
}

const SHAPES = `
  select c.relname as table,
    (select json_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    (select coalesce(json_agg(f.confrelid::regclass::text), '[]') from pg_constraint f
      where f.conrelid = c.oid and f.contype = 'f') as parents
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = current_schema() and c.relkind = 'r' and c.relname = any($1)
  order by c.relname`;

/** Those of these tables that are there, each behind those which it refers to. Until the end nobody changes them. */
export async function findTables(
  client: PoolClient,
  names: readonly string[],
): Promise<readonly TableShape[]> {
  const { rows } = await client.query<TableShape & { parents: readonly string[] }>(SHAPES, [names]);
  const ordered: TableShape[] = [];
  while (ordered.length < rows.length) {
    const isThere = (name: string) => ordered.some(({ table }) => table === name);
    const next = rows.filter(({ table, parents }) => !isThere(table) && parents.every(isThere));
    if (next.length === 0) throw new Error('There are tables that refer to each other.');
    ordered.push(...next.map(({ table, columns }) => ({ table, columns })));
  }
  if (ordered.length > 0)
    await client.query(`lock table ${ordered.map(({ table }) => table).join(', ')} in access share mode`);
  return ordered;
}

/** Texts mean the same wherever they were written. */
export async function speakPlainly(client: PoolClient): Promise<void> {
  await client.query(
    "select set_config('datestyle', 'ISO', true), set_config('timezone', 'UTC', true), " +
      "set_config('intervalstyle', 'postgres', true), set_config('extra_float_digits', '1', true)",
  );
}

/** The rows of a table, so many at a time. */
export async function* rowsOf(client: PoolClient, table: string): AsyncGenerator<readonly string[]> {
  await client.query(
    `declare whole_table no scroll cursor for select whole_row::text from ${table} whole_row`,
  );
  for (;;) {
    const { rows } = await client.query<{ whole_row: string }>('fetch 500 from whole_table');
    if (rows.length === 0) break;
    yield rows.map((row) => row.whole_row);
  }
  await client.query('close whole_table');
}

/** Adds rows to a table of the shape that they come from. */
export async function addRows(client: PoolClient, table: string, rows: readonly string[]): Promise<void> {
  await client.query(
    `insert into ${table} overriding system value select given.* from unnest($1::${table}[]) given`,
    [rows],
  );
}

/** Has numbers that tables give by themselves go on behind those that are there. */
export async function goOnCounting(client: PoolClient, tables: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ table: string; column: string }>(
    `select c.relname as table, a.attname as column from pg_attribute a
    join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relname = any($1) and a.attidentity <> ''`,
    [tables],
  );
  for (const { table, column } of rows)
    await client.query(
      `select setval(pg_get_serial_sequence('${table}', '${column}'), coalesce(max(${column}), 0) + 1, false)
      from ${table}`,
    );
}
