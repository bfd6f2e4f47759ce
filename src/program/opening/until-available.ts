import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from '../../broker/errors.ts';
import { databaseReason } from '../../postgres/trouble.ts';

const firstPause = 200;
const longestPause = 5_000;

export interface Patience {
  /** Told once, when the waiting begins, and why. */
  readonly onWait: (reason: string) => void;
  /** Ends the waiting: what the last try threw is thrown. */
  readonly signal: AbortSignal;
}

/** Tries the task again, with growing pauses, as long as the database cannot be reached. */
export async function untilAvailable<Result>(
  { onWait, signal }: Patience,
  task: () => Promise<Result>,
): Promise<Result> {
  for (let wait = firstPause; ; wait = Math.min(wait * 2, longestPause)) {
    signal.throwIfAborted();
    try {
      return await task();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (wait === firstPause)
        onWait(error.cause === undefined ? error.message : databaseReason(error.cause));
      await pause(wait, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}

function isUnavailable(error: unknown): error is Refusal {
  return error instanceof Refusal && error.code === 'unavailable';
}
