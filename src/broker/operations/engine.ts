/** The one place where an operation begins: decided on, opened, and waited for. */
import type { ServicePlan } from '../catalog.ts';
import { refuseUnheard } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import type { ServiceInstance } from '../records.ts';
import type { LeasedOperation } from '../store.ts';
import { type Answer, answerOfOther, answerOfRunning, type Undo } from './answer.ts';
import { busy, type Decision, type Intent, occupied } from './intent.ts';
import { openAsOne } from './open-as-one.ts';
import { leasedFrom, openIntent } from './open.ts';
import { createRunning, type Running } from './running.ts';
import type { OperationContext } from './step.ts';
import { createWait, type Request, type Wait, type Waiting } from './wait.ts';

export interface Engine extends Pick<Running, 'take' | 'onHint' | 'rest' | 'inHand' | 'handOver'> {
  /**
   * Decides on what is there, opens the intent and runs it as long as patience allows. When the state has changed
   * between decision and opening, it is decided again.
   * @param undo of what was opened here, for when a synchronous request stops waiting; absent: it goes on
   */
  run<Rec>(request: Request, decide: () => Promise<Decision<Rec>>, undo?: Undo): Promise<Outcome<Rec>>;
}

/** Decisions in a row that may be overtaken by others before a request is told to come again. */
const mostDecisions = 50;

export function createEngine(
  core: OperationContext,
  planOf: (instance: ServiceInstance) => Promise<ServicePlan>,
): Engine {
  const running = createRunning(core, planOf);
  const wait = createWait(core, running);
  return { ...running, run: (request, decide, undo) => run({ core, running, wait }, request, decide, undo) };
}

interface Parts {
  readonly core: OperationContext;
  readonly running: Running;
  readonly wait: Wait;
}

async function run<Rec>(
  parts: Parts,
  request: Request,
  decide: () => Promise<Decision<Rec>>,
  undo: Undo | undefined,
): Promise<Outcome<Rec>> {
  const { core, wait } = parts;
  const began = performance.now();
  let ended = false;
  for (let tries = 0; tries < mostDecisions; tries += 1) {
    const decision = await decide();
    if ('is' in decision) return decision;
    // What was asked for was done, and undone since: to do it again is for a new request to ask.
    if (ended && 'start' in decision) return busy();
    if ('start' in decision) refuseUnheard(request);
    const waiting = wait.begin(request, began, decision.waits);
    if ('after' in decision) {
      if (!(await wait.untilEnded(decision.after, waiting))) return occupied(decision.after);
      continue;
    }
    const answer =
      'join' in decision
        ? await answerOfOther(core, wait, joined(decision, waiting))
        : await start<Rec>(parts, decision.start, request, waiting, undo);
    if (typeof answer === 'object') return answer;
    ended = answer === 'ended';
  }
  return busy();
}

function joined<Rec>(
  { join: operation, record, answers = false }: Extract<Decision<Rec>, { join: unknown }>,
  waiting: Waiting,
) {
  return { operation, record, waiting: { ...waiting, answers } };
}

/** `stale`: somebody was quicker. Decide again. */
async function start<Rec>(
  { core, running, wait }: Parts,
  asked: Intent,
  { within }: Request,
  given: Waiting,
  undo: Undo | undefined,
): Promise<Answer<Rec> | 'stale'> {
  const { failsLater } = given;
  const intent = failsLater ? { ...asked, operation: { ...asked.operation, untold: true } } : asked;
  const waiting = { ...given, answers: true, isOurs: true };
  const one = await openAsOne(core, intent, leasedFrom(intent, intent.operation), { within, failsLater });
  if (one === 'stale' || (!one && intent.unseen)) return 'stale';
  if (one) return { is: 'done', record: one as Rec };
  const held = await openIntent(core, intent, within);
  if (!held) return 'stale';
  const { operation } = held;
  const awaited = { operation, record: subjectOf<Rec>(held), waiting };
  return operation.holder === undefined
    ? answerOfOther(core, wait, awaited, undo)
    : answerOfRunning(core, wait, running.begin(intent.plan, held, true), awaited, undo);
}

/** The record that the operation is about, as it was opened. */
function subjectOf<Rec>({ instance, binding, operation }: LeasedOperation): Rec {
  return (operation.confidential.target ?? binding ?? instance) as Rec;
}
