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
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const late = new DOMException(`It did not end within ${ms} ms`, 'TimeoutError');
    control.abort(late);
    reject(late);
  }, ms);
  try {
    return await Promise.race([work(control.signal), over]);
  } finally {
    clearTimeout(timer);
  }
}
