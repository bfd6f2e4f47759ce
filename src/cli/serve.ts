import { defineCommand } from './command.ts';
import { printText } from './output/print.ts';

/** Milliseconds that lines of the log are held back at most, to be written together. */
const holdLines = 50;

export const serve = defineCommand({
  words: 'serve',
  description: 'Run the broker (this is what happens without a command).',
  standard: true,
  heedsSignals: true,
  async run() {
    const { readConfig } = await import('../program/config.ts');
    const config = readConfig();
    const isForPeople = config.logFormat === 'text' && process.stdout.isTTY;
    if (isForPeople) printText('Starting ...\n');
    const { createLog } = await import('../telemetry/log.ts');
    const log = createLog(config, process.stdout, holdLines);
    const { beginDatabase } = await import('../program/opening/begin-database.ts');
    await beginDatabase(config, (message) => log.note('info', message));
    const { serveUntilStopped } = await import('../program/lifetime.ts');
    const { redacted } = await import('../config/secret-values.ts');
    try {
      return await serveUntilStopped(config, log);
    } catch (error) {
      // What the start has read or made itself nobody knows who tells of the error.
      throw redacted(error, log.redact);
    }
  },
});
