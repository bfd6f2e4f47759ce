import { setTimeout as pause } from 'node:timers/promises';

/**
 * Looks until it is so, and gives what was seen: anything but undefined and false.
 * @param what is waited for, told when it is not so after this many milliseconds
 */
export async function until<Seen>(
  what: string,
  look: () => Promise<Seen | undefined | false> | Seen | undefined | false,
  patienceMs = 60_000,
): Promise<Seen> {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const began = performance.now();
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    const now = performance.now();
    if (now > giveUp) throw new Error(`Still not so after ${patienceMs} ms: ${what}`);
    // Who waits leaves the processors to what is waited for, whatever a look costs.
    await pause(Math.min(Math.max(5, 3 * (now - began)), 200));
  }
}
