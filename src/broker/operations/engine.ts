/** The one place where an operation moves: opened, carried, taken up again, handed over. */
import { type RunningOperation, startRunning, type Ended } from './run.ts';
import type { ServicePlan } from '../catalog.ts';
import { Failure, Refusal } from '../errors.ts';
import { type OperationSummary, summarize } from '../events.ts';
import { busy, type Decision, type Intent } from './intent.ts';
import { openAsOne } from './open-as-one.ts';
import { leasedFrom, openIntent } from './open.ts';
import type { Outcome } from '../outcome.ts';
import type { OperationContext } from './step.ts';
import type { Operation, OperationKind, ServiceInstance } from '../records.ts';
import type { LeasedOperation, Hint } from '../store.ts';
import { createWait, type Request, type Waiting } from './wait.ts';
import { withinTime } from '../timing.ts';

export interface Engine {
  /**
   * Decides on what is there, opens the intent and carries it as long as patience allows. When the state has
   * changed between decision and opening, it is decided again.
   */
  run<Rec>(request: Request, decide: () => Promise<Decision<Rec>>): Promise<Outcome<Rec>>;
  /** Takes up one due operation; `ended` when it has been carried as far as it goes now. */
  take(): Promise<{ ended: Promise<Ended> } | undefined>;
  /** A hint of the store: an operation that is carried here may have been cancelled. */
  onHint(hint: Hint): void;
  /** Ends when nothing is carried here any more. */
  rest(): Promise<void>;
  /** What is carried here now. */
  inHand(): readonly OperationSummary[];
  /** Ends all steps that run here and leaves their operations to other brokers. */
  handOver(): Promise<void>;
}

/** Decisions in a row that may be overtaken by others before a request is told to come again. */
const mostDecisions = 50;

