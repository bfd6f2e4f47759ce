import type { Command } from 'commander';
import { oneOf } from '../../config/kinds.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { argument } from '../parameters.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { completionPoints } from './points.ts';
import { zshScript } from './zsh.ts';
import { printText } from '../output/print.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** @param program gives all commands, this one included */
export function completionOf(program: () => Command): CliCommand {
  return defineCommand({
    words: 'completion',
    description: 'Print what makes a shell complete commands and options.',
    arguments: [argument('shell', oneOf('bash', 'zsh', 'fish'), 'the shell')],
    async run([shell]) {
      printText(scripts[shell](completionPoints(program())));
      return 0;
    },
  });
}
