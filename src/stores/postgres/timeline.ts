import type { TimelineEntry } from '../../broker/records.ts';
import type { StepRecord } from '../../broker/store.ts';
import type { Query } from '../../postgres/query.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

/**
 * The next entry of an operation's timeline.
 * @param own a part of the statement that gives the operation's id, if it is still ours
 */
export function entry({ step, tries, undo, ms }: StepRecord, own: Sql): Sql {
  return sql`
    insert into operation_steps (operation_id, number, step, tries, undo, ms)
    select o.id, coalesce((select max(number) from operation_steps s where s.operation_id = o.id), 0) + 1,
      ${step}::text, ${tries}::integer, ${undo}::boolean, ${Math.round(ms)}::integer
    from ${own} o`;
}

export async function timeline(query: Query, operationId: string): Promise<readonly TimelineEntry[]> {
  const rows = await query(sql`
    select step, tries, undo, ms, ended_at from operation_steps
    where operation_id = ${operationId} order by number`);
  return rows.map((row) => ({
    step: String(row['step']),
    tries: Number(row['tries']),
    undo: row['undo'] === true,
    ms: Number(row['ms']),
    endedAt: row['ended_at'] as Date,
  }));
}
