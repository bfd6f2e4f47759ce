import type { OperationQueue } from '../../broker/queue.ts';
import type { UnitMonitor } from '../../broker/broker.ts';
import type { BrokerEvent } from '../../broker/events.ts';
import type { Store } from '../../broker/store.ts';
import { startRounds } from './rounds.ts';
import { startWorker, type Worker } from './worker.ts';
import { endsWithin } from '../../broker/timing.ts';

export interface UpkeepParts {
  readonly work: OperationQueue;
  readonly checks: UnitMonitor;
  /** What else goes on until the broker rests. */
  readonly others: readonly Worker[];
  /** What goes on in rounds, each of which gives the milliseconds until its next one and never rejects. */
  readonly rounds: readonly (() => Promise<number>)[];
  /** Looks for what nobody owns. */
  readonly lookAround: () => Promise<void>;
  readonly store: Store;
  /** Operations that run at once; units looked at, at once. */
  readonly workers: number;
  readonly lookers: number;
  readonly observe: (event: BrokerEvent) => void;
}

/** All that the broker does without being asked. */
export interface Upkeep {
  /** Takes up no more, and waits for what runs, at most this many milliseconds. */
  rest(withinMs: number): Promise<void>;
  /** Hears of nothing any more. */
  close(): Promise<void>;
}

/** Milliseconds between two looks for what nobody owns. */
const orphansEvery = 60_000;

/** Carries operations, looks at units, and looks for what nobody owns, each in a loop of its own. */
export function startUpkeep(parts: UpkeepParts): Upkeep {
  const { work, checks, others, rounds, lookAround, store, workers, lookers, observe } = parts;
  const worker = startWorker({ work, concurrency: workers, observe });
  const monitor = startWorker({ work: checks, what: 'units to look at', concurrency: lookers, observe });
  const orphans = startRounds(async () => {
    await lookAround().catch((error: unknown) =>
      observe({ type: 'trouble', doing: 'looking for what nobody owns', detail: String(error) }),
    );
    return orphansEvery;
  });
  const going = [orphans, ...rounds.map((round) => startRounds(round))];
  const stopListening = store.listen((hint) => {
    work.onHint(hint);
    if ('due' in hint) worker.wake();
  });
  return {
    async rest(withinMs) {
      await Promise.all([
        worker.stop(withinMs),
        monitor.stop(withinMs),
        ...others.map((one) => one.stop(withinMs)),
        ...going.map((one) => endsWithin(withinMs, one.stop())),
        endsWithin(withinMs, work.rest()),
      ]);
    },
    close: stopListening,
  };
}
