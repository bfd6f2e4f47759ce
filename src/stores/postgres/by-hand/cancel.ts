import type { AuditEntry } from '../../../broker/audit.ts';
import type { Operation, OperationFailure } from '../../../broker/records.ts';
import type { Query } from '../../../postgres/query.ts';
import { sql } from '../../../postgres/sql.ts';
import { auditInsertion } from '../audit/write.ts';
import { json, readOperation } from '../rows.ts';

/** What nobody has in hand is due at once; who has it hears of it by the hint, or with the next beat of its lease. */
export async function cancel(
  query: Query,
  channel: string,
  operationId: string,
  failure: OperationFailure,
  audit: AuditEntry,
): Promise<Operation | undefined> {
  const [row] = await query(sql`
    with asked as (
      update operations set cancelled = ${json({ ...failure })},
        due_at = case when holder is null and follows is null then now() else due_at end
      where id = ${operationId} and state = 'in progress' and failure is null and cancelled is null returning *
    ), audited as (${auditInsertion(audit, sql`asked`)})
    select to_json(a) as operation, pg_notify(${channel}, 'ending ' || id) as told from asked a`);
  return row && readOperation(row['operation']);
}
