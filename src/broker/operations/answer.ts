/** What a request that waits for an operation is told. */
import { Failure, Refusal } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import type { Operation, OperationKind } from '../records.ts';
import { withinTime } from '../timing.ts';
import { busy } from './intent.ts';
import type { Ended, RunningOperation } from './run.ts';
import type { OperationContext } from './step.ts';
import type { Wait, Waiting } from './wait.ts';

/**
 * Of a create: ends it and undoes what it has made, for nobody waits for it any longer; `absent` when it was not open
 * any more.
 */
export type Undo = (operation: Operation) => Promise<Outcome<unknown>>;

/** An operation that somebody waits for, and what it is about as it was opened. */
export interface Awaited<Rec> {
  readonly operation: Operation;
  readonly record: Rec;
  readonly waiting: Waiting;
}

/** `ended`: what was waited for is over, and what it was to be is decided again. */
export type Answer<Rec> = Outcome<Rec> | 'ended';

/** Waits for an operation that runs here, as long as patience allows. */
export async function answerOfRunning<Rec>(
  core: OperationContext,
  wait: Wait,
  one: RunningOperation,
  awaited: Awaited<Rec>,
  undo: Undo | undefined,
): Promise<Answer<Rec>> {
  const { operation, record, waiting } = awaited;
  const ended = await withinTime(one.ended, Math.max(0, waiting.until - performance.now()));
  if (ended && 'settled' in ended) {
    return ended.operation.failure ? failed(ended.operation, record, waiting) : outcomeOf(ended, record);
  }
  if (ended) return answerOfOther(core, wait, awaited, undo);
  if (waiting.acceptsIncomplete) {
    one.release();
    return { is: 'accepted', operation, record };
  }
  // The platform gives up waiting as well and cleans up: so a create is ended and undone.
  const failure = tooSlow(operation, undo !== undefined);
  if (undo) one.abort({ word: failure.word, sentence: slowness(operation) });
  else one.release();
  throw failure;
}

/** An operation that runs elsewhere: accepted again, or waited for by looking. */
export async function answerOfOther<Rec>(
  core: OperationContext,
  wait: Wait,
  { operation, record, waiting }: Awaited<Rec>,
  undo?: Undo,
): Promise<Answer<Rec>> {
  const accepted: Outcome<Rec> = { is: 'accepted', operation, record };
  // Who repeats what was accepted before is not kept waiting once more.
  if (waiting.acceptsIncomplete && !waiting.isOurs) return accepted;
  const seen = await wait.untilEnded(operation, waiting);
  if (!seen && waiting.acceptsIncomplete) return accepted;
  const ended = seen ?? (await stopWaiting(core, wait, operation, waiting, undo));
  if (ended.failure) return failed(ended, record, waiting);
  if (isRemoval(operation.kind)) return { is: 'done', record };
  return waiting.answers ? { is: 'done', record: await wait.findMade<Rec>(operation) } : 'ended';
}

/** As for one that runs here. Gives the operation when it has ended at the last moment. */
async function stopWaiting(
  { observe }: OperationContext,
  wait: Wait,
  operation: Operation,
  { answers }: Waiting,
  undo: Undo | undefined,
): Promise<Operation> {
  if (!answers) return busy('The operation is still in progress. Try again later.');
  if (!undo) throw tooSlow(operation, false);
  try {
    const { is } = await undo(operation);
    const ended = is === 'absent' ? await wait.findEnded(operation) : undefined;
    if (ended) return ended;
  } catch (error) {
    observe({ type: 'trouble', doing: `giving up operation ${operation.id}`, detail: String(error) });
    throw tooSlow(operation, false);
  }
  throw tooSlow(operation, true);
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
