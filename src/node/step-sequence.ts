import { Failure } from '../broker/errors.ts';
import { isObject, type Json, type JsonObject, jsonOf } from '../broker/json.ts';
import type { Step, Work } from '../broker/provisioner.ts';

/** What is known while a step of a sequence runs. */
export interface Attempt {
  readonly work: Work;
  /** What earlier steps of the operation have left to remember. */
  readonly kept: JsonObject;
  /** 1, and one more for each time that this step asked to be tried later. */
  readonly tries: number;
}

/** Where it goes on after a step; `end` is the end. */
export interface Next {
  readonly to: string;
  /** The word for the timeline; absent: the step was only a decision. */
  readonly did?: string;
  /** How often one looked is no matter of tries. */
  readonly isPoll?: boolean;
  /** See `Step`: what comes next needs nothing of this to be written. */
  readonly repeats?: boolean;
  /** To be remembered until the end of the operation. */
  readonly keep?: JsonObject;
}

/** It converges: after a death at any point it is called again. */
export type NamedStep = (attempt: Attempt) => Promise<Next>;
export type NamedSteps = Readonly<Record<string, NamedStep>>;

/** Thrown by a step that wants to be tried again later. */
export class TryLater extends Error {
  /** What it has failed with when it asked too often. */
  readonly failure: Failure;
  readonly again: Again;

  constructor(failure: Failure, again: Again = {}) {
    super(failure.message);
    this.name = 'TryLater';
    this.failure = failure;
    this.again = again;
  }
}

interface Again {
  /** Milliseconds; absent: the growing pauses of the sequence, which come to an end. */
  readonly afterMs?: number;
  readonly keep?: JsonObject;
  /** A sentence for users. */
  readonly note?: string;
}

/** Milliseconds before a step that asked for it is tried again; after the last one it has failed. */
const pauses = [1000, 2000, 4000];

/**
 * Goes on with an operation up to the next step that has done something. The memo says where it is; one that names
 * no step of this program begins anew.
 * @param end gives what is made in the end
 * @throws Failure when a step fails, or asks again too often
 */
export async function runSequence<Result>(
  steps: NamedSteps,
  first: string,
  work: Work,
  end: (kept: JsonObject) => Promise<Result> | Result,
): Promise<Step<Result>> {
  let { at, tries, kept } = placeIn(work.memo, steps, first);
  for (;;) {
    work.signal.throwIfAborted();
    if (at === 'end') return { done: await end(kept) };
    const next = await runStep(requireStep(steps, at), { work, kept, tries });
    if (next instanceof TryLater) {
      const { afterMs = 0, keep, note } = next.again;
      return { again: { afterMs, memo: { at, tries: tries + 1, kept: { ...kept, ...keep } }, note } };
    }
    const did =
      next.did === undefined ? undefined : { step: next.did, tries: next.isPoll ? undefined : tries };
    kept = { ...kept, ...next.keep };
    if (next.to === 'end') return { done: await end(kept), did };
    [at, tries] = [next.to, 1];
    // What is to be remembered is recorded before anything is done for it.
    if (next.did !== undefined || next.keep) {
      return { again: { afterMs: 0, memo: { at, tries, kept }, repeats: next.repeats }, did };
    }
  }
}

/** What comes next, or after how long it is to be tried again. */
async function runStep(step: NamedStep, attempt: Attempt): Promise<Next | TryLater> {
  try {
    return await step(attempt);
  } catch (error) {
    if (!(error instanceof TryLater)) throw error;
    const afterMs = error.again.afterMs ?? pauses[attempt.tries - 1];
    if (afterMs === undefined) throw error.failure;
    return new TryLater(error.failure, { ...error.again, afterMs });
  }
}

/** Will it have failed when it asks once more? */
export function isLastTry({ tries }: Attempt): boolean {
  return tries > pauses.length;
}

function requireStep(steps: NamedSteps, name: string): NamedStep {
  const step = steps[name];
  if (!step) throw new Error(`There is no step '${name}'.`);
  return step;
}

/** What the steps of an operation have left to remember in its memo. */
export function keptIn(memo: Json | undefined): JsonObject {
  return readMemo(memo).kept;
}

interface Memo {
  readonly at: string;
  readonly tries: number;
  readonly kept: JsonObject;
}

/** Of a step that is gone only the outputs are of use: there may be things to take away by them. */
function placeIn(value: Json | undefined, steps: NamedSteps, first: string): Memo {
  const memo = readMemo(value);
  if (Object.hasOwn(steps, memo.at)) return memo;
  const { outputs } = memo.kept;
  return { at: first, tries: 1, kept: outputs === undefined ? {} : { outputs } };
}

/** Broker 0.1.0 wrote for the provisioner `command` `act`, `attempt`, `told` and, beside them, `since`. */
function readMemo(value: Json | undefined): Memo {
  const memo = isObject(value) ? value : {};
  const at = memo['at'] ?? memo['act'];
  const tries = memo['tries'] ?? memo['attempt'];
  const left = memo['kept'] ?? memo['told'];
  const kept = isObject(left) ? left : {};
  return {
    at: typeof at === 'string' ? at : '',
    tries: typeof tries === 'number' ? tries : 1,
    kept: jsonOf({ since: memo['since'], ...kept }),
  };
}
