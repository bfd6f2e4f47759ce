import type { AuditEntry } from '../../../broker/audit.ts';
import type { Mark } from '../../../broker/listing.ts';
import type { Query } from '../../../postgres/query.ts';
import { sql } from '../../../postgres/sql.ts';
import { auditInsertion } from '../audit/write.ts';

/** No operation writes these columns, so one that goes on does not undo it; the version tells who decides. */
export async function mark(
  query: Query,
  { instanceId, version, protectedFrom, keptUntil }: Mark,
  audit: AuditEntry,
): Promise<boolean> {
  const rows = await query(sql`
    with marked as (
      update service_instances set protected_from = ${protectedFrom}::timestamptz,
        kept_until = ${keptUntil}::timestamptz, version = version + 1, updated_at = now()
      where id = ${instanceId} and version = ${version} returning id
    ), audited as (${auditInsertion(audit, sql`marked`)})
    select id from marked`);
  return rows.length > 0;
}
