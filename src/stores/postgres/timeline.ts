import type { TimelineEntry } from '../../broker/records.ts';
import type { StepRecord } from '../../broker/store.ts';
import type { Query } from '../../postgres/query.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

/**
 * The next entries of an operation's timeline.
 * @param own a part of the statement that gives the operation's id, if it is still ours
 */
export function entries(steps: readonly StepRecord[], own: Sql): Sql {
  return sql`
    insert into operation_steps (operation_id, number, step, tries, undo, ms)
    select o.id, coalesce((select max(number) from operation_steps s where s.operation_id = o.id), 0) + place,
      done.step, done.tries, done.undo, done.ms
    from ${own} o, unnest(${steps.map(({ step }) => step)}::text[], ${steps.map(({ tries }) => tries)}::integer[],
      ${steps.map(({ undo }) => undo)}::boolean[], ${steps.map(({ ms }) => Math.round(ms))}::integer[])
      with ordinality as done(step, tries, undo, ms, place)`;
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
