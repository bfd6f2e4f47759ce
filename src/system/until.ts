import { setTimeout as pause } from 'node:timers/promises';

/** When it is looked, in milliseconds. */
export interface Looks {
  /** Between the first look and the second. */
  readonly first: number;
  /** Between two looks, when the pauses have grown. */
  readonly longest: number;
  /** By which each pause is longer than the one before. */
  readonly factor?: number;
  /** Of all looks together; the last one is at its end. Absent: none. */
  readonly limit?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks until there is something: soon at first, then at growing distances.
 * @returns what was found; undefined when there was nothing in time
 * @throws Error named AbortError when the signal ends the waiting
 */
export async function until<Found>(
  look: () => Found | false | undefined | Promise<Found | false | undefined>,
  { first, longest, factor = 2, limit = Infinity, signal }: Looks,
): Promise<Found | undefined> {
  const end = performance.now() + limit;
  for (let wait = first; ; wait = Math.min(wait * factor, longest)) {
    const found = await look();
    if (found !== false && found !== undefined) return found;
    const left = end - performance.now();
    if (left <= 0) return undefined;
    await pause(Math.min(wait, left), undefined, { signal });
  }
}
