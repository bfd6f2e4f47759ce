import type { AuditEntry } from '../../broker/audit.ts';
import type { Operation, OperationFailure } from '../../broker/records.ts';
import { writeAudit } from './audit.ts';
import type { Tables } from './tables.ts';

export function cancel(
  tables: Tables,
  operationId: string,
  failure: OperationFailure,
  audit: AuditEntry,
): Operation | undefined {
  const queued = tables.operations.get(operationId);
  if (queued?.operation.state !== 'in progress' || queued.operation.failure || queued.operation.cancelled)
    return undefined;
  const operation = { ...queued.operation, cancelled: failure };
  const waits = operation.holder !== undefined || operation.follows !== undefined;
  tables.operations.set(operationId, { ...queued, operation, dueAt: waits ? queued.dueAt : tables.now() });
  writeAudit(tables, audit);
  tables.tell({ ending: operationId });
  return operation;
}
