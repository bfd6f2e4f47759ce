import type { AuditEntry } from '../../../broker/audit.ts';
import type { Operation, OperationFailure } from '../../../broker/records.ts';
import type { Forgotten } from '../../../broker/listing.ts';
import type { Query } from '../../../postgres/query.ts';
import { sql, type Sql } from '../../../postgres/sql.ts';
import { auditEnding, auditInsertion } from '../audit/write.ts';
import { json, readOperation } from '../rows.ts';

/**
 * One statement. What is opened while it waits for a row has raised the version of the instance, so it is not overlooked;
 * the rows are locked in the order operation, instance, binding.
 */
export async function purge(
  query: Query,
  channel: string,
  what: Forgotten,
  failure: OperationFailure,
  audit: AuditEntry,
): Promise<readonly Operation[] | undefined> {
  const { instanceId, bindingId } = what;
  const own = bindingId === undefined ? sql`true` : sql`binding_id = ${bindingId}`;
  const [row] = await query(sql`
    with old as (
      select id from operations where instance_id = ${instanceId} and state = 'in progress' and ${own} for update
    ), ${removal(what)}, ended as (
      update operations set state = 'failed', failure = ${json({ ...failure })}, finished_at = now(), holder = null,
        trouble = null, confidential = '{}'
      where id in (select id from old) and exists (select from gone) returning *
    ), concluded as (${auditEnding(sql`select id from ended`, { outcome: 'failed', reason: failure.word })}),
    audited as (${auditInsertion(audit, sql`gone`)})
    select (select json_agg(to_json(e)) from ended e) as ended,
      (select string_agg(pg_notify(${channel}, 'cancelled ' || id)::text, '') from ended) as told
    from gone`);
  const ended = row && ((row['ended'] ?? []) as readonly unknown[]);
  return ended?.flatMap((one) => readOperation(one) ?? []);
}

/** The open operations are locked first. */
function removal({ instanceId, version, bindingId }: Forgotten): Sql {
  const asRead = sql`id = ${instanceId} and version = ${version} and (select count(*) from old) >= 0`;
  if (bindingId === undefined)
    return sql`gone as (delete from service_instances where ${asRead} returning id)`;
  return sql`kept as (select id from service_instances where ${asRead} for no key update),
    gone as (delete from service_bindings where instance_id in (select id from kept) and id = ${bindingId} returning id)`;
}
