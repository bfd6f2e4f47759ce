#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { holdSignals } from './system/held-signals.ts';
import { makeDirectory } from './system/make-directory.ts';

holdSignals();
rememberCompiled();
const { describeError } = await import('./cli/output/describe-error.ts');
// Whoever reads the output may go before the command has ended: that is no reason not to end it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
// Until a broker runs, which then says more; its own watch ends the process.
process.once('uncaughtException', (error) => {
  if (process.listenerCount('uncaughtException') > 0) return;
  console.error(describeError(error));
  process.exit(1);
});
try {
  const { runCommand } = await import('./cli/index.ts');
  process.exitCode = await runCommand(process.argv.slice(2));
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}

/**
 * What was compiled is kept for the next start, in the user's own cache: a directory that others can write to
 * could be given other code. Where nothing can be written, each start compiles anew.
 */
function rememberCompiled(): void {
  try {
    const cache = join(homedir(), '.cache', 'purveyor', 'compiled');
    // By itself Node would try for ever in a home such as /proc/nowhere.
    makeDirectory(cache, 0o700);
    enableCompileCache(cache);
  } catch {
    // A user without a home, or with one that cannot be written.
  }
}
