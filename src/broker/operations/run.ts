import type { ServicePlan } from '../catalog.ts';
import { removeLeft } from '../backups.ts';
import type { BrokerContext, OpenSpan } from '../context.ts';
import { summarize } from '../events.ts';
import { cancelledByHand, isToEnd, mistaken, tooLong, undoFailed } from './failures.ts';
import { isForced, leaveBehind, mostForcedTries } from './left-behind.ts';
import type { Operation, OperationFailure } from '../records.ts';
import { failureOf, undoesFailure } from './settlement.ts';
import type { LeasedOperation, Settlement } from '../store.ts';
import { backoff } from '../timing.ts';
import { advance, carryUnwritten, findRepeatable, keepMemo } from './progress.ts';
import { takeStep, type Progress, type OperationContext, type Verdict } from './step.ts';
import { releaseFollower, restUnderLease, runUnderLease, type LeasedResult } from './lease.ts';
import { tracedRun } from './traced.ts';

/** How it ended here: settled, released for anybody to take up, or no longer ours. */
export type Ended =
  | { readonly settled: Settlement; readonly operation: Operation }
  | { readonly released: true }
  | { readonly lost: true };

/** An operation that runs in this process. */
export interface RunningOperation {
  readonly operationId: string;
  /** As it was taken up. */
  readonly operation: Operation;
  readonly ended: Promise<Ended>;
  /** Do not wait for further steps here: a worker goes on. */
  release(): void;
  /** End the step at once and go on as failed, undoing what was made. */
  abort(failure: OperationFailure): void;
  /** Somebody else has closed or taken it: end the step at once. */
  drop(): void;
  /** This process ends: end the step at once and leave the operation to another one. */
  handOver(): void;
}

/** Milliseconds given to the undoing of what failed, from the failure on. */
const undoTime = 600_000;
/** Milliseconds of pause after the first failed try, doubled at each further one. */
const pauses = { first: 1000, longest: 60_000 };
/** Milliseconds that a try must have before the time of its operation is over. */
const lastTryTime = 1000;
/** Tries in a row, the last one by a mistake of this program. */
const mostMistakes = 3;

/** What stays the same while it runs, and by what it hears that it shall not run on. */
interface Run {
  readonly core: OperationContext;
  readonly plan: ServicePlan;
  /** Aborted: end the step at once. The reason says why; `Aborted` has a failure. */
  readonly stop: AbortSignal;
  /** Aborted: nobody waits here for further steps. */
  readonly hurry: AbortSignal;
}

interface Aborted {
  readonly failure: OperationFailure;
}

/** It runs on with the operation as it is now, or has ended here. */
type Next = { readonly held: LeasedOperation } | { readonly ended: Ended };

/**
 * Runs a held operation: step after step while `keep` is set, else one step, and then it is let go until the next one
 * is due.
 */
export function startRunning(
  core: OperationContext,
  plan: ServicePlan,
  first: LeasedOperation,
  keep: boolean,
): RunningOperation {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  if (!keep) hurry.abort();
  const run = { core, plan, stop: stop.signal, hurry: hurry.signal };
  function end(reason: string | Aborted): void {
    hurry.abort();
    stop.abort(reason);
  }
  return {
    operationId: first.operation.id,
    operation: first.operation,
    ended: tracedRun(core, first.operation, (span) =>
      goOn(run, first).then((ended) => told(span, ended)),
    ).catch((error: unknown) => {
      // The database went away between the steps: when the lease runs out, the operation is taken up again.
      core.observe({ type: 'trouble', doing: 'running an operation', detail: String(error) });
      return { lost: true };
    }),
    release: () => hurry.abort(),
    abort: (failure) => end({ failure }),
    drop: () => stop.abort('lost'),
    handOver: () => end('handed over'),
  };
}

function told(span: OpenSpan, ended: Ended): Ended {
  if ('settled' in ended && ended.settled.failure) span.fail(ended.settled.failure.word);
  return ended;
}

async function goOn(run: Run, first: LeasedOperation): Promise<Ended> {
  const { core, plan, stop, hurry } = run;
  let since = performance.now();
  for (let held = first; ;) {
    const started = core.uptime();
    const step = (signal: AbortSignal) => takeStep(core, plan, held, signal);
    const leased =
      held.remainingMs > 0 && !isToEnd(held.operation)
        ? await runUnderLease(core, held, stop, step, since)
        : { interruption: isToEnd(held.operation) ? ('cancelled' as const) : ('deadline' as const) };
    if (leased.interruption === 'lost') return lose(core, held);
    const reached = { ...held, remainingMs: held.remainingMs - (core.uptime() - started) };
    const unwritten = findRepeatable(leased, (performance.now() - since) / core.settings.lease);
    if (unwritten && !hurry.aborted) {
      held = carryUnwritten(reached, unwritten);
      continue;
    }
    const next = await apply(run, reached, leased);
    if ('ended' in next) return next.ended;
    [held, since] = [next.held, performance.now()];
  }
}

/** However it came out, in a step or only when its end was to be written: here nothing is done any more. */
async function lose(core: BrokerContext, held: LeasedOperation): Promise<Ended> {
  core.observe({ type: 'operation-lost', operation: summarize(held.operation) });
  await releaseFollower(core, held);
  return { lost: true };
}

