import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '../../../broker/json.ts';
import { RunEnded, Shortcoming } from './findings.ts';
import type { Market } from './market.ts';
import { endpointOf } from './endpoint.ts';
import { openTraces, type Traces } from './traces.ts';
import { NoAnswer, type Wire, type WireAnswer, type WireRequest } from './wire.ts';

/** One request and what came of it. */
export interface RecordedExchange {
  readonly request: WireRequest;
  readonly answer: WireAnswer | undefined;
  /** Why there is no answer. */
  readonly failure: string | undefined;
  /** What was asked, e.g. `put instance`; `other` for what the specification does not know. */
  readonly endpoint: string;
}

/** What a case has in its hands. */
export interface Probe {
  readonly market: Market;
  /** The minor version that is spoken: 17 for 2.17. */
  readonly minor: number;
  /** Parameters of the user for each new instance. */
  readonly parameters: JsonObject | undefined;
  /** Others that are as good. */
  readonly otherParameters: JsonObject | undefined;
  /** Milliseconds that an operation may take. */
  readonly operationWithin: number;
  /**
   * How many requests are sent at once: enough to meet, and not so many that a broker is overloaded, which makes as
   * many instances.
   */
  readonly atOnce: number;
  /** One exchange, recorded. @throws Shortcoming when there is no answer, RunEnded at a limit of the run */
  send(request: WireRequest): Promise<WireAnswer>;
  /** Waits between two polls. @throws RunEnded */
  wait(ms: number): Promise<void>;
  /** An id that nobody has used. */
  newId(): string;
  /** What was learnt of the broker, or is kept for several cases; by names that their users agree on. */
  readonly known: Map<string, unknown>;
  /** All exchanges so far. */
  readonly exchanges: readonly RecordedExchange[];
}

export interface ProbeOptions extends Pick<
  Probe,
  'market' | 'minor' | 'parameters' | 'otherParameters' | 'operationWithin' | 'atOnce'
> {
  readonly wire: Wire;
  /** How many requests may be sent. */
  readonly mostRequests: number;
  /** Milliseconds that the run may take. */
  readonly within: number;
  /** Ends the run. */
  readonly signal: AbortSignal;
}

export interface OpenProbe {
  readonly probe: Probe;
  readonly traces: Traces;
  /** Another span of time and another number of requests, in which nobody ends it: for cleaning up. */
  grant(ms: number, requests: number): void;
}

export function openProbe(options: ProbeOptions): OpenProbe {
  const { wire, market } = options;
  const exchanges: RecordedExchange[] = [];
  const traces = openTraces(market);
  let end = performance.now() + options.within;
  let most = options.mostRequests;
  let signal: AbortSignal | undefined = options.signal;

  function requireTime(): void {
    if (signal?.aborted) throw new RunEnded('It was stopped.');
    if (performance.now() > end) throw new RunEnded('The time of the run is over.');
    if (exchanges.length >= most) throw new RunEnded('The requests of the run are used up.');
  }

  async function send(request: WireRequest): Promise<WireAnswer> {
    requireTime();
    const endpoint = endpointOf(request);
    traces.asked(request);
    try {
      const answer = await wire.send(request);
      exchanges.push({ request, answer, failure: undefined, endpoint });
      traces.answered(request, answer);
      return answer;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      exchanges.push({ request, answer: undefined, failure: error.message, endpoint });
      throw new Shortcoming(`${request.method} ${request.path} got no answer: ${error.message}.`);
    }
  }

  const probe: Probe = {
    ...options,
    send,
    async wait(ms) {
      requireTime();
      await pause(ms, undefined, signal && { signal }).catch(() => undefined);
      requireTime();
    },
    newId: randomUUID,
    known: new Map(),
    exchanges,
  };
  return {
    probe,
    traces,
    grant(ms, requests) {
      signal = undefined;
      end = performance.now() + ms;
      most = exchanges.length + requests;
    },
  };
}
