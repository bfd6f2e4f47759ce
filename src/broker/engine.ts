/** The one place where an operation moves: opened, carried, taken up again, handed over. */
import { type Carried, carry, type Ended } from './carry.ts';
import type { ServicePlan } from './catalog.ts';
import type { Deps } from './deps.ts';
import { Failure, Refusal } from './errors.ts';
import { summarize } from './events.ts';
import { busy, type Decision, type Intent } from './intent.ts';
import { openAsOne } from './open-as-one.ts';
import type { Outcome } from './outcome.ts';
import type { Operation, ServiceInstance } from './records.ts';
import { recordIn, type Held, type Hint } from './store.ts';

export interface Engine {
  /**
   * Decides on what is there, opens the intent and carries it as long as patience allows. When the state has
   * changed between decision and opening, it is decided again.
   */
  run<Rec>(
    request: { acceptsIncomplete: boolean },
    decide: () => Promise<Decision<Rec>>,
  ): Promise<Outcome<Rec>>;
  /** Takes up one due operation; `ended` when it has been carried as far as it goes now. */
  take(): Promise<{ ended: Promise<Ended> } | undefined>;
  /** A hint of the store: an operation that is carried here may have been cancelled. */
  heed(hint: Hint): void;
  /** Ends when nothing is carried here any more. */
  rest(): Promise<void>;
  /** Ends all steps that run here and leaves their operations to other brokers. */
  handOver(): Promise<void>;
}

/** Decisions in a row that may be overtaken by others before a request is told to come again. */
const mostDecisions = 50;
/** Milliseconds between two looks at an operation that is carried elsewhere: rising from, to. */
const lookEvery = { first: 10, last: 500 };