export function createEngine(
  core: OperationContext,
  planOf: (instance: ServiceInstance) => Promise<ServicePlan>,
): Engine {
  const { store, settings, observe } = core;
  const carried = new Map<string, RunningOperation>();
  let leaving = false;
  const wait = createWait(core, {
    isLeaving: () => leaving,
    endedHere: (operationId) => carried.get(operationId)?.ended,
  });

  function pickUp(plan: ServicePlan, held: LeasedOperation, keep: boolean): RunningOperation {
    const one = startRunning(core, plan, held, keep);
    carried.set(one.operationId, one);
    void one.ended.finally(() => carried.get(one.operationId) === one && carried.delete(one.operationId));
    // It was on its way here when everything was handed over.
    if (leaving) one.handOver();
    return one;
  }

  async function run<Rec>(request: Request, decide: () => Promise<Decision<Rec>>) {
    const began = performance.now();
    let ended = false;
    for (let tries = 0; tries < mostDecisions; tries += 1) {
      const decision = await decide();
      if ('is' in decision) return decision;
      // What was asked for was done, and undone since: to do it again is for a new request to ask.
      if (ended && 'start' in decision) return busy();
      const waiting = wait.begin(request, began, decision.waits);
      if ('after' in decision) {
        if (!(await wait.untilEnded(decision.after, waiting))) return busy();
        continue;
      }
      const outcome =
        'join' in decision
          ? await join(decision.join, decision.record, { ...waiting, answers: decision.answers === true })
          : await start<Rec>(decision.start, request, waiting);
      if (typeof outcome === 'object') return outcome;
      ended = outcome === 'ended';
    }
    return busy();
  }

  /** `stale`: somebody was quicker. Decide again. */
  async function start<Rec>(
    asked: Intent,
    { within }: Request,
    given: Waiting,
  ): Promise<Outcome<Rec> | 'stale' | 'ended'> {
    const intent = given.failsLater ? { ...asked, operation: { ...asked.operation, untold: true } } : asked;
    const waiting = {
      ...given,
      answers: true,
      isOurs: true,
      ...(intent.giveUp && { giveUp: intent.giveUp }),
    };
    const one = await openAsOne(core, intent, leasedFrom(intent, intent.operation), { within, ...waiting });
    if (one === 'stale') return 'stale';
    if (one) return { is: 'done', record: one as Rec };
    const held = await openIntent(core, intent, within);
    if (!held) return 'stale';
    const record = subjectOf<Rec>(held);
    if (held.operation.holder === undefined) return join(held.operation, record, waiting);
    return finish(pickUp(intent.plan, held, true), held.operation, record, waiting);
  }

  /** Waits for an operation that is carried here, as long as patience allows. */
  async function finish<Rec>(
    one: RunningOperation,
    operation: Operation,
    record: Rec,
    waiting: Waiting,
  ): Promise<Outcome<Rec> | 'ended'> {
    const ended = await withinTime(one.ended, Math.max(0, waiting.until - performance.now()));
    if (ended && 'settled' in ended) {
      return ended.operation.failure ? failed(ended.operation, record, waiting) : outcomeOf(ended, record);
    }
    if (ended) return join(operation, record, waiting);
    if (waiting.acceptsIncomplete) {
      one.release();
      return { is: 'accepted', operation, record };
    }
    // The platform gives up waiting as well and cleans up: so a create is ended and undone.
    const isGivenUp = waiting.giveUp !== undefined;
    const failure = tooSlow(operation, isGivenUp);
    if (isGivenUp) one.abort({ word: failure.word, sentence: slowness(operation) });
    else one.release();
    throw failure;
  }

  /** An operation that somebody else carries: accepted again, or waited for by looking. */
  async function join<Rec>(
    operation: Operation,
    record: Rec,
    waiting: Waiting,
  ): Promise<Outcome<Rec> | 'ended'> {
    const accepted: Outcome<Rec> = { is: 'accepted', operation, record };
    // Who repeats what was accepted before is not kept waiting once more.
    if (waiting.acceptsIncomplete && !waiting.isOurs) return accepted;
    const seen = await wait.untilEnded(operation, waiting);
    if (!seen && waiting.acceptsIncomplete) return accepted;
    const ended = seen ?? (await stopWaiting(operation, waiting));
    if (ended.failure) return failed(ended, record, waiting);
    if (isRemoval(operation.kind)) return { is: 'done', record };
    return waiting.answers ? { is: 'done', record: await wait.findMade<Rec>(operation) } : 'ended';
  }

  /** As for one that is carried here. Gives the operation when it has ended at the last moment. */
  async function stopWaiting(operation: Operation, { answers, giveUp }: Waiting): Promise<Operation> {
    if (!answers) return busy('The operation is still in progress. Try again later.');
    if (!giveUp) throw tooSlow(operation, false);
    try {
      const { is } = await giveUp();
      const ended = is === 'absent' ? await wait.findEnded(operation) : undefined;
      if (ended) return ended;
    } catch (error) {
      observe({ type: 'trouble', doing: `giving up operation ${operation.id}`, detail: String(error) });
      throw tooSlow(operation, false);
    }
    throw tooSlow(operation, true);
  }

  async function take() {
    const held = await store.claim(settings.holder, settings.lease, settings.node);
    if (!held) return undefined;
    observe({ type: 'operation-claimed', operation: summarize(held.operation) });
    try {
      const plan = await planOf(held.operation.confidential.target ?? held.instance);
      return pickUp(plan, held, false);
    } catch (error) {
      // One bad row must not stop the others: it comes again when its lease is over.
      observe({ type: 'trouble', doing: `taking up operation ${held.operation.id}`, detail: String(error) });
      return { ended: Promise.resolve<Ended>({ lost: true }) };
    }
  }

  return {
    run,
    take,
    onHint(hint) {
      if ('cancelled' in hint) carried.get(hint.cancelled)?.drop();
    },
    async rest() {
      while (carried.size > 0) await Promise.all([...carried.values()].map(({ ended }) => ended));
    },
    inHand: () => [...carried.values()].map(({ operation }) => summarize(operation)),
    async handOver() {
      leaving = true;
      const all = [...carried.values()];
      for (const one of all) one.handOver();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

/** The record that the operation is about, as it was opened. */
function subjectOf<Rec>({ instance, binding, operation }: LeasedOperation): Rec {
  return (operation.confidential.target ?? binding ?? instance) as Rec;
}

function tooSlow(operation: Operation, isGivenUp: boolean): Failure {
  const what = isGivenUp ? 'It has been given up.' : 'It goes on.';
  return new Failure('timeout', `${slowness(operation)} ${what}`);
}

function slowness({ kind }: Operation): string {
  return `The ${kind} operation takes longer than a synchronous request can wait.`;
}

function isRemoval(kind: OperationKind): boolean {
  return kind === 'deprovision' || kind === 'unbind';
}

/** However soon it came: whoever asks for the operation is told then, or whoever waits is told now. */
function failed<Rec>(operation: Operation, record: Rec, { failsLater }: Waiting): Outcome<Rec> {
  if (failsLater) return { is: 'accepted', operation, record };
  throw failureOf(operation);
}

function outcomeOf<Rec>({ settled }: Extract<Ended, { settled: unknown }>, before: Rec): Outcome<Rec> {
  const change = settled.binding ?? settled.instance;
  return { is: 'done', record: (change && 'put' in change ? change.put : before) as Rec };
}

/** Of a cancelled operation nothing is wrong: another request on the same thing took its place. */
function failureOf({ failure }: Operation): Failure | Refusal {
  if (failure?.word === 'cancelled') return new Refusal('busy', failure.sentence);
  const { word = 'failed', sentence = 'The operation failed.', detail: _detail, ...hints } = failure ?? {};
  return new Failure(word, sentence, hints);
}
