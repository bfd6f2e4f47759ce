import type { Command } from 'commander';

/** A place in the command line behind certain words, and what may come there. */
export interface CompletionPoint {
  /** The words with spaces between them; none at the start. */
  readonly path: string;
  readonly commands: readonly Candidate[];
  readonly options: readonly OptionCandidate[];
  /** What each argument can be, in their order; none where that is not known. */
  readonly arguments: readonly (readonly string[])[];
}

export interface Candidate {
  readonly name: string;
  readonly meaning: string;
}

export interface OptionCandidate extends Candidate {
  /** One letter with its dash. */
  readonly short?: string;
  readonly takesValue: boolean;
  /** What its value can be; none where that is not known. */
  readonly choices: readonly string[];
}

/** All of them, from the program as commander knows it. */
export function completionPoints(command: Command, path = ''): readonly CompletionPoint[] {
  const help = command.createHelp();
  const point: CompletionPoint = {
    path,
    commands: help.visibleCommands(command).map((one) => ({ name: one.name(), meaning: one.description() })),
    options: help.visibleOptions(command).map((one) => ({
      name: one.long ?? one.flags,
      short: one.short,
      meaning: one.description,
      takesValue: one.required || one.optional,
      choices: one.argChoices ?? [],
    })),
    arguments: command.registeredArguments.map(({ argChoices = [] }) => argChoices),
  };
  const inner = command.commands.flatMap((one) =>
    completionPoints(one, path === '' ? one.name() : `${path} ${one.name()}`),
  );
  return [point, ...inner];
}

/** The options with a value as patterns over `path name`, which bash and zsh match alike. */
export function valuePatterns(points: readonly CompletionPoint[]): readonly string[] {
  return points.flatMap(({ path, options }) =>
    options.filter((one) => one.takesValue).map(({ name }) => inQuotes(`${path} ${name}`)),
  );
}

/** For any of the shells: it is taken as it is. */
export function inQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
