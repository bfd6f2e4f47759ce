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
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > giveUp) throw new Error(`Still not so after ${patienceMs} ms: ${what}`);
    await pause(5);
  }
}
