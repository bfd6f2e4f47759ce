import type { ServicePlan } from '../../broker/catalog.ts';
import type { AuditEntry } from '../../broker/audit.ts';
// Remembers in this process only, by the same rules as the durable stores: for tests and trials.
import type { Nodes, Ports, Users } from '../../broker/nodes.ts';
import type { Orphans } from '../../broker/orphans.ts';
import type { Hint, Store } from '../../broker/store.ts';
import { auditOf, writeAudit } from './audit.ts';
import { backupsOf } from './backups.ts';
import { claimCheck, nextCheck, saveSeen } from './unit-checks.ts';
import {
  bindings,
  expired,
  keptEnough,
  findBinding,
  findInstance,
  history,
  lastOperation,
  leftBinding,
  nextDue,
} from './find.ts';
import { listBindings } from './list-bindings.ts';
import { countDrifted, list, listOperations } from './list.ts';
import { cancel } from './cancel.ts';
import { mark } from './mark.ts';
import { purge } from './purge.ts';
import { claim, delayFollower, postpone, renew, settle, tell } from './lease.ts';
import { costOf, holdersOf, nodesOf, place } from './nodes.ts';
import { listUses } from './quota.ts';
import { open } from './open.ts';
import { orphansOf } from './orphans.ts';
import { portsOf } from './ports.ts';
import { usersOf } from './users.ts';
import { newTables, type Tables } from './tables.ts';

/** All that is remembered, of one memory. */
export interface MemoryDatabase {
  readonly store: Store;
  readonly nodes: Nodes;
  readonly ports: Ports;
  readonly users: Users;
  readonly orphans: Orphans;
}

/** @param now the clock of leases, pauses and expiries; tests hand in one that they move. */
export function memoryStore(now?: () => Date): Store {
  return memoryDatabase(now).store;
}

/** @param now as for `memoryStore` */
export function memoryDatabase(now: () => Date = () => new Date()): MemoryDatabase {
  const tables = newTables(now);
  return {
    store: storeOf(tables),
    nodes: nodesOf(tables),
    ports: portsOf(tables),
    users: usersOf(tables),
    orphans: orphansOf(tables),
  };
}

function storeOf(tables: Tables): Store {
  const { revisions, listeners, timelines, checks } = tables;
  // `async` makes whatever goes wrong a rejection, as with a real database; none of these waits.
  return {
    findInstance: async (instanceId) => findInstance(tables, instanceId),
    findBinding: async (instanceId, bindingId) => findBinding(tables, instanceId, bindingId),
    open: async (opening) => open(tables, opening),
    place: async (opening, demand) => place(tables, opening, demand),
    claim: async (holder, leaseMs, node) => claim(tables, holder, leaseMs, node),
    renew: async (held, leaseMs) => renew(tables, held, leaseMs),
    postpone: async (held, pause) => postpone(tables, held, pause),
    settle: async (held, settlement) => settle(tables, held, settlement),
    ...byHandOf(tables),
    async holdBack(cancelledId, leaseMs) {
      delayFollower(tables, cancelledId, leaseMs);
    },
    release: async (cancelledId) =>
      void (delayFollower(tables, cancelledId, 0) && tables.tell({ due: true })),
    lastOperation: async (query) => lastOperation(tables, query),
    tell: async (operationId) => tell(tables, operationId),
    leftBinding: async (instanceId) => leftBinding(tables, instanceId),
    bindings: async (instanceId) => bindings(tables, instanceId),
    expired: async (limit) => expired(tables, limit),
    keptEnough: async (limit) => keptEnough(tables, limit),
    nextDue: async (node) => nextDue(tables, node),
    prune: async (olderThanMs) => prune(tables, olderThanMs),
    timeline: async (operationId) => timelines.get(operationId) ?? [],
    history: async (instanceId, limit) => history(tables, instanceId, limit),
    listUses: async (count, per, limit) =>
      listUses(tables, holdersOf(tables), count, { per, limit }, (one) => costOf(tables, one)),
    list: async (query) => list(tables, query),
    listOperations: async (query) => listOperations(tables, query),
    listBindings: async (query) => listBindings(tables, query),
    countDrifted: async (plans) => countDrifted(tables, plans),
    claimUnitCheck: async (node) => claimCheck(tables, node),
    nextUnitCheck: async (node) => nextCheck(tables, node),
    saveSeen: async (instanceId, seen, dueMs) => saveSeen(tables, instanceId, seen, dueMs),
    findSeen: async (instanceId) => checks.get(instanceId)?.seen,
    saveRevisions: async (plans, audit) => saveRevisions(tables, plans, audit),
    findRevision: async (revision) => revisions.get(revision),
    audit: auditOf(tables),
    backups: backupsOf(tables),
    listen(onHint) {
      const listener = (hint: Hint) => onHint(hint);
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
    ping: async () => undefined,
  };
}

/** What operators do to instances and operations. */
function byHandOf(tables: Tables): Pick<Store, 'mark' | 'purge' | 'cancel'> {
  return {
    mark: async (what, audit) => mark(tables, what, audit),
    purge: async (what, failure, audit) => purge(tables, what, failure, audit),
    cancel: async (operationId, failure, audit) => cancel(tables, operationId, failure, audit),
  };
}

function saveRevisions(tables: Tables, plans: readonly ServicePlan[], audit?: AuditEntry): void {
  const { revisions } = tables;
  if (plans.some(({ revision }) => !revisions.has(revision))) writeAudit(tables, audit);
  for (const { revision, definition } of plans) revisions.set(revision, definition);
}

function prune({ operations, timelines, now }: Tables, olderThanMs: number): number {
  const old = [...operations.values()].filter(({ operation: { finishedAt } }) => {
    return finishedAt !== undefined && finishedAt.getTime() < now() - olderThanMs;
  });
  for (const { operation } of old) {
    operations.delete(operation.id);
    timelines.delete(operation.id);
  }
  return old.length;
}
