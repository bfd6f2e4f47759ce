/** Lets only so many in at once; the others wait in line, and leave it when their signal says so. */
export function createGate(limit: number) {
  const line: (() => void)[] = [];
  let inside = 0;

  async function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (inside < limit) {
      inside += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leaveLine = (): void => {
      const at = line.indexOf(resolve);
      if (at >= 0) line.splice(at, 1);
      reject(signal.reason as Error);
    };
    line.push(resolve);
    signal.addEventListener('abort', leaveLine);
    // Who is let in has the place of the one who went.
    await promise.finally(() => signal.removeEventListener('abort', leaveLine));
  }
  function leave(): void {
    const next = line.shift();
    if (next) next();
    else inside -= 1;
  }
  return {
    async pass<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
