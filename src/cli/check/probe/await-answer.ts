import { RunEnded, Shortcoming } from './findings.ts';
import type { Probe } from './probe.ts';

/** How often it is tried, and how many milliseconds lie between two tries: a broker that has died may be started again. */
const tries = 10;
const between = 1000;

/**
 * Waits until the broker answers anything again, after a request that got no answer: else each further case would say
 * the same, after the longest time that an answer may take.
 * @returns why the run ends; undefined: it answers
 */
export async function awaitAnswer(probe: Probe): Promise<string | undefined> {
  try {
    for (let time = 0; time < tries; time += 1) {
      if (time > 0) await probe.wait(between);
      if (await answers(probe)) return undefined;
    }
    return 'The broker does not answer any more.';
  } catch (error) {
    if (error instanceof RunEnded) return error.message;
    throw error;
  }
}

async function answers(probe: Probe): Promise<boolean> {
  try {
    await probe.send({ method: 'GET', path: '/v2/catalog' });
    return true;
  } catch (error) {
    if (error instanceof Shortcoming) return false;
    throw error;
  }
}
