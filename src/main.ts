#!/usr/bin/env node
import { runCommand } from './cli/index.ts';

try {
  process.exitCode = await runCommand(process.argv.slice(2));
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}

/** What an operator can act on is told in sentences; a trace is for mistakes of the program. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const ours = [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
  return ours ? (error.stack ?? error.message) : `purveyor: ${error.message}`;
}
