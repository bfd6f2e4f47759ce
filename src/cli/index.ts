/** The commands: add yours to the list. */
import type { CliCommand } from './command.ts';
import { catalogLint } from './catalog/lint.ts';
import { catalogNew } from './catalog/new.ts';
import { catalogRbac } from './catalog/rbac.ts';
import { catalogRender } from './catalog/render.ts';
import { catalogSchema } from './catalog/schema.ts';
import { checkCommand } from './check/command.ts';
import { completionOf } from './completion/index.ts';
import { config } from './config.ts';
import { createProgram, type CliProgram } from './create-program.ts';
import { describeError } from './output/describe-error.ts';
import { hashPasswordCommand } from './hash-password.ts';
import { operatorCommands } from './operator/commands.ts';
import { registerCommands } from './register/command.ts';
import { keyCommands } from './rekey.ts';
import { serve } from './serve.ts';
import { serviceCommands } from './platform/service-commands.ts';
import { stateCommands } from './state/commands.ts';
import { tryCommand } from './try/command.ts';
import { requireKnown } from './unknown-command.ts';

const commands: readonly CliCommand[] = [
  serve,
  ...serviceCommands,
  catalogLint,
  catalogNew,
  catalogRbac,
  catalogRender,
  catalogSchema,
  tryCommand,
  checkCommand,
  ...keyCommands,
  ...stateCommands,
  hashPasswordCommand,
  config,
  ...registerCommands,
  ...operatorCommands,
  completionOf(() => ourProgram().root),
];

/** Runs the command that the arguments name; gives the exit code of the process. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const { root, exitCode, failureCode } = ourProgram();
  try {
    const asked = withHelp(args);
    requireKnown(root, asked);
    await root.parseAsync(asked, { from: 'user' });
    return exitCode();
  } catch (error) {
    console.error(describeError(error));
    return failureCode();
  }
}

/** All commands as commander knows them; nothing is run before it is asked to parse. */
export function ourProgram(): CliProgram {
  return createProgram(commands);
}

/** `help instances show` is `instances show --help`. */
function withHelp([first, ...words]: readonly string[]): readonly string[] {
  if (first !== 'help') return first === undefined ? [] : [first, ...words];
  return [...words.filter((word) => !word.startsWith('-')), '--help'];
}
