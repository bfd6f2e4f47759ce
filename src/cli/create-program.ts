import { Command } from 'commander';
import { options } from '../program/config.ts';
import { letSignalsEnd } from '../system/held-signals.ts';
import { version } from '../program/version.ts';
import type { CliCommand } from './command.ts';
import { printText } from './output/print.ts';
import { wrongUsage } from './wrong-usage.ts';

/** The program as commander knows it. */
export interface CliProgram {
  readonly root: Command;
  /** That of the command which has run. */
  readonly exitCode: () => number;
  /** That of the command which was asked for, when it could not be run or has thrown. */
  readonly failureCode: () => number;
}

/** The first words of commands that have two. */
const groups: Readonly<Record<string, string>> = {
  catalog: 'Commands for offering files.',
  state: 'Commands that save all that brokers know, and bring it back.',
  register: 'Commands that tell a platform of this broker.',
};

/** Puts the commands together; what is wrong in the arguments is thrown as an Error with a sentence. */
export function createProgram(commands: readonly CliCommand[]): CliProgram {
  let exitCode = 0;
  let failureCode = 1;
  const root = new Command('purveyor')
    .description('A service broker: Open Service Broker API in front of anything with a lifecycle.')
    .version(version(), '-V, --version', 'Show the version.')
    .helpOption('-h, --help', 'Show this help.')
    .helpCommand('help [command...]', 'Show this help, or that of a command.')
    // `nodes show n1 --json` is not `nodes --json show n1`.
    .enablePositionalOptions()
    // It is thrown, and told by whoever runs the command.
    .configureOutput({ outputError: () => undefined, writeOut: printText })
    .addHelpText('after', `\nEnvironment:\n${environmentHelp()}`);
  throwWrongUsage(root);
  for (const command of commands) {
    const defined = define(root, command);
    // Before its arguments are read: they may be what is wrong.
    defined.parent?.hook('preSubcommand', (_parent, asked) => {
      if (asked === defined) failureCode = command.failureCode;
    });
    defined.action(async (...given: unknown[]) => {
      // After the declared arguments commander hands over the options and itself.
      const read = given.at(-2) as Readonly<Record<string, unknown>>;
      if (!command.heedsSignals) await letSignalsEnd();
      exitCode = await command.run(given.slice(0, -2), read);
    });
  }
  return { root, exitCode: () => exitCode, failureCode: () => failureCode };
}

/** Words before the last one are groups of commands. */
function define(root: Command, command: CliCommand): Command {
  const path = command.words.split(' ');
  let parent = root;
  for (const word of path.slice(0, -1)) parent = group(parent, word);
  const defined = parent
    .command(path.at(-1) ?? '', { isDefault: command.standard })
    .description(command.description)
    .helpCommand(false);
  for (const one of command.arguments) defined.addArgument(one);
  for (const one of command.options) defined.addOption(one);
  return throwWrongUsage(defined);
}

function group(parent: Command, word: string): Command {
  const found = parent.commands.find((command) => command.name() === word);
  if (found) return found;
  const made = parent.command(word).helpCommand(false);
  return throwWrongUsage(made.description(groups[word] ?? ''));
}

/** Help and version, which also end the process, are no errors. */
function throwWrongUsage(command: Command): Command {
  return command.exitOverride((error) => {
    const isHelp = error.code.startsWith('commander.help') || error.code === 'commander.version';
    if (!isHelp) throw wrongUsage(command, error);
    process.exit(error.exitCode);
  });
}

function environmentHelp(): string {
  const all = Object.values(options);
  const width = Math.max(...all.map(({ name }) => name.length));
  return all
    .map(
      ({ name, meaning, standard, otherwise }) =>
        `  ${name.padEnd(width)}  ${meaning}\n  ${''.padEnd(width)}  Default: ${standard ?? otherwise}.`,
    )
    .join('\n');
}
