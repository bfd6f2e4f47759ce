// Parts of statements that write the audit trail, so that each entry stands or falls with its deed.
import type { AuditEnd, AuditEntry } from '../../../broker/audit.ts';
import { columnSet } from '../../../postgres/column-set.ts';
import { type Sql, sql } from '../../../postgres/sql.ts';
import { json } from '../rows.ts';
import { jsonText } from '../written.ts';

/**
 * Writes an entry.
 * @param when a part of the statement with a row when the deed is done; absent: in any case
 */
export function auditInsertion(entry: AuditEntry, when?: Sql): Sql {
  const only = when ? sql`where exists (select from ${when})` : sql``;
  return sql`insert into audit_trail (${columns.names}, ended_at)
    select ${columns.values(entry)}, ${entry.outcome === undefined ? sql`null::timestamptz` : sql`now()`} ${only}`;
}

const columns = columnSet<AuditEntry>({
  id: ['text', ({ id }) => id],
  broker: ['text', ({ broker }) => broker],
  protocol: ['text', ({ protocol }) => protocol],
  principal: ['text', ({ principal }) => principal],
  request_id: ['text', ({ requestId }) => requestId],
  verb: ['text', ({ verb }) => verb],
  object_kind: ['text', ({ object }) => object.kind],
  object_id: ['text', ({ object }) => ('id' in object ? object.id : undefined)],
  instance_id: ['text', ({ object }) => ('instanceId' in object ? object.instanceId : undefined)],
  before: ['json', ({ before }) => jsonText(before)],
  after: ['json', ({ after }) => jsonText(after)],
  outcome: ['text', ({ outcome }) => outcome],
  confidential: ['text', ({ confidential }) => jsonText(confidential)],
});

/** Says of entries how it ended. @param ids a query that gives their ids */
export function auditEnding(ids: Sql, { outcome, reason, result }: AuditEnd): Sql {
  return sql`
    update audit_trail set outcome = ${outcome}::text, reason = ${reason}::text, result = ${json(result)},
      ended_at = now()
    where id in (${ids}) and outcome is null`;
}
