import type { AuditEntry } from '../../broker/audit.ts';
import type { Mark } from '../../broker/listing.ts';
import type { ServiceInstance } from '../../broker/records.ts';
import { writeAudit } from './audit.ts';
import type { Tables } from './tables.ts';

export function mark(
  tables: Tables,
  { instanceId, version, protectedFrom }: Mark,
  audit: AuditEntry,
): boolean {
  const row = tables.instances.get(instanceId);
  if (row?.record.version !== version) return false;
  const written = { ...row.record, version: version + 1, updatedAt: new Date(tables.now()) };
  const record = withMarks(written, { ...row.record, protectedFrom });
  tables.instances.set(instanceId, { ...row, record });
  writeAudit(tables, audit);
  return true;
}

/** What an operation writes, with the marks as they are now. */
export function withMarks(written: ServiceInstance, now: ServiceInstance | undefined): ServiceInstance {
  const { protectedFrom: _before, ...rest } = written;
  const { protectedFrom } = now ?? written;
  return protectedFrom ? { ...rest, protectedFrom } : rest;
}
