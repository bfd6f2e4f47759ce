import type { ServiceBinding } from '../../broker/records.ts';
import type { LeasedOperation, Pause, OnBehalfOf } from '../../broker/store.ts';
import { longestSleep } from '../../broker/timing.ts';
import { confidentialAfter, stepsToWrite } from '../operation-rows.ts';
import type { Query } from '../../postgres/query.ts';
import { assignments, json, note, readBinding, readInstance, readOperation, type Columns } from './rows.ts';
import { sql, type Sql } from '../../postgres/sql.ts';
import { entries } from './timeline.ts';

export async function claim(
  query: Query,
  holder: string,
  leaseMs: number,
  node: string | undefined,
): Promise<LeasedOperation | undefined> {
  const [row] = await query(sql`
    with due as (
      select id from operations where state = 'in progress' and due_at <= now() and ${runnableOn(node)}
      order by due_at limit 1 for update skip locked
    ), claimed as (
      update operations set attempt = attempt + 1, holder = ${holder}, due_at = ${fromNow(leaseMs)},
        -- What waited for another one begins only now.
        deadline = case when attempt = 0 then now() + (deadline - created_at) else deadline end
      where id = (select id from due) returning *
    )
    select to_json(o) as operation,
      (select to_json(i) from service_instances i where i.id = o.instance_id) as instance,
      (select to_json(b) from service_bindings b where b.instance_id = o.instance_id and b.id = o.binding_id)
        as binding,
      floor(extract(epoch from o.deadline - now()) * 1000)::float8 as remaining_ms
    from claimed o`);
  if (!row) return undefined;
  const operation = readOperation(row['operation']);
  const instance = readInstance(row['instance']);
  const binding = readBinding(row['binding']);
  if (!operation || !instance) return undefined;
  return { operation, instance, ...(binding && { binding }), remainingMs: Number(row['remaining_ms']) };
}

export async function renew(
  query: Query,
  held: LeasedOperation,
  leaseMs: number,
): Promise<boolean | 'cancelled'> {
  const [row] = await query(sql`
    update operations set due_at = ${fromNow(leaseMs)} where ${stillHeld(held.operation)}
    returning cancelled is not null and failure is null as cancelled`);
  if (!row) return false;
  return row['cancelled'] === true ? 'cancelled' : true;
}

export async function postpone(
  query: Query,
  channel: string,
  held: LeasedOperation,
  pause: Pause,
): Promise<boolean> {
  const { until, unbound } = pause;
  const steps = stepsToWrite(held, pause);
  const isNews = 'dueMs' in until && until.dueMs < longestSleep;
  const changes: Columns = {
    failures: sql`${pause.failures}::integer`,
    trouble: note(pause.trouble),
    note: sql`coalesce(${note(pause.note)}, note)`,
    failure: sql`coalesce(${json(pause.failure && { ...pause.failure })}, failure)`,
    confidential: sql`${JSON.stringify(confidentialAfter(held, pause))}::text`,
    due_at: fromNow('holdMs' in until ? until.holdMs : until.dueMs),
    ...('dueMs' in until && { holder: sql`null` }),
    ...(pause.deadlineMs !== undefined && { deadline: fromNow(pause.deadlineMs) }),
  };
  const rows = await query(sql`
    with kept as (update operations set ${assignments(changes)} where ${stillHeld(held.operation)} returning id)
    ${unbound ? sql`, unbound as (${removal(unbound)})` : sql``}
    ${steps.length > 0 ? sql`, noted as (${entries(steps, sql`kept`)})` : sql``}
    select ${isNews ? sql`pg_notify(${channel}, 'due'),` : sql``} true as postponed from kept`);
  return rows.length > 0;
}

function removal({ instanceId, id }: ServiceBinding): Sql {
  return sql`delete from service_bindings where instance_id = ${instanceId} and id = ${id} and exists (select from kept)`;
}

export async function holdBack(query: Query, cancelledId: string, leaseMs: number): Promise<void> {
  await query(sql`update operations set due_at = ${fromNow(leaseMs)} where ${waitingFor(cancelledId)}`);
}

export async function release(query: Query, channel: string, cancelledId: string): Promise<void> {
  await query(sql`
    with released as (update operations set due_at = now() where ${waitingFor(cancelledId)} returning id)
    select pg_notify(${channel}, 'due') from released`);
}

/** What this node may run; without one, what any broker can. */
export function runnableOn(node: string | undefined): Sql {
  return sql`(node is null or node = ${node}::text)`;
}

export function fromNow(ms: number): Sql {
  return sql`now() + ${ms} * interval '1 millisecond'`;
}

/** The fence: who lost the operation, by its lease or because it was cancelled, cannot write any more. */
export function stillHeld({ id, attempt }: OnBehalfOf): Sql {
  return sql`id = ${id} and attempt = ${attempt} and state = 'in progress' and holder is not null`;
}

/** The follower of a cancelled operation, as long as nobody has started on it. */
function waitingFor(cancelledId: string): Sql {
  return sql`follows = ${cancelledId} and state = 'in progress' and attempt = 0 and holder is null`;
}
