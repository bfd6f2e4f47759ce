import { RunEnded, Shortcoming } from './findings.ts';
import type { Probe } from './probe.ts';
import { deleteRequest, instancePath } from './requests.ts';
import type { WireRequest } from './wire.ts';

/** Milliseconds for which it is tried again, and between two tries: a broker that has died may be started again. */
const patience = 10_000;
const between = 1000;

/**
 * Waits until the broker answers again, after a request that got no answer: for its catalog, and a request that is
 * work. Else each further case would say the same, after the longest time that an answer may take.
 * @returns why the run ends; undefined: it answers
 */
export async function awaitAnswer(probe: Probe): Promise<string | undefined> {
  try {
    if (!(await answersInTime(probe, { method: 'GET', path: '/v2/catalog' })))
      return 'The broker does not answer any more.';
    if (probe.market.planId === '') return undefined;
    const path = instancePath(probe.newId());
    if (await answersInTime(probe, deleteRequest(probe, path))) return undefined;
    return 'The broker answers for its catalog, but not to the deletion of an instance that is not there.';
  } catch (error) {
    if (error instanceof RunEnded) return error.message;
    throw error;
  }
}

async function answersInTime(probe: Probe, request: WireRequest): Promise<boolean> {
  const until = performance.now() + patience;
  while (!(await answers(probe, request))) {
    if (performance.now() > until) return false;
    await probe.wait(between);
  }
  return true;
}

async function answers(probe: Probe, request: WireRequest): Promise<boolean> {
  try {
    await probe.send(request);
    return true;
  } catch (error) {
    if (error instanceof Shortcoming) return false;
    throw error;
  }
}
