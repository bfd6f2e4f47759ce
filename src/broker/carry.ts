import { setTimeout as sleep } from 'node:timers/promises';
import type { ServicePlan } from './catalog.ts';
import type { Deps } from './deps.ts';
import { summarize } from './events.ts';
import { secondsAllowed } from './intent.ts';
import type { Operation, OperationFailure } from './records.ts';
import { failureOf, isUndone } from './settlement.ts';
import type { Held, Settlement } from './store.ts';
import { advance, keepMemo } from './progress.ts';
import { takeStep, type Progress, type StepDeps, type Verdict } from './step.ts';
import { letFollowerGo, watchOver, type Watched } from './watch-over.ts';

/** How carrying an operation ended here: settled, let go for anybody to take up, or no longer ours. */
export type Ended =
  | { readonly settled: Settlement; readonly operation: Operation }
  | { readonly letGo: true }
  | { readonly lost: true };

/** An operation being carried in this process. */
export interface Carried {
  readonly operationId: string;
  /** As it was taken up. */
  readonly operation: Operation;
  readonly ended: Promise<Ended>;
  /** Do not wait for further steps here: a worker goes on. */
  letGo(): void;
  /** End the step at once and go on as failed, undoing what was made. */
  giveUp(failure: OperationFailure): void;
  /** Somebody else has closed or taken it: end the step at once. */
  abandon(): void;
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
interface Grip {
  readonly plan: ServicePlan;
  held: Held;
  keep: boolean;
  failure: OperationFailure | undefined;
  readonly stop: AbortController;
  readonly hurry: AbortController;
}

/**
 * Carries a held operation: step after step while `keep` is set, else one step and then it is let go until the
 * next one is due.
 */
export function carry(deps: StepDeps, plan: ServicePlan, first: Held, keep: boolean): Carried {
  const grip: Grip = {
    plan,
    held: first,
    keep,
    failure: undefined,
    stop: new AbortController(),
    hurry: new AbortController(),
  };
  const release = () => {
    grip.keep = false;
    grip.hurry.abort();
  };
  return {
    operationId: first.operation.id,
    operation: first.operation,
    ended: goOn(deps, grip).catch((error: unknown) => {
      // The database went away between the steps: when the lease runs out, the operation is taken up again.
      deps.observe({ type: 'trouble', doing: 'carrying an operation', detail: String(error) });
      return { lost: true };
    }),
    letGo: release,
    giveUp(failure) {
      grip.failure = failure;
      release();
      grip.stop.abort('given up');
    },
    abandon: () => grip.stop.abort('lost'),
    handOver() {
      release();
      grip.stop.abort('handed over');
    },
  };
}

async function goOn(deps: StepDeps, grip: Grip): Promise<Ended> {
  for (;;) {
    const { plan, held, stop } = grip;
    const started = deps.now().getTime();
    const watched =
      held.remainingMs > 0
        ? await watchOver(deps, held, stop.signal, (signal) => takeStep(deps, plan, held, signal))
        : { told: 'deadline' as const };
    if (watched.told === 'lost') return lose(deps, held);
    grip.held = { ...held, remainingMs: held.remainingMs - (deps.now().getTime() - started) };
    const ended = await apply(deps, grip, watched);
    if (ended) return ended;
  }
}

/** However it came out, in a step or only when its end was to be written: here nothing is done any more. */
async function lose(deps: Deps, held: Held): Promise<Ended> {
  deps.observe({ type: 'operation-lost', operation: summarize(held.operation) });
  await letFollowerGo(deps, held);
  return { lost: true };
}

/** Writes what the step came to; undefined when the next one is to be taken here. */
async function apply(
  deps: StepDeps,
  grip: Grip,
  { result, told }: Watched<Verdict>,
): Promise<Ended | undefined> {
  const failure = givenUp(grip);
  if (failure) return fail(deps, grip, failure);
  // A step that was told to end says little by throwing; only what it has really reached counts.
  const reached = result && !(told && ('retry' in result || 'failed' in result)) ? result : undefined;
  if (!reached) {
    return told === 'deadline'
      ? fail(deps, grip, tooLong(grip.plan, grip.held.operation.trouble))
      : pause(deps, grip, keepMemo(grip.held), 0);
  }
  if ('settle' in reached) return settle(deps, grip, reached.settle);
  if ('failed' in reached) return fail(deps, grip, reached.failed);
  if ('retry' in reached) return retry(deps, grip, reached);
  return pause(deps, grip, reached.again, reached.afterMs);
}

/** Why it is to end; what has failed already goes on being undone. */
function givenUp({ failure, held }: Grip): OperationFailure | undefined {
  return held.operation.failure ? undefined : failure;
}

async function settle(deps: Deps, { held }: Grip, settlement: Settlement): Promise<Ended> {
  if (!(await deps.store.settle(held, settlement))) return lose(deps, held);
  const { failure } = settlement;
  const { trouble: _trouble, ...before } = held.operation;
  const operation: Operation = {
    ...before,
    state: failure ? 'failed' : 'succeeded',
    ...(failure ? { failure } : {}),
    finishedAt: deps.now(),
  };
  const ms = deps.now().getTime() - operation.createdAt.getTime();
  deps.observe({ type: 'operation-settled', operation: summarize(operation), ms });
  return { settled: settlement, operation };
}

/** What is to be undone is undone before it is told; everything else stays as it is. */
async function fail(deps: Deps, grip: Grip, failure: OperationFailure): Promise<Ended | undefined> {
  const { held } = grip;
  const { operation } = held;
  grip.failure = undefined;
  const twice = operation.failure && undoFailed(operation.failure, failure);
  if (twice || !isUndone(operation, grip.plan)) return settle(deps, grip, failureOf(held, twice ?? failure));
  const detail = failure.detail ?? failure.sentence;
  deps.observe({ type: 'undo-started', operation: summarize(operation), detail });
  const trace = operation.kind === 'update' ? undefined : operation.confidential.memo;
  const undo = { failures: 0, failure, deadlineMs: undoTime, ...(trace === undefined ? {} : { trace }) };
  return pause(deps, grip, undo, 0);
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
    ...(detail === undefined ? {} : { detail }),
  };
}

