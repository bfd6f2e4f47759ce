import { setTimeout as sleep } from 'node:timers/promises';
import type { ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import { summarize } from '../events.ts';
import { secondsAllowed } from './intent.ts';
import type { Operation, OperationFailure } from '../records.ts';
import { failureOf, undoesFailure } from './settlement.ts';
import type { LeasedOperation, Settlement } from '../store.ts';
import { advance, keepMemo } from './progress.ts';
import { takeStep, type Progress, type OperationContext, type Verdict } from './step.ts';
import { releaseFollower, runUnderLease, type LeasedResult } from './lease.ts';

/** How carrying an operation ended here: settled, let go for anybody to take up, or no longer ours. */
export type Ended =
  | { readonly settled: Settlement; readonly operation: Operation }
  | { readonly letGo: true }
  | { readonly lost: true };

/** An operation being carried in this process. */
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
const firstPause = 1000;
const longestPause = 60_000;
/** Milliseconds that a try must have before the time of its operation is over. */
const lastTryTime = 1000;
/** Tries in a row, the last one by a mistake of this program. */
const mostMistakes = 3;
const mistaken = {
  word: 'mistake',
  sentence: 'The broker made a mistake of its own. Ask the operator of the broker.',
};

/** Mutable state of one carrying, all of it here. */
interface Run {
  readonly plan: ServicePlan;
  held: LeasedOperation;
  keep: boolean;
  failure: OperationFailure | undefined;
  readonly stop: AbortController;
  readonly hurry: AbortController;
}

/**
 * Carries a held operation: step after step while `keep` is set, else one step and then it is let go until the
 * next one is due.
 */
export function startRunning(
  core: OperationContext,
  plan: ServicePlan,
  first: LeasedOperation,
  keep: boolean,
): RunningOperation {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  const grip: Run = { plan, held: first, keep, failure: undefined, stop, hurry };
  const release = () => {
    grip.keep = false;
    grip.hurry.abort();
  };
  return {
    operationId: first.operation.id,
    operation: first.operation,
    ended: goOn(core, grip).catch((error: unknown) => {
      // The database went away between the steps: when the lease runs out, the operation is taken up again.
      core.observe({ type: 'trouble', doing: 'carrying an operation', detail: String(error) });
      return { lost: true };
    }),
    release,
    abort(failure) {
      grip.failure = failure;
      release();
      grip.stop.abort('given up');
    },
    drop: () => grip.stop.abort('lost'),
    handOver() {
      release();
      grip.stop.abort('handed over');
    },
  };
}

async function goOn(core: OperationContext, grip: Run): Promise<Ended> {
  for (;;) {
    const { plan, held, stop } = grip;
    const started = core.now().getTime();
    const watched =
      held.remainingMs > 0
        ? await runUnderLease(core, held, stop.signal, (signal) => takeStep(core, plan, held, signal))
        : { told: 'deadline' as const };
    if (watched.told === 'lost') return lose(core, held);
    grip.held = { ...held, remainingMs: held.remainingMs - (core.now().getTime() - started) };
    const ended = await apply(core, grip, watched);
    if (ended) return ended;
  }
}

/** However it came out, in a step or only when its end was to be written: here nothing is done any more. */
async function lose(core: BrokerContext, held: LeasedOperation): Promise<Ended> {
  core.observe({ type: 'operation-lost', operation: summarize(held.operation) });
  await releaseFollower(core, held);
  return { lost: true };
}

/** Writes what the step came to; undefined when the next one is to be taken here. */
async function apply(
  core: OperationContext,
  grip: Run,
  { result, told }: LeasedResult<Verdict>,
): Promise<Ended | undefined> {
  const failure = givenUp(grip);
  if (failure) return fail(core, grip, failure);
  // A step that was told to end says little by throwing; only what it has really reached counts.
  const reached = result && !(told && ('retry' in result || 'failed' in result)) ? result : undefined;
  if (!reached) {
    return told === 'deadline'
      ? fail(core, grip, tooLong(grip.plan, grip.held.operation.trouble))
      : pause(core, grip, keepMemo(grip.held), 0);
  }
  if ('settle' in reached) return settle(core, grip, reached.settle);
  if ('failed' in reached) return fail(core, grip, reached.failed);
  if ('retry' in reached) return retry(core, grip, reached);
  return pause(core, grip, reached.again, reached.afterMs);
}

/** Why it is to end; what has failed already goes on being undone. */
function givenUp({ failure, held }: Run): OperationFailure | undefined {
  return held.operation.failure ? undefined : failure;
}

async function settle(core: BrokerContext, { held }: Run, settlement: Settlement): Promise<Ended> {
  if (!(await core.store.settle(held, settlement))) return lose(core, held);
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
  return { settled: settlement, operation };
}

/** What is to be undone is undone before it is told; everything else stays as it is. */
async function fail(core: BrokerContext, grip: Run, failure: OperationFailure): Promise<Ended | undefined> {
  const { held } = grip;
  const { operation } = held;
  grip.failure = undefined;
  const twice = operation.failure && undoFailed(operation.failure, failure);
  if (twice || !undoesFailure(operation, grip.plan))
    return settle(core, grip, failureOf(held, twice ?? failure));
  const detail = failure.detail ?? failure.sentence;
  core.observe({ type: 'undo-started', operation: summarize(operation), detail });
  const trace = operation.kind === 'update' ? undefined : operation.confidential.memo;
  const undo = { failures: 0, failure, deadlineMs: undoTime, trace };
  return pause(core, grip, undo, 0);
}

function undoFailed(first: OperationFailure, then: OperationFailure): OperationFailure {
  const detail = `${first.detail ?? first.sentence} Undoing it failed too: ${then.detail ?? then.sentence}`;
  return { ...first, detail };
}

/** @param detail for the operator: what went wrong at the last try, if anything did */
function tooLong(plan: ServicePlan, detail?: string): OperationFailure {
  return {
    word: 'timeout',
    sentence: `The operation took longer than the ${secondsAllowed(plan)} seconds allowed.`,
    detail,
  };
}

async function retry(
  core: OperationContext,
  grip: Run,
  { retry: detail, ours }: Extract<Verdict, { retry: unknown }>,
): Promise<Ended | undefined> {
  const { operation, remainingMs } = grip.held;
  // The last try comes shortly before the time is over, however long the pauses are by then.
  const retryMs = Math.min(firstPause * 2 ** operation.failures, longestPause, remainingMs - lastTryTime);
  const summary = summarize(operation);
  const isHopeless = ours && operation.failures + 1 >= mostMistakes;
  if (isHopeless || retryMs <= 0) {
    core.observe({ type: 'step-failed', operation: summary, detail });
    return fail(core, grip, isHopeless ? { ...mistaken, detail } : tooLong(grip.plan, detail));
  }
  core.observe({ type: 'step-failed', operation: summary, detail, retryMs });
  const progress = { ...keepMemo(grip.held), failures: operation.failures + 1, trouble: detail };
  return pause(core, grip, progress, retryMs);
}

/** Remembers the progress, and waits here for the next step, or the deadline, or lets go until it is due. */
async function pause(
  core: BrokerContext,
  grip: Run,
  progress: Progress,
  afterMs: number,
): Promise<Ended | undefined> {
  const { store, settings, now } = core;
  const waitMs = Math.min(afterMs, Math.max(0, progress.deadlineMs ?? grip.held.remainingMs));
  const started = now().getTime();
  // As it is now: who is let go while this is written still holds it, and lets go below.
  const { keep } = grip;
  const until = keep ? { holdMs: settings.lease } : { dueMs: waitMs };
  if (!(await store.postpone(grip.held, { ...progress, until }))) return lose(core, grip.held);
  if (!keep) return { letGo: true };
  const told = await rest(core, grip, advance(grip.held, progress, now().getTime() - started), waitMs);
  const passed = now().getTime() - started;
  grip.held = advance(grip.held, progress, passed);
  if (told === 'lost') return lose(core, grip.held);
  const failure = givenUp(grip);
  if (failure) return fail(core, grip, failure);
  if (grip.keep) return undefined;
  const remaining = { ...keepMemo(grip.held), until: { dueMs: Math.max(0, waitMs - passed) } };
  return (await store.postpone(grip.held, remaining)) ? { letGo: true } : lose(core, grip.held);
}

/** Waits as a step runs: under the lease, however long, and until told to end. */
async function rest(
  core: BrokerContext,
  { hurry, stop }: Run,
  held: LeasedOperation,
  ms: number,
): Promise<LeasedResult<void>['told']> {
  if (ms <= 0) return undefined;
  const wait = (signal: AbortSignal) =>
    sleep(ms, undefined, { signal: AbortSignal.any([hurry.signal, signal]) }).catch(() => undefined);
  return (await runUnderLease(core, held, stop.signal, wait)).told;
}
