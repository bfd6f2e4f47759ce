import { Failure } from '../../broker/errors.ts';
import type { Json, JsonObject } from '../../broker/json.ts';
import type { StepDone, Step, Work } from '../../broker/provisioner.ts';
import { backoff } from '../../broker/timing.ts';
import type { HookResult } from '../../node/hooks/run.ts';
import { objectIn, type Told } from './site.ts';

/** One step of an operation: a row of its timeline, and a memo when there is another one after it. */
export interface Act {
  readonly name: string;
  /** @param attempt 1, and one more for each time it asked to be tried again */
  readonly run: (told: Told, attempt: number) => Promise<HookResult & { readonly ports?: JsonObject }>;
  /** Milliseconds that something which is `down` has to come up. */
  readonly limit?: number;
}

/**
 * Takes the step at which the operation is. Acts must converge: one that was done and not recorded is done again.
 * @param end makes the result when all is done
 * @throws Failure when a step fails, asks again too often or does not come up in time
 */
export async function takeAct<Result>(
  acts: readonly Act[],
  work: Work,
  end: (told: Told) => Result,
): Promise<Step<Result>> {
  const memo = readMemo(work.memo);
  const act = acts.find(({ name }) => name === memo.act) ?? acts[0];
  if (!act) return { done: end({}) };
  work.signal.throwIfAborted();
  const result = await act.run(memo.told, memo.attempt);
  if ('again' in result) return { again: later(act, memo) };
  if ('down' in result) return { again: lookAgain(act, memo, result.down) };
  const told = addTold(memo.told, act.name, result);
  const did = deedOf(act, memo);
  const next = acts[acts.indexOf(act) + 1];
  if (!next) return { done: end(told), did };
  return { again: { afterMs: 0, memo: memoOf({ act: next.name, attempt: 1, told }) }, did };
}

interface Memo {
  /** Absent: the first one. */
  readonly act?: string;
  readonly attempt: number;
  readonly told: Told;
  /** When it was found to be down for the first time. */
  readonly since?: number;
}

function readMemo(value: Json | undefined): Memo {
  const { act, attempt, told, since } = objectIn(value);
  return {
    act: typeof act === 'string' ? act : undefined,
    attempt: typeof attempt === 'number' ? attempt : 1,
    told: objectIn(told) as Told,
    since: typeof since === 'number' ? since : undefined,
  };
}

function memoOf(memo: Memo): JsonObject {
  return { ...memo, told: { ...memo.told } };
}

/** Milliseconds before a step that asks for it is tried again. */
const pauses = [1000, 2000, 4000] as const;

function later(act: Act, memo: Memo) {
  const afterMs = pauses[memo.attempt - 1];
  if (afterMs === undefined) {
    throw new Failure(
      'hook',
      `The step ${act.name} was tried ${memo.attempt} times and was not ready to be done.`,
    );
  }
  const next = { ...memo, act: act.name, attempt: memo.attempt + 1 };
  return { afterMs, memo: memoOf(next), note: `The step ${act.name} is tried again.` };
}

/** The pauses grow from 50 to 500 ms. */
function lookAgain(act: Act, memo: Memo, said: string) {
  const since = memo.since ?? Date.now();
  const limit = act.limit ?? 0;
  if (Date.now() - since >= limit) {
    const told = said ? `: ${said}` : '.';
    throw new Failure('not-up', `It did not come up within ${limit / 1000} s${told}`);
  }
  const next = { ...memo, act: act.name, attempt: memo.attempt + 1, since };
  const afterMs = backoff(memo.attempt, { first: 50, longest: 500 });
  return { afterMs, memo: memoOf(next), note: 'It is looked whether it is up.' };
}

function addTold(
  told: Told,
  name: string,
  result: { readonly outputs: JsonObject; readonly ports?: JsonObject },
): Told {
  const isSilent = Object.keys(result.outputs).length === 0;
  return {
    ...told,
    ports: result.ports ?? told.ports,
    outputs: isSilent ? told.outputs : { ...told.outputs, [name]: result.outputs },
  };
}

/** How often one looked is no matter of tries. */
function deedOf(act: Act, { attempt }: Memo): StepDone {
  return { step: act.name, tries: act.limit === undefined ? attempt : undefined };
}
