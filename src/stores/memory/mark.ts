import type { AuditEntry } from '../../broker/audit.ts';
import type { Mark } from '../../broker/listing.ts';
import type { ServiceInstance } from '../../broker/records.ts';
import { writeAudit } from './audit.ts';
import type { Tables } from './tables.ts';

export function mark(
  tables: Tables,
  { instanceId, version, protectedFrom, keptUntil }: Mark,
  audit: AuditEntry,
): boolean {
  const row = tables.instances.get(instanceId);
  if (row?.record.version !== version) return false;
  const written = { ...row.record, version: version + 1, updatedAt: new Date(tables.now()) };
  const record = withMarks(written, { ...row.record, protectedFrom, keptUntil }, true);
  tables.instances.set(instanceId, { ...row, record });
  writeAudit(tables, audit);
  return true;
}

/**
 * What an operation writes, with the marks as they are now.
 * @param isAll the one that only a deletion writes, too
 */
export function withMarks(
  { protectedFrom: before, keptUntil: written, ...rest }: ServiceInstance,
  now: Partial<Pick<ServiceInstance, 'protectedFrom' | 'keptUntil'>> | undefined,
  isAll = false,
): ServiceInstance {
  const protectedFrom = now ? now.protectedFrom : before;
  const keptUntil = isAll ? now?.keptUntil : (written ?? now?.keptUntil);
  return { ...rest, ...(protectedFrom && { protectedFrom }), ...(keptUntil && { keptUntil }) };
}
