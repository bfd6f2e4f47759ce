/** The commands: add yours to the list. */
import { Command } from 'commander';
import { options } from '../program/config.ts';
import { version } from '../program/version.ts';
import type { CliCommand, CliOptions } from './command.ts';
import { catalogLint } from './catalog-lint.ts';
import { config } from './config.ts';
import { instanceCommands } from './instances.ts';
import { nodeCommands } from './nodes.ts';
import { offerings } from './offerings.ts';
import { orphanCommands } from './orphans.ts';
import { rekey } from './rekey.ts';
import { serve } from './serve.ts';
import { requireKnown } from './unknown-command.ts';

const commands: readonly CliCommand[] = [
  serve,
  catalogLint,
  rekey,
  config,
  ...nodeCommands,
  offerings,
  ...instanceCommands,
  ...orphanCommands,
];

/** The first words of commands that have two. */
const groups: Readonly<Record<string, string>> = { catalog: 'Commands for offering files.' };

/** Runs the command that the arguments name; gives the exit code of the process. */
export async function runCommand(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = new Command('purveyor')
    .description('A service broker: Open Service Broker API in front of anything with a lifecycle.')
    .version(version(), '-V, --version', 'Show the version.')
    .helpOption('-h, --help', 'Show this help.')
    .helpCommand('help [command...]', 'Show this help, or that of a command.')
    .addHelpText('after', `\nEnvironment:\n${environmentHelp()}`);
  for (const command of commands) {
    define(program, command).action(async (...given: unknown[]) => {
      // After the declared arguments commander hands over the options and itself.
      exitCode = await command.run(given.slice(0, -2).flat().filter(isText), given.at(-2) as CliOptions);
    });
  }
  const asked = withHelp(args);
  requireKnown(program, asked);
  await program.parseAsync(asked, { from: 'user' });
  return exitCode;
}

/** `help instances show` is `instances show --help`. */
function withHelp([first, ...words]: readonly string[]): readonly string[] {
  if (first !== 'help') return first === undefined ? [] : [first, ...words];
  return [...words.filter((word) => !word.startsWith('-')), '--help'];
}

/** Words before the last one are groups of commands. */
function define(program: Command, command: CliCommand): Command {
  const { usage, description, options: flags = {}, standard = false } = command;
  const [words = usage, ...rest] = usage.split(/ (?=[[<])/);
  const path = words.split(' ');
  const name = [path.at(-1), ...rest].join(' ');
  let parent = program;
  for (const word of path.slice(0, -1)) parent = group(parent, word);
  const defined = parent.command(name, { isDefault: standard }).description(description).helpCommand(false);
  for (const [flag, meaning] of Object.entries(flags)) defined.option(flag, meaning);
  return defined;
}

function group(parent: Command, word: string): Command {
  const found = parent.commands.find((command) => command.name() === word);
  return (
    found ??
    parent
      .command(word)
      .description(groups[word] ?? '')
      .helpCommand(false)
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
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
