import { requireConcurrencyWord, requireNoBreak, requireStatus, requireThat } from './findings.ts';
import { awaitEnd, pollPause } from './lifecycle.ts';
import type { Probe } from './probe.ts';
import { deleteRequest } from './requests.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

/** All answers, in the order of the requests. @throws Shortcoming when one has none, after the others have come */
export async function sendAtOnce(
  probe: Probe,
  requests: readonly WireRequest[],
): Promise<readonly WireAnswer[]> {
  const settled = await Promise.allSettled(requests.map((request) => probe.send(request)));
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** As many of them as are sent at once. */
export function repeated({ atOnce }: Probe, request: WireRequest): readonly WireRequest[] {
  return Array.from({ length: atOnce }, () => request);
}

/** Each has one of these codes, and a 422 is a ConcurrencyError. @throws Shortcoming */
export function requireEach(
  answers: readonly WireAnswer[],
  allowed: readonly number[],
  subject: string,
): void {
  for (const answer of answers) {
    requireNoBreak(answer, subject);
    requireStatus(answer, allowed, subject);
    requireConcurrencyWord(answer, subject);
  }
}

/** All that were accepted to be done later tell of one operation. @throws Shortcoming */
export function requireOneOperation(answers: readonly WireAnswer[], subject: string): void {
  const later = answers.filter(({ status }) => status === 202);
  const other = later.find(({ body }) => body['operation'] !== later[0]?.body['operation']);
  requireThat(other === undefined, `${subject} has begun two operations.`, other);
}

/** Waits for what one of them has begun. */
export async function awaitAny(probe: Probe, path: string, answers: readonly WireAnswer[]): Promise<void> {
  const later = answers.find(({ status }) => status === 202);
  if (later) await awaitEnd(probe, path, later);
}

/** It can be removed, and then it is 410. @throws Shortcoming */
export async function requireGoes(probe: Probe, path: string, subject: string): Promise<void> {
  const until = performance.now() + probe.operationWithin;
  let isRemoved = false;
  for (;;) {
    const answer = await probe.send(deleteRequest(probe, path));
    requireStatus(answer, [200, 202, 410, 422], subject);
    requireConcurrencyWord(answer, subject);
    if (answer.status === 410) return;
    requireThat(!isRemoved, `${subject} has succeeded, and what it removed can be removed again.`, answer);
    requireThat(
      performance.now() < until,
      `${subject} has to wait for what is in progress, and that does not end.`,
      answer,
    );
    // Also a ConcurrencyError: what is in progress ends.
    const end = answer.status === 200 ? undefined : await awaitEnd(probe, path, answer);
    isRemoved = answer.status !== 422 && end?.is !== 'failed';
    if (end) await probe.wait(pollPause(end.answer));
  }
}
