import {
  isPlatformKind,
  type FoundBinding,
  type FoundInstance,
  type Operation,
  type ServiceBinding,
} from '../../broker/records.ts';
import type { FoundOperation, OperationQuery } from '../../broker/store.ts';
import type { ListedBinding } from '../../broker/listing.ts';
import { carriable } from './lease.ts';
import { bindingKey, bindingsOf, type Row, type Tables } from './tables.ts';

export function findInstance(tables: Tables, instanceId: string): FoundInstance | undefined {
  const row = tables.instances.get(instanceId);
  if (!row) return undefined;
  const operation = operationOf(tables, row);
  const bindings = bindingsOf(tables, instanceId);
  const bindingsBusy = bindings.some(({ operationId }) => operationId !== undefined);
  const neededBy = dependents(bindings).filter((id) => tables.instances.has(id));
  return {
    instance: row.record,
    ...(operation && { operation }),
    bindingsBusy,
    hasUntold:
      [...tables.operations.values()].some((one) => isUntold(one.operation, instanceId)) || undefined,
    ...(neededBy.length > 0 && { neededBy }),
  };
}

function isUntold({ state, untold, instanceId }: Operation, id: string): boolean {
  return instanceId === id && state === 'failed' && untold === true;
}

/** A bind that failed holds nothing, and what was forgotten needs nothing. */
function dependents(bindings: readonly Row<ServiceBinding>[]): readonly string[] {
  const holding = bindings.filter(({ record, operationId }) => record.ready || operationId !== undefined);
  const ids = holding.flatMap(({ record: { dependent } }) => (dependent === undefined ? [] : [dependent]));
  return [...new Set(ids)].toSorted();
}

export function findBinding(tables: Tables, instanceId: string, bindingId: string): FoundBinding {
  const found = findInstance(tables, instanceId);
  const row = tables.bindings.get(bindingKey(instanceId, bindingId));
  const operation = row && operationOf(tables, row);
  return { ...(found && { found }), ...(row && { binding: row.record }), ...(operation && { operation }) };
}

/** The open operation of a row. */
export function operationOf(
  { operations }: Tables,
  { operationId = '' }: Row<unknown>,
): Operation | undefined {
  return operations.get(operationId)?.operation;
}

export function lastOperation(
  { instances, bindings, operations, now }: Tables,
  { instanceId, bindingId, operationId = '' }: OperationQuery,
): FoundOperation {
  const own = [...operations.values()]
    .map(({ operation }) => operation)
    .filter((operation) => operation.instanceId === instanceId && operation.bindingId === bindingId);
  const operation =
    own.find(({ id }) => id === operationId) ?? own.findLast(({ kind }) => isPlatformKind(kind));
  const exists =
    bindingId === undefined
      ? instances.has(instanceId) && !instances.get(instanceId)?.record.keptUntil
      : bindings.has(bindingKey(instanceId, bindingId));
  const endedMs = operation?.finishedAt && now() - operation.finishedAt.getTime();
  const lost = instances.get(instanceId)?.record.lost;
  return {
    ...(operation && { operation }),
    ...(endedMs !== undefined && { endedMs }),
    exists,
    ...(lost && { lost }),
  };
}

export function history({ operations }: Tables, instanceId: string, limit: number): readonly Operation[] {
  const own = [...operations.values()]
    .map(({ operation }) => operation)
    .filter((operation) => operation.instanceId === instanceId);
  return own.toReversed().slice(0, limit);
}

/** Without what is confidential. */
export function discreet<Rec extends { readonly confidential: unknown }>(
  rec: Rec,
): Omit<Rec, 'confidential'> {
  const { confidential: _hidden, ...rest } = rec;
  return rest;
}

export function bindings(tables: Tables, instanceId: string): readonly ListedBinding[] {
  return bindingsOf(tables, instanceId)
    .toSorted(({ record: a }, { record: b }) => a.createdAt.getTime() - b.createdAt.getTime())
    .map((row) => {
      const operation = operationOf(tables, row);
      return { binding: discreet(row.record), ...(operation && { operation: discreet(operation) }) };
    });
}

export function leftBinding(tables: Tables, instanceId: string): ServiceBinding | undefined {
  const bindings = bindingsOf(tables, instanceId).map(({ record }) => record);
  return bindings.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())[0];
}

/** Bindings that should have been unbound and could be now; the oldest first. */
export function expired({ instances, bindings, now }: Tables, limit: number): readonly ServiceBinding[] {
  return [...bindings.values()]
    .filter(({ record, operationId }) => record.ready && operationId === undefined)
    .map(({ record }) => record)
    .filter((record) => expiryOf(record) <= now())
    .filter(({ instanceId }) => {
      const instance = instances.get(instanceId);
      return instance?.record.ready && instance.operationId === undefined;
    })
    .toSorted((a, b) => expiryOf(a) - expiryOf(b))
    .slice(0, limit);
}

function expiryOf({ expiresAt }: ServiceBinding): number {
  return expiresAt?.getTime() ?? Infinity;
}

export function keptEnough({ instances, now }: Tables, limit: number): readonly string[] {
  const isOver = (at: Date | undefined) => at !== undefined && at.getTime() <= now();
  return [...instances.values()]
    .filter(
      ({ record, operationId }) =>
        isOver(record.keptUntil) && operationId === undefined && !isOver(record.protectedFrom),
    )
    .map(({ record }) => record.id)
    .slice(0, limit);
}

export function nextDue(tables: Tables, node: string | undefined): number | undefined {
  const times = carriable(tables, node).map(({ dueAt }) => dueAt);
  return times.length > 0 ? Math.max(0, Math.min(...times) - tables.now()) : undefined;
}
