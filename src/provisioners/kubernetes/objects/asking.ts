import { Failure } from '../../../broker/errors.ts';
import type { JsonObject } from '../../../broker/json.ts';
import { TryLater } from '../../../node/step-sequence.ts';
import { type Deed, meaningOf } from '../rules/meaning.ts';

/**
 * What a cluster answers, in our words.
 * @returns undefined also for what is to be removed and is not there
 * @throws Failure when it has failed for good; TryLater when the cluster asks for that
 */
export async function asking<Answer>(deed: Deed, ask: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    const meaning = meaningOf(error, deed);
    if (meaning.is === 'failure') throw meaning.failure;
    if (meaning.is === 'again') throw later(sentenceOf(meaning.note), meaning.afterMs);
    if (meaning.is === 'gone') return undefined;
    throw error;
  }
}

/** It is tried again for as long as the operation may take. @param note a sentence for users */
export function later(note: string, afterMs: number, keep?: JsonObject): TryLater {
  return new TryLater(new Failure('not-now', note), { afterMs, note, keep });
}

/** Milliseconds before the next look. */
export function pauseAfter(tries: number): number {
  return Math.min(250 * 2 ** (tries - 1), 5000);
}

export function sentenceOf(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}
