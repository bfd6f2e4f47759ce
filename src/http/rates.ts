import type { Rate } from '../protocols/protocol.ts';

/**
 * How much of a rate is left for each who is counted. Whoever has not asked for a while may ask for all of a period at
 * once.
 * @returns for one more request: the milliseconds until it could be served, 0 when it may be now
 */
export function createRates(
  now: () => number = () => performance.now(),
): (counted: string, rate: Rate) => number {
  const left = new Map<string, { readonly requests: number; readonly at: number }>();
  return (counted, { requests, perMs }) => {
    const before = left.get(counted) ?? { requests, at: now() };
    const gained = ((now() - before.at) * requests) / perMs;
    const there = Math.min(requests, before.requests + gained);
    const isServed = there >= 1;
    left.set(counted, { requests: isServed ? there - 1 : there, at: now() });
    return isServed ? 0 : ((1 - there) * perMs) / requests;
  };
}
