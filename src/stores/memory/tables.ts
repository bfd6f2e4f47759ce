import type {
  FoundBinding,
  FoundInstance,
  Operation,
  ServiceBinding,
  ServiceInstance,
} from '../../broker/records.ts';
import type { Hint } from '../../broker/store.ts';

export interface Row<Rec> {
  readonly record: Rec;
  /** The open operation on it. */
  readonly operationId?: string | undefined;
}

export interface Queued {
  readonly operation: Operation;
  readonly dueAt: number;
}

export interface Tables {
  readonly instances: Map<string, Row<ServiceInstance>>;
  readonly bindings: Map<string, Row<ServiceBinding>>;
  /** In the order in which they were opened. */
  readonly operations: Map<string, Queued>;
  readonly now: () => number;
  readonly tell: (hint: Hint) => void;
}

export function bindingKey(instanceId: string, bindingId: string): string {
  return JSON.stringify([instanceId, bindingId]);
}

export function bindingsOf({ bindings }: Tables, instanceId: string): Row<ServiceBinding>[] {
  return [...bindings.values()].filter(({ record }) => record.instanceId === instanceId);
}

export function removeInstance(tables: Tables, instanceId: string): void {
  for (const { record } of bindingsOf(tables, instanceId)) {
    tables.bindings.delete(bindingKey(instanceId, record.id));
  }
  tables.instances.delete(instanceId);
}

export function findInstance(tables: Tables, instanceId: string): FoundInstance | undefined {
  const row = tables.instances.get(instanceId);
  if (!row) return undefined;
  const operation = operationOf(tables, row);
  const bindingsBusy = bindingsOf(tables, instanceId).some(({ operationId }) => operationId !== undefined);
  return { instance: row.record, ...(operation && { operation }), bindingsBusy };
}

export function findBinding(tables: Tables, instanceId: string, bindingId: string): FoundBinding {
  const found = findInstance(tables, instanceId);
  const row = tables.bindings.get(bindingKey(instanceId, bindingId));
  const operation = row && operationOf(tables, row);
  return { ...(found && { found }), ...(row && { binding: row.record }), ...(operation && { operation }) };
}

function operationOf({ operations }: Tables, { operationId = '' }: Row<unknown>): Operation | undefined {
  return operations.get(operationId)?.operation;
}
