import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import type { OperationSummary } from '../events.ts';
import { busy } from './intent.ts';
import type { Operation, Origin } from '../records.ts';
import type { Running } from './running.ts';
import type { OnBehalfOf } from '../store.ts';
import { backoff, withinTime } from '../timing.ts';

/** What the engine needs to know of a command. */
export interface Request {
  readonly acceptsIncomplete: boolean;
  readonly origin: Origin;
  readonly isGone?: () => boolean;
  readonly failsLater?: boolean;
  readonly within?: OnBehalfOf;
  readonly giveUp?: string;
}

/** A request that waits, as long as patience allows. */
export interface Waiting {
  readonly acceptsIncomplete: boolean;
  /** A failure, too, may be told later. */
  readonly failsLater: boolean;
  /** When patience ends, on the clock of `performance`. */
  readonly until: number;
  /** The request has opened the operation itself. */
  readonly isOurs?: boolean;
  /** The end of the operation is the answer, as when the request has opened it. */
  readonly answers?: boolean;
}

export interface Wait {
  /**
   * What a request does while it waits.
   * @param began when it came; all that it waits for together is one patience
   * @param waits the answer cannot be given later, whatever the request would accept
   */
  begin(request: Request, began: number, waits?: boolean): Waiting;
  /** By looking. Undefined: it has not ended as long as patience lasts. */
  untilEnded(operation: OperationSummary, waiting: Waiting): Promise<Operation | undefined>;
  findEnded(operation: OperationSummary): Promise<Operation | undefined>;
  /** What the operation has made, as it left it; it may be gone again. */
  findMade<Rec>(operation: Operation): Promise<Rec>;
}

/** Milliseconds between two looks at an operation that runs elsewhere: rising from, to. */
const pollEvery = { first: 10, longest: 500 };
/** Milliseconds that what the broker asks of itself waits at most: nobody waits for its answer, and it comes again. */
const ownPatience = 250;

export function createWait(
  { store, settings }: BrokerContext,
  running: Pick<Running, 'isLeaving' | 'endOf'>,
): Wait {
  function patienceOf(request: Request, acceptsIncomplete: boolean): number {
    if (!acceptsIncomplete) return settings.syncPatience;
    return isOwn(request) ? Math.min(ownPatience, settings.asyncPatience) : settings.asyncPatience;
  }

  async function findEnded({ id: operationId, instanceId, bindingId }: OperationSummary) {
    const query = { operationId, instanceId, bindingId };
    const { operation: now } = await store.lastOperation(query);
    return now && now.state !== 'in progress' ? now : undefined;
  }

  return {
    begin(request, began, waits = false) {
      const acceptsIncomplete = request.acceptsIncomplete && !waits;
      const failsLater = acceptsIncomplete && request.failsLater === true;
      return { acceptsIncomplete, failsLater, until: began + patienceOf(request, acceptsIncomplete) };
    },

    async untilEnded(operation, { until, acceptsIncomplete }) {
      for (let looks = 1; ; looks += 1) {
        const pause = backoff(looks, pollEvery);
        const ended = await findEnded(operation);
        if (ended) return ended;
        if (running.isLeaving() && acceptsIncomplete) return undefined;
        if (running.isLeaving())
          throw new Refusal('unavailable', 'The service broker is restarting. Try again in a moment.');
        if (performance.now() + pause > until) return undefined;
        await withinTime(running.endOf(operation.id), pause);
      }
    },

    findEnded,

    async findMade<Rec>({ instanceId, bindingId }: Operation) {
      const made =
        bindingId === undefined
          ? (await store.findInstance(instanceId))?.instance
          : (await store.findBinding(instanceId, bindingId)).binding;
      return made?.ready ? (made as Rec) : busy();
    },
  };
}

/** Is it the broker itself that asks, for the sake of something else? */
function isOwn({ within, giveUp, origin }: Request): boolean {
  return within !== undefined || giveUp !== undefined || ['broker', 'monitor'].includes(origin.protocol);
}
