import type { WireAnswer } from './wire.ts';

/** A requirement does not hold; the message is a sentence that says what was seen. */
export class Shortcoming extends Error {
  /** The answer that shows it, where one does. */
  readonly answer: WireAnswer | undefined;

  constructor(message: string, answer?: WireAnswer) {
    super(message);
    this.answer = answer;
  }
}

/** A requirement cannot be asked of this broker; the message says why. */
export class Inapplicable extends Error {}

/** The run is over before its end: a limit was reached, or somebody has stopped it. */
export class RunEnded extends Error {}

/** @throws Shortcoming with this sentence */
export function requireThat(holds: boolean, sentence: string, answer?: WireAnswer): asserts holds {
  if (!holds) throw new Shortcoming(sentence, answer);
}

/**
 * @param subject what was asked, as the begin of a sentence: `A request without plan_id`
 * @throws Shortcoming when the status is none of these
 */
export function requireStatus(answer: WireAnswer, allowed: readonly number[], subject: string): void {
  if (allowed.includes(answer.status)) return;
  throw new Shortcoming(
    `${subject} was answered ${answer.status}; ${allowed.join(' or ')} is right.`,
    answer,
  );
}

/** @throws Shortcoming when it is not one of 400 to 499 */
export function requireRefused(answer: WireAnswer, subject: string): void {
  if (answer.status >= 400 && answer.status < 500) return;
  throw new Shortcoming(`${subject} was answered ${answer.status}; 4xx is right.`, answer);
}

/** @throws Shortcoming when the broker says that it is broken */
export function requireNoBreak(answer: WireAnswer, subject: string): void {
  if (answer.status < 500) return;
  throw new Shortcoming(`${subject} was answered ${answer.status}; a broker must not break.`, answer);
}

/** Accepted or refused, never broken. @throws Shortcoming */
export function requireAccepted(answer: WireAnswer, subject: string): void {
  if (answer.status >= 200 && answer.status < 300) return;
  throw new Shortcoming(`${subject} was answered ${answer.status}; it is to be accepted.`, answer);
}

/** A 422, if it is one, has this error. @throws Shortcoming */
export function requireWord(answer: WireAnswer, word: string, subject: string): void {
  if (answer.status !== 422 || answer.body['error'] === word) return;
  throw new Shortcoming(`${subject} was answered 422 without the error ${word}.`, answer);
}

/** A 422 for what is in progress says ConcurrencyError. @throws Shortcoming */
export function requireConcurrencyWord(answer: WireAnswer, subject: string): void {
  requireWord(answer, 'ConcurrencyError', subject);
}

/** @throws Inapplicable unless it is so */
export function onlyWhen(applies: boolean, reason: string): asserts applies {
  if (!applies) throw new Inapplicable(reason);
}
