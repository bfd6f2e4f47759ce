import type { Json } from '../../../broker/json.ts';
import { requireNoBreak, requireRefused, requireStatus } from './findings.ts';
import { requireAbsent } from './presence.ts';
import type { Probe } from './probe.ts';
import type { WireRequest } from './wire.ts';

/** What a mandatory text may wrongly be, and how one says it. */
export const spoiltTexts = {
  without: undefined,
  'with an empty': '',
  'with a number as': 17,
  'with null as': null,
} satisfies Readonly<Record<string, Json | undefined>>;

/**
 * What is asked for is refused with one of these codes, and not made.
 * @param allowed undefined: any of 400 to 499
 * @param subject what was asked, as the begin of a sentence
 * @throws Shortcoming
 */
export async function requireNothingMade(
  probe: Probe,
  request: WireRequest,
  subject: string,
  allowed: readonly number[] | undefined,
): Promise<void> {
  const answer = await probe.send(request);
  requireNoBreak(answer, subject);
  if (allowed) requireStatus(answer, allowed, subject);
  else requireRefused(answer, subject);
  await requireAbsent(probe, request.path, subject, answer);
}
