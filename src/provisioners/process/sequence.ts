import { Failure } from '../../broker/errors.ts';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import type { Step, Work } from '../../broker/provisioner.ts';

/** What is known while an act runs. */
export interface Turn {
  readonly work: Work;
  /** What earlier acts of the operation have left to remember. */
  readonly kept: JsonObject;
  /** 1, and one more for each time that this act said `NotNow`. */
  readonly tries: number;
}

/** Where it goes on after an act; `end` is the end. */
export interface Next {
  readonly to: string;
  /** The word for the timeline; absent: the act was only a decision. */
  readonly did?: string;
  /** To be remembered until the end of the operation. */
  readonly keep?: JsonObject;
}

/** One act of an operation. It converges: after a death at any point it is called again. */
export type Act = (turn: Turn) => Promise<Next>;
export type Acts = Readonly<Record<string, Act>>;

/** Thrown by an act that wants to be tried again later. The message is a sentence for users. */
export class NotNow extends Error {
  /** For the operator. */
  readonly detail: string | undefined;

  constructor(sentence: string, detail?: string) {
    super(sentence);
    this.name = 'NotNow';
    this.detail = detail;
  }
}

/** Milliseconds before an act that said `NotNow` is tried again; after the last one it has failed. */
const pauses = [1000, 2000, 4000];

/**
 * Goes on with an operation up to the next act that has done something. The memo says where it is; one that names
 * no act of this program begins anew.
 * @param end gives what is made in the end
 */
export async function goOn<Result>(
  acts: Acts,
  first: string,
  work: Work,
  end: (kept: JsonObject) => Promise<Result> | Result,
): Promise<Step<Result>> {
  let { at, tries, kept } = placeIn(work.memo, acts, first);
  for (;;) {
    work.signal.throwIfAborted();
    const next = await perform(requireAct(acts, at), { work, kept, tries });
    if (typeof next === 'number') {
      return { again: { afterMs: next, memo: { at, tries: tries + 1, kept } } };
    }
    const did = next.did === undefined ? undefined : { step: next.did, tries };
    kept = { ...kept, ...next.keep };
    if (next.to === 'end') return { done: await end(kept), did };
    [at, tries] = [next.to, 1];
    // What is to be remembered is recorded before anything is done for it.
    if (next.did !== undefined || next.keep) {
      return { again: { afterMs: 0, memo: { at, tries, kept } }, did };
    }
  }
}

/** What comes next, or the milliseconds after which it is to be tried again. */
async function perform(act: Act, turn: Turn): Promise<Next | number> {
  try {
    return await act(turn);
  } catch (error) {
    if (!(error instanceof NotNow)) throw error;
    const pause = pauses[turn.tries - 1];
    if (pause === undefined) throw given(error);
    return pause;
  }
}

/** Will it have failed when it says `NotNow` again? */
export function isLastTry({ tries }: Turn): boolean {
  return tries > pauses.length;
}

/** What is told when it said so too often. */
export function given({ message, detail }: NotNow): Failure {
  return new Failure('not-now', message, { detail });
}

function requireAct(acts: Acts, name: string): Act {
  const act = acts[name];
  if (!act) throw new Error(`There is no act '${name}'.`);
  return act;
}

/** What the acts of an operation have left to remember in its memo. */
export function keptIn(memo: Json | undefined): JsonObject {
  const kept = isObject(memo) ? memo['kept'] : undefined;
  return isObject(kept) ? kept : {};
}

function placeIn(
  memo: Json | undefined,
  acts: Acts,
  first: string,
): { readonly at: string; readonly tries: number; readonly kept: JsonObject } {
  const begin = { at: first, tries: 1, kept: {} };
  if (!isObject(memo)) return begin;
  const { at, tries } = memo;
  if (typeof at !== 'string' || !Object.hasOwn(acts, at)) return begin;
  return { at, tries: typeof tries === 'number' ? tries : 1, kept: keptIn(memo) };
}
