import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from '../../broker/errors.ts';
import { backoff } from '../../broker/timing.ts';
import { databaseReason } from '../../postgres/trouble.ts';

const pauses = { first: 200, longest: 5_000 };

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
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await task();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (tries === 1) onWait(error.cause === undefined ? error.message : databaseReason(error.cause));
      await pause(backoff(tries, pauses), undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}

function isUnavailable(error: unknown): error is Refusal {
  return error instanceof Refusal && error.code === 'unavailable';
}
