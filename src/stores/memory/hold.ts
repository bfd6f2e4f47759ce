import type { Operation } from '../../broker/records.ts';
import { longestSleep, type Held, type Pause, type Settlement } from '../../broker/store.ts';
import { confidentialAfter } from '../confidential.ts';
import { bindingKey, removeInstance, type Queued, type Tables } from './tables.ts';

export function claim(tables: Tables, holder: string, leaseMs: number): Held | undefined {
  const now = tables.now();
  const due = inProgress(tables)
    .filter(({ dueAt }) => dueAt <= now)
    .toSorted((a, b) => a.dueAt - b.dueAt)[0]?.operation;
  const instance = due && tables.instances.get(due.instanceId)?.record;
  if (!instance) return undefined;
  const operation: Operation = { ...due, attempt: due.attempt + 1, holder, deadline: deadlineOf(due, now) };
  tables.operations.set(due.id, { operation, dueAt: now + leaseMs });
  const binding = tables.bindings.get(bindingKey(due.instanceId, due.bindingId ?? ''))?.record;
  const remainingMs = operation.deadline.getTime() - now;
  return { operation, instance, ...(binding && { binding }), remainingMs };
}

/** The time of what waited for another one begins when it is taken up. */
function deadlineOf({ attempt, createdAt, deadline }: Operation, now: number): Date {
  return attempt === 0 ? new Date(now + deadline.getTime() - createdAt.getTime()) : deadline;
}

export function renew(tables: Tables, held: Held, leaseMs: number): boolean {
  const own = findOwn(tables, held);
  if (own) tables.operations.set(own.operation.id, { ...own, dueAt: tables.now() + leaseMs });
  return own !== undefined;
}

export function postpone(tables: Tables, held: Held, pause: Pause): boolean {
  const own = findOwn(tables, held);
  if (!own) return false;
  const { until, note, failures, failure, deadlineMs, unbound } = pause;
  const now = tables.now();
  const { holder, ...operation } = own.operation;
  tables.operations.set(operation.id, {
    operation: {
      ...operation,
      ...('holdMs' in until && { holder }),
      failures,
      ...(note !== undefined && { note }),
      ...(failure && { failure }),
      ...(deadlineMs !== undefined && { deadline: new Date(now + deadlineMs) }),
      confidential: confidentialAfter(held, pause),
    },
    dueAt: now + ('holdMs' in until ? until.holdMs : until.dueMs),
  });
  if (unbound) tables.bindings.delete(bindingKey(unbound.instanceId, unbound.id));
  if ('dueMs' in until && until.dueMs < longestSleep) tables.tell({ due: true });
  return true;
}

export function settle(tables: Tables, held: Held, settlement: Settlement): boolean {
  const own = findOwn(tables, held);
  if (!own) return false;
  const { holder: _holder, failure: _undone, ...operation } = own.operation;
  const { failure } = settlement;
  const state = failure ? 'failed' : 'succeeded';
  const finishedAt = new Date(tables.now());
  const ended = { ...operation, state, finishedAt, confidential: {}, ...(failure && { failure }) } as const;
  tables.operations.set(operation.id, { ...own, operation: ended });
  changeInstance(tables, ended, settlement.instance);
  changeBinding(tables, ended, settlement.binding);
  return true;
}

/** The follower of a cancelled operation, as long as nobody has started on it, becomes due then. */
export function delayFollower(tables: Tables, cancelledId: string, byMs: number): boolean {
  const followers = inProgress(tables).filter(
    ({ operation: { follows, attempt, holder } }) =>
      follows === cancelledId && attempt === 0 && holder === undefined,
  );
  for (const { operation } of followers) {
    tables.operations.set(operation.id, { operation, dueAt: tables.now() + byMs });
  }
  return followers.length > 0;
}

export function inProgress({ operations }: Tables): Queued[] {
  return [...operations.values()].filter(({ operation }) => operation.state === 'in progress');
}

/** The fence: who lost the operation, by its lease or because it was cancelled, cannot write any more. */
function findOwn({ operations }: Tables, { operation: { id, attempt } }: Held): Queued | undefined {
  const row = operations.get(id);
  const { state, attempt: latest, holder } = row?.operation ?? {};
  return state === 'in progress' && latest === attempt && holder !== undefined ? row : undefined;
}

function changeInstance(tables: Tables, operation: Operation, change: Settlement['instance']): void {
  const { id, instanceId, bindingId } = operation;
  const row = tables.instances.get(instanceId);
  if (!row || (!change && bindingId !== undefined)) return;
  if (change && 'remove' in change) return removeInstance(tables, instanceId);
  const { version, createdAt } = row.record;
  const record = change ? { ...change.put, createdAt, updatedAt: new Date(tables.now()) } : row.record;
  const operationId = row.operationId === id ? undefined : row.operationId;
  tables.instances.set(instanceId, { record: { ...record, version: version + 1 }, operationId });
}

function changeBinding(tables: Tables, operation: Operation, change: Settlement['binding']): void {
  const { id, instanceId, bindingId = '' } = operation;
  const bound = change && ('put' in change ? change.put : change.remove);
  const key = bindingKey(instanceId, bound?.id ?? bindingId);
  const row = tables.bindings.get(key);
  if (!row) return;
  if (change && 'remove' in change) return void tables.bindings.delete(key);
  const record = change ? { ...change.put, createdAt: row.record.createdAt } : row.record;
  tables.bindings.set(key, { record, operationId: row.operationId === id ? undefined : row.operationId });
}