async function retry(
  deps: StepDeps,
  grip: Grip,
  { retry: detail, ours }: Extract<Verdict, { retry: unknown }>,
): Promise<Ended | undefined> {
  const { operation, remainingMs } = grip.held;
  // The last try comes shortly before the time is over, however long the pauses are by then.
  const retryMs = Math.min(firstPause * 2 ** operation.failures, longestPause, remainingMs - lastTryTime);
  const summary = summarize(operation);
  const isHopeless = ours && operation.failures + 1 >= mostMistakes;
  if (isHopeless || retryMs <= 0) {
    deps.observe({ type: 'step-failed', operation: summary, detail });
    return fail(deps, grip, isHopeless ? { ...mistaken, detail } : tooLong(grip.plan, detail));
  }
  deps.observe({ type: 'step-failed', operation: summary, detail, retryMs });
  const progress = { ...keepMemo(grip.held), failures: operation.failures + 1, trouble: detail };
  return pause(deps, grip, progress, retryMs);
}

/** Remembers the progress, and waits here for the next step, or the deadline, or lets go until it is due. */
async function pause(
  deps: Deps,
  grip: Grip,
  progress: Progress,
  afterMs: number,
): Promise<Ended | undefined> {
  const { store, settings, now } = deps;
  const waitMs = Math.min(afterMs, Math.max(0, progress.deadlineMs ?? grip.held.remainingMs));
  const started = now().getTime();
  // As it is now: who is let go while this is written still holds it, and lets go below.
  const { keep } = grip;
  const until = keep ? { holdMs: settings.lease } : { dueMs: waitMs };
  if (!(await store.postpone(grip.held, { ...progress, until }))) return lose(deps, grip.held);
  if (!keep) return { letGo: true };
  const told = await rest(deps, grip, advance(grip.held, progress, now().getTime() - started), waitMs);
  const passed = now().getTime() - started;
  grip.held = advance(grip.held, progress, passed);
  if (told === 'lost') return lose(deps, grip.held);
  const failure = givenUp(grip);
  if (failure) return fail(deps, grip, failure);
  if (grip.keep) return undefined;
  const remaining = { ...keepMemo(grip.held), until: { dueMs: Math.max(0, waitMs - passed) } };
  return (await store.postpone(grip.held, remaining)) ? { letGo: true } : lose(deps, grip.held);
}

/** Waits as a step runs: under the lease, however long, and until told to end. */
async function rest(
  deps: Deps,
  { hurry, stop }: Grip,
  held: Held,
  ms: number,
): Promise<Watched<void>['told']> {
  if (ms <= 0) return undefined;
  const wait = (signal: AbortSignal) =>
    sleep(ms, undefined, { signal: AbortSignal.any([hurry.signal, signal]) }).catch(() => undefined);
  return (await watchOver(deps, held, stop.signal, wait)).told;
}
