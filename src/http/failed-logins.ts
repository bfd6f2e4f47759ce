export interface FailedLogins {
  /** One more from this address. @returns how many there have been lately. */
  add(address: string): number;
}

const forgetAfterMs = 10 * 60_000;
const mostAddresses = 10_000;
const tolerated = 5;
const growthMs = 20;
const longestMs = 2_000;

/** Counts failed logins by address. Memory is bounded: the address that failed longest ago goes first. */
export function countFailures(now: () => number = () => performance.now()): FailedLogins {
  const seen = new Map<string, { readonly count: number; readonly at: number }>();
  return {
    add(address) {
      const before = seen.get(address);
      const count = before && now() - before.at < forgetAfterMs ? before.count + 1 : 1;
      seen.delete(address);
      seen.set(address, { count, at: now() });
      for (const oldest of seen.keys()) {
        if (seen.size <= mostAddresses) break;
        seen.delete(oldest);
      }
      return count;
    },
  };
}

/** Milliseconds to wait before the answer to this many failures. Slow enough for guessers, gentle on typos. */
export function pauseAfter(failures: number): number {
  return Math.min(longestMs, Math.max(0, failures - tolerated) * growthMs);
}
