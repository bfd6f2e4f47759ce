import { readRedact } from '../../config/config.ts';
import { options } from '../../program/config.ts';

/** As it is told to whoever ran the command, without anything that is secret in the environment. */
export function describeError(error: unknown): string {
  return readRedact(options)(describe(error));
}

/** What an operator can act on is told in sentences; a trace is for mistakes of the program. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const ours = [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
  return ours ? (error.stack ?? error.message) : `purveyor: ${error.message}`;
}
