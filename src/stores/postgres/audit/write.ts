// Parts of statements that write the audit trail, so that each entry stands or falls with its deed.
import type { AuditEnd, AuditEntry } from '../../../broker/audit.ts';
import { type Sql, sql } from '../../../postgres/sql.ts';
import { columnsOf, type Columns, json, names } from '../rows.ts';

/**
 * Writes an entry.
 * @param when a part of the statement with a row when the deed is done; absent: in any case
 */
export function auditInsertion(entry: AuditEntry, when?: Sql): Sql {
  const { object, outcome } = entry;
  const columns: Columns = {
    id: sql`${entry.id}::text`,
    broker: sql`${entry.broker}::text`,
    protocol: sql`${entry.protocol}::text`,
    principal: sql`${entry.principal}::text`,
    request_id: sql`${entry.requestId}::text`,
    verb: sql`${entry.verb}::text`,
    object_kind: sql`${object.kind}::text`,
    object_id: sql`${'id' in object ? object.id : undefined}::text`,
    instance_id: sql`${'instanceId' in object ? object.instanceId : undefined}::text`,
    before: json(entry.before),
    after: json(entry.after),
    outcome: sql`${outcome}::text`,
    ended_at: outcome === undefined ? sql`null::timestamptz` : sql`now()`,
    confidential: sql`${JSON.stringify(entry.confidential)}::text`,
  };
  const only = when ? sql`where exists (select from ${when})` : sql``;
  return sql`insert into audit_trail (${names(columns)}) select ${columnsOf(columns)} ${only}`;
}

/** Says of entries how it ended. @param ids a query that gives their ids */
export function auditEnding(ids: Sql, { outcome, reason, result }: AuditEnd): Sql {
  return sql`
    update audit_trail set outcome = ${outcome}::text, reason = ${reason}::text, result = ${json(result)},
      ended_at = now()
    where id in (${ids}) and outcome is null`;
}
