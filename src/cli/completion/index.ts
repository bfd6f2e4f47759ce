import type { Command } from 'commander';
import { oneOf } from '../../config/kinds.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { argument } from '../parameters.ts';
import { printText } from '../output/print.ts';

/** @param program gives all commands, this one included */
export function completionOf(program: () => Command): CliCommand {
  return defineCommand({
    words: 'completion',
    description: 'Print what makes a shell complete commands and options.',
    arguments: [argument('shell', oneOf('bash', 'zsh', 'fish'), 'the shell')],
    async run([shell]) {
      const { completionPoints } = await import('./points.ts');
      printText((await scripts[shell]())(completionPoints(program())));
      return 0;
    },
  });
}

const scripts = {
  bash: async () => (await import('./bash.ts')).bashScript,
  zsh: async () => (await import('./zsh.ts')).zshScript,
  fish: async () => (await import('./fish.ts')).fishScript,
};
