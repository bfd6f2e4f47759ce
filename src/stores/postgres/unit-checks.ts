import type { ServiceInstance } from '../../broker/records.ts';
import type { UnitCheck } from '../../broker/store.ts';
import type { Seen } from '../../broker/units.ts';
import { type Query } from '../../postgres/query.ts';
import { codeOf } from '../../system/error-code.ts';
import { readInstance } from './rows.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

const FOREIGN_KEY_VIOLATION = '23503';

/** Has an instance that is as this record units to be looked at? */
export function isWatched({ ready, checkEvery }: ServiceInstance): boolean {
  return ready && checkEvery !== undefined;
}

/** Part of a statement that has written an instance: what happened to its units is worth a look. */
export const lookAtOnce = sql`
  insert into instance_checks (instance_id, place, due_at) select id, coalesce(node, ''), now() from changed
  on conflict (instance_id) do update set place = excluded.place, due_at = excluded.due_at`;

/** Two who find the same one due wait for each other at its row; the second one then sees that it is not. */
export async function claimCheck(query: Query, node: string | undefined): Promise<UnitCheck | undefined> {
  const [row] = await query(sql`
    with due as (
      select c.instance_id, i.check_every
      from instance_checks c join service_instances i on i.id = c.instance_id
      where c.place = any(${['', node ?? '']}::text[]) and c.due_at <= now() and ${lookedAfterBy(node)}
      order by c.due_at limit 1 for no key update of c skip locked
    ), claimed as (
      update instance_checks c set due_at = now() + due.check_every * interval '1 millisecond'
      from due where c.instance_id = due.instance_id and c.due_at <= now() returning c.instance_id, c.seen
    )
    select to_json(i) as instance, c.seen from claimed c join service_instances i on i.id = c.instance_id`);
  const instance = row && readInstance(row['instance']);
  const seen = row?.['seen'] as Seen | null | undefined;
  return instance && { instance, ...(seen && { seen }) };
}

export async function nextCheck(query: Query, node: string | undefined): Promise<number | undefined> {
  const next = (place: string) => sql`(
    select c.due_at from instance_checks c join service_instances i on i.id = c.instance_id
    where c.place = ${place} and ${lookedAfterBy(node)} order by c.due_at limit 1)`;
  const first = node === undefined ? next('') : sql`least(${next('')}, ${next(node)})`;
  const [row] = await query(sql`select ceil(extract(epoch from ${first} - now()) * 1000)::float8 as ms`);
  const ms = row?.['ms'];
  return typeof ms === 'number' ? Math.max(0, ms) : undefined;
}

function lookedAfterBy(node: string | undefined): Sql {
  return sql`i.check_every is not null and i.ready and i.operation_id is null
    and (i.node is null or i.node = ${node}::text)`;
}

/** @param dueMs absent: what is due stays so */
export async function saveSeen(
  query: Query,
  instanceId: string,
  seen: Seen,
  dueMs: number | undefined,
): Promise<void> {
  try {
    await query(sql`
      insert into instance_checks as c (instance_id, place, due_at, seen)
      select id, coalesce(node, ''), now() + ${dueMs ?? 0} * interval '1 millisecond', ${JSON.stringify(seen)}::json
      from service_instances where id = ${instanceId}
      on conflict (instance_id) do update set seen = excluded.seen,
        due_at = ${dueMs === undefined ? sql`c.due_at` : sql`excluded.due_at`}`);
  } catch (error) {
    // The instance was removed at this moment.
    if (codeOf(error) !== FOREIGN_KEY_VIOLATION) throw error;
  }
}

export async function findSeen(query: Query, instanceId: string): Promise<Seen | undefined> {
  const [row] = await query(sql`select seen from instance_checks where instance_id = ${instanceId}`);
  return (row?.['seen'] as Seen | null | undefined) ?? undefined;
}
