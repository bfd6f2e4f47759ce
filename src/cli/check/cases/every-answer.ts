import { Shortcoming } from '../probe/findings.ts';
import type { Probe, RecordedExchange } from '../probe/probe.ts';
import type { WireAnswer } from '../probe/wire.ts';
import { blamedName } from '../run-cases.ts';

/** Looks at all answers that there were. */

type Judge = (answer: WireAnswer) => boolean;

/** Of every answer so far. @param wrong as the end of a sentence */
export function eachAnswer(isRight: Judge, wrong: string) {
  return async (probe: Probe): Promise<void> =>
    requireAll(probe.exchanges, (_one, answer) => isRight(answer), wrong);
}

/** Of every error by which no other case has failed. */
export function eachError(isRight: Judge, wrong: string) {
  return async (probe: Probe): Promise<void> =>
    requireAll(
      unblamed(probe),
      ({ request }, answer) => answer.status < 400 || request.method === 'HEAD' || isRight(answer),
      wrong,
    );
}

/** Of every answer by which no other case has failed. */
export function eachUnblamed(isRight: (one: RecordedExchange, answer: WireAnswer) => boolean, wrong: string) {
  return async (probe: Probe): Promise<void> => requireAll(unblamed(probe), isRight, wrong);
}

/** Without those by which another case has failed, and what is like them. */
function unblamed({ known, exchanges }: Probe): readonly RecordedExchange[] {
  const blamed = (known.get(blamedName) as readonly RecordedExchange[] | undefined) ?? [];
  const kinds = new Set(blamed.map(kindOf));
  return exchanges.filter((one) => !kinds.has(kindOf(one)));
}

function kindOf({ endpoint, answer }: RecordedExchange): string {
  return `${endpoint} ${answer?.status}`;
}

function requireAll(
  exchanges: readonly RecordedExchange[],
  isRight: (one: RecordedExchange, answer: WireAnswer) => boolean,
  wrong: string,
): void {
  const found = exchanges.find((one) => one.answer && !isRight(one, one.answer));
  if (!found?.answer) return;
  const { method, path } = found.request;
  throw new Shortcoming(`The answer ${found.answer.status} to ${method} ${path} ${wrong}.`, found.answer);
}

export function isJsonType({ 'content-type': type = '' }: WireAnswer['headers']): boolean {
  return /^application\/json\b/i.test(type);
}
