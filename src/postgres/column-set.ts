import { raw, sql, type Sql } from './sql.ts';

/** What a statement writes of a record into a row. Its text is made once, since most of what is written is wide. */
export interface ColumnSet<Rec> {
  /** `a, b` */
  readonly names: Sql;
  /** `$1::text, $2::json`, in the same order. */
  readonly values: (record: Rec) => Sql;
  /** `excluded.a, excluded.b` */
  readonly excluded: Sql;
  /** `a = $1::text, b = $2::json` */
  readonly assignments: (record: Rec) => Sql;
}

/**
 * @param table by the name of the column: its type, and what of a record lies in it
 * @param derive what several columns are taken from, once for each record
 */
export function columnSet<Rec, Derived = undefined>(
  table: Readonly<Record<string, readonly [type: string, of: (record: Rec, derived: Derived) => unknown]>>,
  derive: (record: Rec) => Derived = () => undefined as Derived,
): ColumnSet<Rec> {
  const columns = Object.entries(table).map(([name, [type, of]]) => ({ name, type, of }));
  const plain = textsAround(columns, () => '');
  const assigned = textsAround(columns, ({ name }) => `${name} = `);
  function valuesOf(record: Rec): readonly unknown[] {
    const derived = derive(record);
    return columns.map(({ of }) => of(record, derived));
  }
  return {
    names: raw(Object.keys(table).join(', ')),
    excluded: raw(columns.map(({ name }) => `excluded.${name}`).join(', ')),
    values: (record) => sql(plain, ...valuesOf(record)),
    assignments: (record) => sql(assigned, ...valuesOf(record)),
  };
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** What stands before, between and after the values. */
function textsAround(columns: readonly Column[], before: (column: Column) => string): readonly string[] {
  const starts = columns.map((column, index) => {
    const last = columns[index - 1];
    return `${last ? `::${last.type}, ` : ''}${before(column)}`;
  });
  return [...starts, `::${columns.at(-1)?.type}`];
}
