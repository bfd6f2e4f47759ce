import type { OperationSummary } from '../broker/events.ts';
import type { Log } from '../telemetry/log.ts';
import { endsWithin } from '../broker/timing.ts';

/** What a program that has lost its footing still has in hand. */
export interface InHand {
  readonly requests: number;
  readonly operations: readonly OperationSummary[];
}

export interface Endangered {
  inHand(): InHand;
  /** Hands over at once and ends everything, within these milliseconds. */
  abandon(withinMs: number): Promise<unknown>;
}

/** Milliseconds for the hand-over and for the end of the embedded database. */
const lastBreath = 10_000;
/** Operations that are named in the log; the others are counted. */
const mostNamed = 20;

/**
 * Ends the process when something happens that nobody has reckoned with (an exception that nobody caught, a promise
 * that failed and that nobody waited for): what it would do from then on nobody knows. Before that it says what it
 * has in hand, leaves its operations to other brokers and ends its database, all of it within a fixed time.
 * @returns to be given the program as soon as there is one
 */
export function endOnTheUnexpected(log: Log): (program: Endangered) => void {
  let program: Endangered | undefined;
  let isEnding = false;
  process.on('uncaughtException', (error: unknown, origin) => {
    const detail = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    log.note('error', 'unexpected error', { detail, origin, ...(program && told(program.inHand())) });
    if (isEnding) return;
    isEnding = true;
    void end(program).finally(() => process.exit(1));
  });
  return (known) => (program = known);
}

async function end(program: Endangered | undefined): Promise<void> {
  // How it goes is told by those who end; here nothing may keep it from ending.
  await endsWithin(lastBreath, Promise.resolve(program?.abandon(lastBreath))).catch(() => undefined);
}

function told({ requests, operations }: InHand) {
  const named = operations.slice(0, mostNamed);
  return {
    requests,
    operations: operations.length,
    inHand: named.map(({ kind, id, instanceId }) => `${kind} ${id} of instance ${instanceId}`),
  };
}
