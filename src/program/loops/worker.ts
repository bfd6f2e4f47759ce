import type { BrokerEvent } from '../../broker/events.ts';
import { backoff, endsWithin } from '../../broker/timing.ts';

/** What the loop asks of the core. */
export interface WorkSource {
  /** Takes up one due operation, or says how long there is nothing to do. Throws while the database is away. */
  take(): Promise<{ readonly ended: Promise<unknown> } | { readonly sleepMs: number }>;
}

export interface Worker {
  /** Something is due: look now. */
  wake(): void;
  /** Takes nothing new and waits for what runs, no longer than this many milliseconds. */
  stop(withinMs: number): Promise<void>;
}

export interface WorkerOptions {
  readonly work: WorkSource;
  /** What is looked for, for the log; due operations when absent. */
  readonly what?: string;
  /** Taken up at once. */
  readonly concurrency: number;
  readonly observe: (event: BrokerEvent) => void;
  /** Milliseconds, doubled after every look that failed. */
  readonly firstPause?: number;
  readonly longestPause?: number;
}

/** The loop around the core: it takes what is due, as much at once as it may, and sleeps until more is. */
export function startWorker(options: WorkerOptions): Worker {
  const running = new Set<Promise<void>>();
  const alarm = createAlarm();
  let stopping = options.concurrency === 0;

  async function loop(): Promise<void> {
    const look = patiently(options);
    while (!stopping) {
      alarm.reset();
      const next = running.size < options.concurrency ? await look() : ({ sleepMs: Infinity } as const);
      if ('sleepMs' in next) await alarm.sleep(next.sleepMs);
      else count(next.ended);
    }
  }

  function count(ended: Promise<unknown>): void {
    const settled = Promise.allSettled([ended]).then(() => {
      running.delete(settled);
      alarm.ring();
    });
    running.add(settled);
  }

  const looped = loop();
  return {
    wake: () => alarm.ring(),
    async stop(withinMs) {
      stopping = true;
      alarm.ring();
      await endsWithin(
        withinMs,
        looped.then(() => Promise.all(running)),
      );
    },
  };
}

/** A look that failed makes the next one wait, longer each time; it is told once per failure. */
function patiently({ work, what, observe, firstPause = 100, longestPause = 5000 }: WorkerOptions) {
  const doing = `looking for ${what ?? 'due operations'}`;
  let failures = 0;
  return async function look(): ReturnType<WorkSource['take']> {
    try {
      const next = await work.take();
      failures = 0;
      return next;
    } catch (error) {
      observe({ type: 'trouble', doing, detail: causeOf(error) });
      failures += 1;
      return { sleepMs: backoff(failures, { first: firstPause, longest: longestPause }) };
    }
  };
}

/** What went wrong underneath, where the error itself is a sentence for users. */
function causeOf(error: unknown): string {
  return String((error instanceof Error && error.cause) || error);
}

/** Sleep that can be cut short, also by a ring that came before it began. */
function createAlarm() {
  let rung = false;
  let wakeUp: (() => void) | undefined;
  return {
    reset() {
      rung = false;
    },
    ring() {
      rung = true;
      wakeUp?.();
    },
    async sleep(ms: number): Promise<void> {
      if (rung) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      wakeUp = resolve;
      const timer = Number.isFinite(ms) ? setTimeout(resolve, Math.min(ms, 2 ** 31 - 1)) : undefined;
      await promise;
      clearTimeout(timer);
      wakeUp = undefined;
    },
  };
}