export function createEngine(
  deps: Deps,
  planOf: (instance: ServiceInstance) => Promise<ServicePlan>,
): Engine {
  const { store, settings, observe } = deps;
  const carried = new Map<string, Carried>();
  let leaving = false;

  function pickUp(plan: ServicePlan, held: Held, keep: boolean): Carried {
    const one = carry(deps, plan, held, keep);
    carried.set(one.operationId, one);
    void one.ended.finally(() => carried.get(one.operationId) === one && carried.delete(one.operationId));
    // It was on its way here when everything was handed over.
    if (leaving) one.handOver();
    return one;
  }

  async function run<Rec>(request: { acceptsIncomplete: boolean }, decide: () => Promise<Decision<Rec>>) {
    let ended = false;
    for (let tries = 0; tries < mostDecisions; tries += 1) {
      const decision = await decide();
      if ('is' in decision) return decision;
      // What was asked for was done, and undone since: to do it again is for a new request to ask.
      if (ended && 'start' in decision) return busy();
      const waiting = { acceptsIncomplete: request.acceptsIncomplete && !decision.waits };
      const outcome =
        'join' in decision
          ? await join(decision.join, decision.record, waiting)
          : await start<Rec>(decision.start, waiting);
      if (typeof outcome === 'object') return outcome;
      ended = outcome === 'ended';
    }
    return busy();
  }

  /** `stale`: somebody was quicker; `ended`: done, though not here. Decide again. */
  async function start<Rec>(
    intent: Intent,
    request: { acceptsIncomplete: boolean },
  ): Promise<Outcome<Rec> | 'stale' | 'ended'> {
    const record = subjectOf<Rec>(intent);
    const one = await openAsOne(deps, intent, heldFrom(intent, intent.operation));
    if (one === 'stale') return 'stale';
    if (one) return { is: 'done', record: one as Rec };
    const held = await open(intent);
    if (!held) return 'stale';
    if (intent.cancels) return join(held.operation, record, request);
    return finish(pickUp(intent.plan, held, true), held.operation, record, request);
  }

  /** Writes the intent. A removal that cancels a create is not held: it waits for the create's last step. */
  async function open(intent: Intent): Promise<Held | undefined> {
    const { cancels, instance, binding } = intent;
    const held = cancels ? { follows: cancels.id } : { holder: settings.holder, attempt: 1 };
    const operation: Operation = { ...intent.operation, ...held };
    const cancelling = cancels ? { cancels: cancels.id } : {};
    const rows = { instance, ...(binding ? { binding } : {}) };
    if (!(await store.open({ ...rows, ...cancelling, operation, leaseMs: settings.lease }))) return undefined;
    observe({ type: 'operation-opened', operation: summarize(operation) });
    if (cancels) observe({ type: 'operation-cancelled', operation: summarize(cancels), by: operation.id });
    return heldFrom(intent, operation);
  }

  /** Waits for an operation that is carried here, as long as patience allows. */
  async function finish<Rec>(
    one: Carried,
    operation: Operation,
    record: Rec,
    request: { acceptsIncomplete: boolean },
  ): Promise<Outcome<Rec> | 'ended'> {
    const patience = request.acceptsIncomplete ? settings.asyncPatience : settings.syncPatience;
    const ended = await withinTime(one.ended, patience);
    if (ended && 'settled' in ended) return outcomeOf(ended, record);
    if (ended) return join(operation, record, request);
    if (!request.acceptsIncomplete) return loseSyncPatience(one, operation);
    one.letGo();
    return { is: 'accepted', operation, record };
  }

  /** The platform gives up waiting as well and cleans up: so a create is ended and undone. */
  function loseSyncPatience(one: Carried, { kind }: Operation): never {
    const sentence = `The ${kind} operation takes longer than a synchronous request can wait.`;
    if (kind === 'provision' || kind === 'bind') {
      one.giveUp({ word: 'timeout', sentence });
      throw new Failure('timeout', `${sentence} It has been given up.`);
    }
    one.letGo();
    throw new Failure('timeout', `${sentence} It goes on.`);
  }

  /** An operation that somebody else carries: accepted again, or waited for by looking. */
  async function join<Rec>(
    operation: Operation,
    record: Rec,
    request: { acceptsIncomplete: boolean },
  ): Promise<Outcome<Rec> | 'ended'> {
    if (request.acceptsIncomplete) return { is: 'accepted', operation, record };
    const ended = await lookUntilEnded(operation);
    if (ended.failure) throw failureOf(ended);
    const removed = operation.kind === 'deprovision' || operation.kind === 'unbind';
    return removed ? { is: 'done', record } : 'ended';
  }

  async function lookUntilEnded({ id: operationId, instanceId, bindingId }: Operation): Promise<Operation> {
    const query = { operationId, instanceId, ...(bindingId === undefined ? {} : { bindingId }) };
    const end = performance.now() + settings.syncPatience;
    for (let wait = lookEvery.first; ; wait = Math.min(wait * 2, lookEvery.last)) {
      const { operation } = await store.lastOperation(query);
      if (operation && operation.state !== 'in progress') return operation;
      if (leaving)
        throw new Refusal('unavailable', 'The service broker is restarting. Try again in a moment.');
      if (performance.now() + wait > end)
        throw new Refusal('busy', 'The operation is still in progress. Try again later.');
      await withinTime(carried.get(operationId)?.ended, wait);
    }
  }

  async function take() {
    const held = await store.claim(settings.holder, settings.lease);
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
    heed(hint) {
      if ('cancelled' in hint) carried.get(hint.cancelled)?.abandon();
    },
    async rest() {
      while (carried.size > 0) await Promise.all([...carried.values()].map(({ ended }) => ended));
    },
    async handOver() {
      leaving = true;
      const all = [...carried.values()];
      for (const one of all) one.handOver();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

/** The record that the operation is about, as it was opened. */
function subjectOf<Rec>({ instance, binding, operation }: Intent): Rec {
  return (operation.confidential.target ?? recordIn<unknown>(binding ?? instance)) as Rec;
}

function heldFrom({ instance, binding }: Intent, operation: Operation): Held {
  const remainingMs = operation.deadline.getTime() - operation.createdAt.getTime();
  const own = binding ? { binding: recordIn(binding) } : {};
  return { operation, instance: recordIn(instance), ...own, remainingMs };
}

function outcomeOf<Rec>(ended: Extract<Ended, { settled: unknown }>, before: Rec): Outcome<Rec> {
  const { settled, operation } = ended;
  if (operation.failure) throw failureOf(operation);
  const change = settled.binding ?? settled.instance;
  return { is: 'done', record: (change && 'put' in change ? change.put : before) as Rec };
}

/** Of a cancelled operation nothing is wrong: another request on the same thing took its place. */
function failureOf({ failure }: Operation): Failure | Refusal {
  if (failure?.word === 'cancelled') return new Refusal('busy', failure.sentence);
  const { word = 'failed', sentence = 'The operation failed.', detail: _detail, ...hints } = failure ?? {};
  return new Failure(word, sentence, hints);
}

/** The value, or undefined when time is over first. */
async function withinTime<Value>(value: Promise<Value> | undefined, ms: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race(value ? [value, over] : [over]);
  } finally {
    clearTimeout(timer);
  }
}
