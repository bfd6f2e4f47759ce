import type { Operation, ServiceBinding, ServiceInstance } from '../../broker/records.ts';
import { recordIn, type Opening } from '../../broker/store.ts';
import { mayOpen } from '../../broker/exclusion.ts';
import { cancelledBy } from '../cancelled-by.ts';
import { concludeAudit, writeAudit } from './audit.ts';
import { inProgress } from './lease.ts';
import { withMarks } from './mark.ts';
import { bindingKey, lookAtOnce, removeInstance, type Row, type Tables } from './tables.ts';

/**
 * All that may be stale is looked at before anything is written.
 * @param cost what the instance will take of its node when the operation has succeeded
 */
export function open(tables: Tables, opening: Opening, cost?: number): boolean {
  const { cancels } = opening;
  const operation = placed(tables, opening);
  const old = cancels === undefined ? undefined : tables.operations.get(cancels);
  if (cancels !== undefined && old?.operation.state !== 'in progress') return false;
  if (tables.operations.has(operation.id) || !isWanted(tables, opening)) return false;
  const open = inProgress(tables)
    .map((one) => one.operation)
    .filter(({ instanceId }) => instanceId === operation.instanceId);
  if (!mayOpen(operation, open, cancels)) return false;
  if (!mayChangeInstance(tables, opening) || !mayChangeBinding(tables, opening)) return false;
  const dueAt = firstDue(tables, opening);
  if (cancels !== undefined) cancel(tables, cancels, operation);
  changeInstance(tables, opening);
  changeBinding(tables, opening);
  tables.operations.set(operation.id, { operation: born(tables, operation), dueAt, cost });
  writeAudit(tables, opening.audit);
  if (operation.state === 'in progress' && operation.holder === undefined && dueAt <= tables.now()) {
    tables.tell({ due: true });
  }
  return true;
}

/** Only as long as the operation for whose sake it is is in the same hands. */
function isWanted({ operations }: Tables, { onBehalfOf: within }: Opening): boolean {
  const other = within && operations.get(within.id)?.operation;
  return !within || (other?.state === 'in progress' && !!other.holder && other.attempt === within.attempt);
}

/** Only the node that an instance is on runs its operations, and those of its bindings. */
function placed({ instances }: Tables, { instance, operation }: Opening): Operation {
  const { node: _given, ...rest } = operation;
  const record = 'keep' in instance ? instances.get(operation.instanceId)?.record : recordIn(instance);
  return record?.place ? { ...rest, node: record.place.node } : rest;
}

function mayChangeInstance({ instances }: Tables, { instance, operation, cancels }: Opening): boolean {
  const row = instances.get(operation.instanceId);
  if ('keep' in instance) return row !== undefined && row.record.ready && row.operationId === undefined;
  const { version } = 'put' in instance ? instance.put : instance.remove;
  if (version === 0) return row === undefined && 'put' in instance && isNew(instances, instance.put);
  return row?.record.version === version && row.operationId === cancels;
}

/** A key is of one instance. */
function isNew(instances: Tables['instances'], { key }: ServiceInstance): boolean {
  return key === undefined || [...instances.values()].every(({ record }) => record.key !== key);
}

function mayChangeBinding({ bindings }: Tables, { instance, binding, operation, cancels }: Opening): boolean {
  if (!('keep' in instance)) return true;
  const row = bindings.get(bindingKey(operation.instanceId, operation.bindingId ?? ''));
  if (binding && 'put' in binding && operation.kind === 'bind')
    return !row || (!row.record.ready && row.operationId === cancels);
  if (!row || row.operationId !== cancels) return false;
  const read = binding && ('put' in binding ? binding.put : binding.remove);
  return !read || row.record.createdAt <= read.createdAt;
}

function firstDue({ operations, now }: Tables, { operation, cancels = '', leaseMs }: Opening): number {
  if (operation.holder !== undefined) return now() + leaseMs;
  const old = operations.get(cancels);
  const waits = operation.follows === cancels && old?.operation.holder !== undefined;
  return waits ? Math.max(old.dueAt, now()) : now();
}

function cancel(tables: Tables, id: string, by: Operation): void {
  const { operations, now, tell } = tables;
  const old = operations.get(id);
  if (!old) return;
  const { holder: _holder, trouble: _trouble, ...rest } = old.operation;
  const ended = {
    state: 'failed',
    failure: cancelledBy(by.kind),
    finishedAt: new Date(now()),
    confidential: {},
  } as const;
  operations.set(id, { ...old, operation: { ...rest, ...ended } });
  concludeAudit(tables, id, { outcome: 'failed', reason: ended.failure.word });
  tell({ cancelled: id });
}

function changeInstance(tables: Tables, { instance, binding, operation }: Opening): void {
  const time = new Date(tables.now());
  const operationId = openOperation(operation);
  if ('remove' in instance) return removeInstance(tables, instance.remove.id);
  if ('put' in instance) {
    const { id, version } = instance.put;
    const before = tables.instances.get(id)?.record;
    const createdAt = before?.createdAt ?? time;
    const written = { ...instance.put, version: version + 1, createdAt, updatedAt: time };
    const record = withMarks(written, before);
    tables.instances.set(id, { record, operationId });
    if (operationId === undefined) lookAtOnce(tables, id);
    return undefined;
  }
  const row = tables.instances.get(instance.keep.id);
  // One that is over at once changes nothing that a decision on the instance could overlook, unless somebody needs
  // the instance from then on.
  const needed = binding && 'put' in binding && binding.put.dependent !== undefined;
  if (!row || (operationId === undefined && !needed)) return undefined;
  tables.instances.set(instance.keep.id, {
    ...row,
    record: { ...row.record, version: row.record.version + 1 },
  });
  return undefined;
}

function changeBinding(tables: Tables, { instance, binding, operation }: Opening): void {
  if (!('keep' in instance)) return;
  const key = bindingKey(operation.instanceId, operation.bindingId ?? '');
  const row = tables.bindings.get(key);
  const operationId = openOperation(operation);
  if (!binding) {
    if (row) tables.bindings.set(key, { ...row, operationId });
  } else if ('remove' in binding) {
    tables.bindings.delete(key);
  } else {
    tables.bindings.set(key, { record: asBorn(tables, binding.put, operation, row), operationId });
  }
}

function asBorn(
  { now }: Tables,
  binding: ServiceBinding,
  { kind }: Operation,
  row?: Row<ServiceBinding>,
): ServiceBinding {
  return { ...binding, createdAt: (kind === 'bind' ? undefined : row?.record.createdAt) ?? new Date(now()) };
}

function openOperation({ id, state }: Operation): string | undefined {
  return state === 'in progress' ? id : undefined;
}

/** Times are the store's own: those of the brokers only say how long. */
function born({ now }: Tables, operation: Operation): Operation {
  const createdAt = new Date(now());
  const deadline = new Date(now() + operation.deadline.getTime() - operation.createdAt.getTime());
  if (operation.state === 'in progress') return { ...operation, createdAt, deadline };
  const { holder: _holder, ...rest } = operation;
  return { ...rest, createdAt, deadline, finishedAt: createdAt, confidential: {} };
}
