import type { AuditEntry } from '../../broker/audit.ts';
import type { Operation, OperationFailure } from '../../broker/records.ts';
import type { Forgotten } from '../../broker/listing.ts';
import { concludeAudit, writeAudit } from './audit.ts';
import { inProgress } from './lease.ts';
import { bindingKey, removeInstance, type Tables } from './tables.ts';

export function purge(
  tables: Tables,
  { instanceId, version, bindingId }: Forgotten,
  failure: OperationFailure,
  audit: AuditEntry,
): readonly Operation[] | undefined {
  if (tables.instances.get(instanceId)?.record.version !== version) return undefined;
  const key = bindingId === undefined ? undefined : bindingKey(instanceId, bindingId);
  if (key !== undefined && !tables.bindings.delete(key)) return undefined;
  if (key === undefined) removeInstance(tables, instanceId);
  const open = inProgress(tables).filter(
    ({ operation: one }) =>
      one.instanceId === instanceId && (bindingId === undefined || one.bindingId === bindingId),
  );
  writeAudit(tables, audit);
  return open.map((queued) => {
    const { holder: _holder, trouble: _trouble, ...operation } = queued.operation;
    const finishedAt = new Date(tables.now());
    const ended = { ...operation, state: 'failed', failure, finishedAt, confidential: {} } as const;
    tables.operations.set(operation.id, { ...queued, operation: ended });
    concludeAudit(tables, operation.id, { outcome: 'failed', reason: failure.word });
    tables.tell({ cancelled: operation.id });
    return ended;
  });
}
