// Remembers in this process only, by the same rules as the durable stores: for tests and trials.
import type { JsonObject } from '../broker/json.ts';
import type { Operation, ServiceBinding } from '../broker/records.ts';
import type { Hint, OperationQuery, Store } from '../broker/store.ts';
import { claim, delayFollower, inProgress, postpone, renew, settle } from './memory/hold.ts';
import { open } from './memory/open.ts';
import { bindingKey, bindingsOf, findBinding, findInstance, type Tables } from './memory/tables.ts';

/** @param now the clock of leases, pauses and expiries; tests hand in one that they move. */
export function memoryStore(now: () => Date = () => new Date()): Store {
  const listeners = new Set<(hint: Hint) => void>();
  const revisions = new Map<string, JsonObject>();
  const tables: Tables = {
    instances: new Map(),
    bindings: new Map(),
    operations: new Map(),
    now: () => now().getTime(),
    tell(hint) {
      for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(hint));
    },
  };
  // `async` makes whatever goes wrong a rejection, as with a real database; none of these waits.
  return {
    findInstance: async (instanceId) => findInstance(tables, instanceId),
    findBinding: async (instanceId, bindingId) => findBinding(tables, instanceId, bindingId),
    open: async (opening) => open(tables, opening),
    claim: async (holder, leaseMs) => claim(tables, holder, leaseMs),
    renew: async (held, leaseMs) => renew(tables, held, leaseMs),
    postpone: async (held, pause) => postpone(tables, held, pause),
    settle: async (held, settlement) => settle(tables, held, settlement),
    async holdBack(cancelledId, leaseMs) {
      delayFollower(tables, cancelledId, leaseMs);
    },
    async release(cancelledId) {
      if (delayFollower(tables, cancelledId, 0)) tables.tell({ due: true });
    },
    lastOperation: async (query) => lastOperation(tables, query),
    leftBinding: async (instanceId) => oldest(bindingsOf(tables, instanceId).map(({ record }) => record)),
    expired: async (limit) => expiring(tables).filter(isPast(tables)).slice(0, limit),
    nextDue: async () => nextDue(tables),
    prune: async (olderThanMs) => prune(tables, olderThanMs),
    async saveRevisions(plans) {
      for (const { revision, definition } of plans) revisions.set(revision, definition);
    },
    findRevision: async (revision) => revisions.get(revision),
    listen(onHint) {
      const listener = (hint: Hint) => onHint(hint);
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
    ping: async () => undefined,
  };
}

function lastOperation(
  { instances, bindings, operations }: Tables,
  { instanceId, bindingId, operationId = '' }: OperationQuery,
): { operation?: Operation; exists: boolean } {
  const own = [...operations.values()]
    .map(({ operation }) => operation)
    .filter((operation) => operation.instanceId === instanceId && operation.bindingId === bindingId);
  const operation = own.find(({ id }) => id === operationId) ?? own.at(-1);
  const exists =
    bindingId === undefined ? instances.has(instanceId) : bindings.has(bindingKey(instanceId, bindingId));
  return { ...(operation && { operation }), exists };
}

function oldest(bindings: readonly ServiceBinding[]): ServiceBinding | undefined {
  return bindings.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())[0];
}

/** Bindings that shall be unbound one day, and could be now; the next one first. */
function expiring({ instances, bindings }: Tables): ServiceBinding[] {
  return [...bindings.values()]
    .filter(({ record, operationId }) => record.ready && record.expiresAt && operationId === undefined)
    .map(({ record }) => record)
    .filter(({ instanceId }) => {
      const instance = instances.get(instanceId);
      return instance?.record.ready && instance.operationId === undefined;
    })
    .toSorted((a, b) => expiryOf(a) - expiryOf(b));
}

function isPast({ now }: Tables): (binding: ServiceBinding) => boolean {
  return (binding) => expiryOf(binding) <= now();
}

function expiryOf({ expiresAt }: ServiceBinding): number {
  return expiresAt?.getTime() ?? Infinity;
}

function nextDue(tables: Tables): number | undefined {
  const times = inProgress(tables).map(({ dueAt }) => dueAt);
  return times.length > 0 ? Math.max(0, Math.min(...times) - tables.now()) : undefined;
}

function prune({ operations, now }: Tables, olderThanMs: number): number {
  const old = [...operations.values()].filter(({ operation: { finishedAt } }) => {
    return finishedAt !== undefined && finishedAt.getTime() < now() - olderThanMs;
  });
  for (const { operation } of old) operations.delete(operation.id);
  return old.length;
}