/** Writes what the step came to. */
async function apply(
  run: Run,
  held: LeasedOperation,
  { result, interruption }: LeasedResult<Verdict>,
): Promise<Next> {
  const failure = abortedBy(run, held);
  if (failure) return fail(run, held, failure);
  if (interruption === 'cancelled') return fail(run, held, cancelledByHand);
  // A step that was told to end says little by throwing; only what it has really reached counts.
  const reached = result && !(interruption && ('retry' in result || 'failed' in result)) ? result : undefined;
  if (!reached) {
    return interruption === 'deadline'
      ? fail(run, held, tooLong(run.plan, held.operation.kind, held.operation.trouble))
      : pause(run, held, keepMemo(held), 0);
  }
  if ('settle' in reached) return settle(run, held, reached.settle);
  if ('failed' in reached) return fail(run, held, reached.failed);
  if ('retry' in reached) return retry(run, held, reached);
  return pause(run, held, reached.again, reached.afterMs);
}

/** Why it is to end; what has failed already goes on being undone. */
function abortedBy({ stop }: Run, { operation }: LeasedOperation): OperationFailure | undefined {
  const reason: unknown = stop.reason;
  if (operation.failure || typeof reason !== 'object' || reason === null) return undefined;
  return (reason as Partial<Aborted>).failure;
}

async function settle({ core }: Run, held: LeasedOperation, settlement: Settlement): Promise<Next> {
  if (!(await core.store.settle(held, settlement))) return { ended: await lose(core, held) };
  const { failure } = settlement;
  const { trouble: _trouble, ...before } = held.operation;
  const operation: Operation = {
    ...before,
    state: failure ? 'failed' : 'succeeded',
    failure: failure ?? before.failure,
    finishedAt: core.now(),
  };
  const ms = core.now().getTime() - operation.createdAt.getTime();
  core.observe({ type: 'operation-settled', operation: summarize(operation), ms });
  if (failure) await forgetSaved(core, operation);
  return { ended: { settled: settlement, operation } };
}

/** Nobody has it in hand any more, so nobody writes what is removed here. */
async function forgetSaved({ backups, observe }: BrokerContext, operation: Operation): Promise<void> {
  if (operation.kind !== 'backup' || !backups) return;
  await removeLeft(backups, operation, operation.attempt).catch((error: unknown) =>
    observe({ type: 'trouble', doing: 'removing what a failed backup has left', detail: String(error) }),
  );
}

/** What is to be undone is undone before it is told; everything else stays as it is. */
async function fail(run: Run, held: LeasedOperation, failure: OperationFailure): Promise<Next> {
  const { operation } = held;
  // Who cancels a removal by force does not want it forgotten.
  if (isForced(operation) && failure !== cancelledByHand)
    return settle(run, held, await leaveBehind(run.core, run.plan, held, failure));
  const twice = operation.failure && undoFailed(operation.failure, failure);
  if (twice || !undoesFailure(operation, run.plan)) {
    return settle(run, held, failureOf(held, twice ?? failure));
  }
  const detail = failure.detail ?? failure.sentence;
  run.core.observe({ type: 'undo-started', operation: summarize(operation), detail });
  const trace = operation.kind === 'update' ? undefined : operation.confidential.memo;
  return pause(run, held, { failures: 0, failure, deadlineMs: undoTime, trace }, 0);
}

async function retry(
  run: Run,
  held: LeasedOperation,
  { retry: detail, ours }: Extract<Verdict, { retry: unknown }>,
): Promise<Next> {
  const { operation, remainingMs } = held;
  // The last try comes shortly before the time is over, however long the pauses are by then.
  const retryMs = Math.min(backoff(operation.failures + 1, pauses), remainingMs - lastTryTime);
  const summary = summarize(operation);
  const most = isForced(operation) ? mostForcedTries : mostMistakes;
  const isHopeless = (ours || isForced(operation)) && operation.failures + 1 >= most;
  if (isHopeless || retryMs <= 0) {
    run.core.observe({ type: 'step-failed', operation: summary, detail });
    return fail(run, held, isHopeless ? { ...mistaken, detail } : tooLong(run.plan, operation.kind, detail));
  }
  run.core.observe({ type: 'step-failed', operation: summary, detail, retryMs });
  const progress = { ...keepMemo(held), failures: operation.failures + 1, trouble: detail };
  return pause(run, held, progress, retryMs);
}

/** Remembers the progress, and waits here for the next step, or the deadline, or lets go until it is due. */
async function pause(run: Run, held: LeasedOperation, progress: Progress, afterMs: number): Promise<Next> {
  const { core, hurry } = run;
  const { store, settings, uptime } = core;
  const waitMs = Math.min(afterMs, Math.max(0, progress.deadlineMs ?? held.remainingMs));
  const started = uptime();
  // As it is now: who is let go while this is written still holds it, and lets go below.
  const keep = !hurry.aborted;
  const until = keep ? { holdMs: settings.lease } : { dueMs: waitMs };
  if (!(await store.postpone(held, { ...progress, until }))) return { ended: await lose(core, held) };
  if (!keep) return { ended: { released: true } };
  const interruption = await restUnderLease(run, advance(held, progress, uptime() - started), waitMs);
  const passed = uptime() - started;
  const rested = advance(held, progress, passed);
  if (interruption === 'lost') return { ended: await lose(core, rested) };
  if (interruption === 'cancelled') return fail(run, rested, cancelledByHand);
  const failure = abortedBy(run, rested);
  if (failure) return fail(run, rested, failure);
  if (!isAborted(hurry)) return { held: rested };
  const remaining = { ...keepMemo(rested), until: { dueMs: Math.max(0, waitMs - passed) } };
  const isOurs = await store.postpone(rested, remaining);
  return { ended: isOurs ? { released: true } : await lose(core, rested) };
}

/** By a function, for it may have become so since it was asked before. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
