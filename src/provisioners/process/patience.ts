import { setTimeout as pause } from 'node:timers/promises';

/**
 * Looks until it is so: soon at first, then at growing distances.
 * @param limit milliseconds
 * @returns whether it was so in time
 * @throws the signal's reason when it was given up
 */
export async function untilSo(
  look: () => boolean | Promise<boolean>,
  limit: number,
  signal: AbortSignal,
): Promise<boolean> {
  const end = performance.now() + limit;
  for (let wait = 5; ; wait = Math.min(wait * 1.5, 500)) {
    if (await look()) return true;
    const left = end - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(wait, left), undefined, { signal });
  }
}
