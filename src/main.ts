import { holdSignals } from './system/held-signals.ts';

holdSignals();
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
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}

/** A broker is started by no word as a rule, and needs nothing of what reads words. */
async function run(args: readonly string[]): Promise<number> {
  if (args.length === 0) return (await import('./cli/serve.ts')).serve.run([], {});
  return (await import('./cli/index.ts')).runCommand(args);
}
