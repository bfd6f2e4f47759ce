/** Time: waiting that ends, and pauses that grow. */

/** Milliseconds after which brokers look for what is due by themselves: what is due later needs no hint. */
export const longestSleep = 1000;

/** The value, or undefined when time is over first. What the work throws is thrown. */
export async function withinTime<Value>(
  value: Promise<Value> | undefined,
  ms: number,
): Promise<Value | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  try {
    return await Promise.race(value ? [value, over] : [over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the work has ended when time is over. What it throws until then is thrown. */
export async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const ended = work.then(() => true);
  return (await withinTime(ended, Math.max(0, ms))) === true;
}

/**
 * Gives what the work gives, if it does so in time.
 * @param work is told by the signal when its time is over, and not waited for any longer
 * @throws Error named TimeoutError
 */
export async function underLimit<Value>(
  ms: number,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const control = new AbortController();
  const given = work(control.signal).then((value) => ({ value }));
  const ended = await withinTime(given, ms);
  if (ended) return ended.value;
  const late = new DOMException(`It did not end within ${ms} ms`, 'TimeoutError');
  control.abort(late);
  throw late;
}

/** Milliseconds: the first pause, and the longest, to which they are doubled. */
export interface Pauses {
  readonly first: number;
  readonly longest: number;
}

/** Milliseconds to wait after so many tries that came to nothing, 1 being the first. */
export function backoff(tries: number, { first, longest }: Pauses): number {
  return Math.min(first * 2 ** (tries - 1), longest);
}
