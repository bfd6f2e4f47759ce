import type { Answer } from './probe/tcp.ts';

/** Characters of what a program said that are told to people. */
const longestQuote = 200;

/**
 * Why a unit is not ready, with what it said. Secrets are redacted in all that it said, before it is cut: a part of one
 * would not be recognised.
 */
export function answerReason(
  { reason, said = '' }: Answer,
  redact: (text: string) => string,
): string | undefined {
  const quote = quoted(redact(said));
  return reason === undefined || quote === '' ? reason : `${reason}: "${quote}"`;
}

/** On one line, printable and short: of a long one its begin and its end, where the point is. */
export function quoted(text: string): string {
  const line = Array.from(text.replaceAll(/[\p{C}\uFFFD\s]+/gu, ' ').trim());
  if (line.length <= longestQuote) return line.join('');
  const half = longestQuote / 2;
  return `${line.slice(0, half).join('')} ... ${line.slice(-half).join('')}`;
}
