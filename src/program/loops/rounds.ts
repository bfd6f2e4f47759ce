/** Something that is done again and again. */
export interface Rounds {
  /** No further round begins; ends when the one that runs has ended. */
  stop(): Promise<void>;
}

/**
 * One round after the other, however long each takes; the pauses between them keep no process alive.
 * @param round gives the milliseconds until the next one, and never rejects
 * @param firstMs until the first one; absent: at once
 */
export function startRounds(round: () => Promise<number>, firstMs?: number): Rounds {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();

  async function turn(): Promise<void> {
    const pauseMs = await round();
    if (!isStopped) later(pauseMs);
  }

  function later(ms: number): void {
    timer = setTimeout(() => (running = turn()), ms).unref();
  }

  if (firstMs === undefined) running = turn();
  else later(firstMs);
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}
