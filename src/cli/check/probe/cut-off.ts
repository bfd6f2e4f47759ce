import { requireStatus, Shortcoming } from './findings.ts';
import type { Probe } from './probe.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

/**
 * For what a broker need not read to its end: it may hang up in place of an answer, if it serves others afterwards.
 * @returns undefined when it has hung up. @throws Shortcoming
 */
export async function sendOddity(probe: Probe, request: WireRequest): Promise<WireAnswer | undefined> {
  try {
    return await probe.send(request);
  } catch (error) {
    if (!(error instanceof Shortcoming) || error.answer !== undefined) throw error;
    const answer = await probe.send({ method: 'GET', path: '/v2/catalog' });
    requireStatus(answer, [200], 'The catalog, after a request without an answer,');
    return undefined;
  }
}
