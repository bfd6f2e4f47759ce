import { Inapplicable, RunEnded, Shortcoming } from './findings.ts';
import { awaitEnd, keptPaths, pollPause } from './lifecycle.ts';
import type { Probe } from './probe.ts';
import { incomplete } from './requests.ts';
import type { TracedThing, Traces } from './traces.ts';

/** What could not be removed so far, for the case that looks at it. */
export const leftName = 'left';

/** What is still at the broker, and why. */
export interface LeftThing {
  readonly path: string;
  readonly reason: string;
}

/**
 * Removes what was made, but what is kept for other cases.
 * @param given what cannot be removed, by its path: it is not tried again
 * @returns what could not be removed; of what the broker has refused to make nothing is told
 */
export async function cleanUp(
  probe: Probe,
  traces: Traces,
  given: ReadonlyMap<string, LeftThing>,
): Promise<readonly LeftThing[]> {
  const keep = keptPaths(probe);
  const left: LeftThing[] = [];
  for (const thing of traces.all()) {
    if (given.has(thing.path) || keep.some((path) => path === thing.path)) continue;
    const reason = await removed(probe, thing).catch(whyNot);
    if (reason === undefined) traces.forget(thing.path);
    else left.push({ path: thing.path, reason });
  }
  return left;
}

/** @returns why it is still there; undefined: it is gone, or never was */
async function removed(probe: Probe, { path, plans, accepted }: TracedThing): Promise<string | undefined> {
  const until = performance.now() + probe.operationWithin;
  let reason: string | undefined;
  for (let place = 0; place < plans.length;) {
    const answer = await probe.send({ method: 'DELETE', path, query: { ...plans[place], ...incomplete } });
    const { status, body } = answer;
    if (status === 200 || status === 410) return undefined;
    if (status === 202) {
      const { is } = await awaitEnd(probe, path, answer);
      return is === 'failed' ? 'Its deletion has failed.' : undefined;
    }
    reason = `Its deletion was answered ${status}.`;
    // Something is in progress there: later it can go.
    const isBusy = status === 422 && body['error'] === 'ConcurrencyError';
    if (isBusy && performance.now() < until)
      await probe.wait(pollPause((await awaitEnd(probe, path, answer)).answer));
    else place += 1;
  }
  return accepted ? reason : undefined;
}

function whyNot(error: unknown): string {
  if (error instanceof RunEnded) return error.message;
  if (error instanceof Shortcoming || error instanceof Inapplicable) return error.message;
  throw error;
}
