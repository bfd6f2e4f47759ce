import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A directory of its own for a test, a test file or a helper. Nobody removes it: it goes with all others when the run
 * has ended, after whatever still uses it.
 * @param purpose a word of its name, which is short: sockets lie in it
 */
export function scratchDirectory(purpose: string): string {
  return mkdtempSync(join(process.env[runVariable] ?? tmpdir(), `${purpose}-`));
}

/** Names the directory of the whole run, in which the others lie. */
export const runVariable = 'PURVEYOR_TEST_SCRATCH';
