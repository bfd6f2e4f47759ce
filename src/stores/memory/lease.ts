import type { Operation, TimelineEntry } from '../../broker/records.ts';
import type { LeasedOperation, Pause, Settlement, StepRecord } from '../../broker/store.ts';
import { longestSleep } from '../../broker/timing.ts';
import { confidentialAfter, stepsToWrite } from '../operation-rows.ts';
import { concludeAudit } from './audit.ts';
import { withMarks } from './mark.ts';
import { bindingKey, lookAtOnce, removeInstance, type Queued, type Tables } from './tables.ts';

export function claim(
  tables: Tables,
  holder: string,
  leaseMs: number,
  node?: string,
): LeasedOperation | undefined {
  const now = tables.now();
  const due = carriable(tables, node)
    .filter(({ dueAt }) => dueAt <= now)
    .toSorted((a, b) => a.dueAt - b.dueAt)[0];
  const old = due?.operation;
  const instance = old && tables.instances.get(old.instanceId)?.record;
  if (!instance) return undefined;
  const operation: Operation = { ...old, attempt: old.attempt + 1, holder, deadline: deadlineOf(old, now) };
  tables.operations.set(old.id, { ...due, operation, dueAt: now + leaseMs });
  const binding = tables.bindings.get(bindingKey(old.instanceId, old.bindingId ?? ''))?.record;
  const remainingMs = operation.deadline.getTime() - now;
  return { operation, instance, ...(binding && { binding }), remainingMs };
}

/** The time of what waited for another one begins when it is taken up. */
function deadlineOf({ attempt, createdAt, deadline }: Operation, now: number): Date {
  return attempt === 0 ? new Date(now + deadline.getTime() - createdAt.getTime()) : deadline;
}

export function renew(tables: Tables, held: LeasedOperation, leaseMs: number): boolean | 'cancelled' {
  const own = findOwn(tables, held);
  if (own?.operation.cancelled && !own.operation.failure) {
    tables.operations.set(own.operation.id, { ...own, dueAt: tables.now() + leaseMs });
    return 'cancelled';
  }
  if (own) tables.operations.set(own.operation.id, { ...own, dueAt: tables.now() + leaseMs });
  return own !== undefined;
}

export function postpone(tables: Tables, held: LeasedOperation, pause: Pause): boolean {
  const own = findOwn(tables, held);
  if (!own) return false;
  const { until, note, failures, trouble, failure, deadlineMs, unbound } = pause;
  const now = tables.now();
  const { holder, trouble: _before, ...operation } = own.operation;
  tables.operations.set(operation.id, {
    ...own,
    operation: {
      ...operation,
      ...('holdMs' in until && { holder }),
      failures,
      ...(trouble !== undefined && { trouble }),
      ...(note !== undefined && { note }),
      ...(failure && { failure }),
      ...(deadlineMs !== undefined && { deadline: new Date(now + deadlineMs) }),
      confidential: confidentialAfter(held, pause),
    },
    dueAt: now + ('holdMs' in until ? until.holdMs : until.dueMs),
  });
  record(tables, operation.id, stepsToWrite(held, pause));
  if (unbound) tables.bindings.delete(bindingKey(unbound.instanceId, unbound.id));
  if ('dueMs' in until && until.dueMs < longestSleep) tables.tell({ due: true });
  return true;
}

export function settle(tables: Tables, held: LeasedOperation, settlement: Settlement): boolean {
  const own = findOwn(tables, held);
  if (!own) return false;
  const { holder: _holder, trouble: _trouble, failure: _undone, ...operation } = own.operation;
  const { failure, left } = settlement;
  const state = failure ? 'failed' : 'succeeded';
  const finishedAt = new Date(tables.now());
  const ended = {
    ...operation,
    state,
    finishedAt,
    confidential: {},
    ...(failure && { failure }),
    ...(left !== undefined && { trouble: left }),
  } as const;
  tables.operations.set(operation.id, { ...own, operation: ended });
  record(tables, operation.id, stepsToWrite(held, settlement));
  concludeAudit(tables, operation.id, {
    outcome: state,
    reason: failure?.word,
    ...(!failure && left !== undefined && { result: { left } }),
  });
  const { backup } = settlement;
  if (backup) tables.backups.set(backup.id, { ...backup, removing: false, createdAt: finishedAt });
  changeInstance(tables, ended, settlement.instance);
  changeBinding(tables, ended, settlement.binding);
  return true;
}

export function tell({ operations }: Tables, operationId: string): void {
  const row = operations.get(operationId);
  if (row?.operation.state !== 'failed') return;
  const { untold: _told, ...operation } = row.operation;
  operations.set(operationId, { ...row, operation });
}

/** The follower of a cancelled operation, as long as nobody has started on it, becomes due then. */
export function delayFollower(tables: Tables, cancelledId: string, byMs: number): boolean {
  const followers = inProgress(tables).filter(
    ({ operation: { follows, attempt, holder } }) =>
      follows === cancelledId && attempt === 0 && holder === undefined,
  );
  for (const follower of followers) {
    tables.operations.set(follower.operation.id, { ...follower, dueAt: tables.now() + byMs });
  }
  return followers.length > 0;
}

export function inProgress({ operations }: Tables): Queued[] {
  return [...operations.values()].filter(({ operation }) => operation.state === 'in progress');
}

/** What this node may run; without one, what any broker can. */
export function carriable(tables: Tables, node: string | undefined): Queued[] {
  return inProgress(tables).filter(
    ({ operation }) => operation.node === undefined || operation.node === node,
  );
}

function record({ timelines, now }: Tables, operationId: string, steps: readonly StepRecord[]): void {
  const entries: readonly TimelineEntry[] = steps.map((step) => ({
    ...step,
    ms: Math.round(step.ms),
    endedAt: new Date(now()),
  }));
  timelines.set(operationId, [...(timelines.get(operationId) ?? []), ...entries]);
}

/** The fence: who lost the operation, by its lease or because it was cancelled, cannot write any more. */
function findOwn(
  { operations }: Tables,
  { operation: { id, attempt } }: LeasedOperation,
): Queued | undefined {
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
  const written = change && { ...change.put, createdAt, updatedAt: new Date(tables.now()) };
  const record = written ? withMarks(written, row.record) : row.record;
  const operationId = row.operationId === id ? undefined : row.operationId;
  tables.instances.set(instanceId, { record: { ...record, version: version + 1 }, operationId });
  if (bindingId === undefined) lookAtOnce(tables, instanceId);
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
