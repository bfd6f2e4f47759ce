import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { serveUntilStopped } from '../program/lifetime.ts';
import type { CliCommand } from './command.ts';

export const serve: CliCommand = {
  usage: 'serve',
  description: 'Run the broker (this is what happens without a command).',
  standard: true,
  async run() {
    const config = readConfig();
    return serveUntilStopped(config, createLog(config));
  },
};
