import type { Argument, Option } from 'commander';
import type { CliArgument, CliOption } from './parameters.ts';

/** One command of the program, as `defineCommand` makes it. */
export interface CliCommand {
  /** Its words, e.g. `catalog lint`; those before the last one name a group of commands. */
  readonly words: string;
  readonly description: string;
  readonly arguments: readonly Argument[];
  readonly options: readonly Option[];
  /** Is it what the program does when no command is given? */
  readonly standard: boolean;
  /** It knows what signals mean to it; other commands are ended by them. */
  readonly heedsSignals: boolean;
  /** The exit code when its arguments are wrong, or when it throws. */
  readonly failureCode: number;
  /** Takes what commander has read of the arguments, in their order, and of the options, by its names of them. */
  readonly run: (given: readonly unknown[], options: Readonly<Record<string, unknown>>) => Promise<number>;
}

/** What a command file says of its command. */
export interface CommandDefinition<
  Arguments extends readonly CliArgument<unknown>[],
  Options extends Readonly<Record<string, CliOption<unknown>>>,
> {
  readonly words: string;
  readonly description: string;
  readonly arguments?: Arguments;
  /** By the names under which `run` gets their values. */
  readonly options?: Options;
  readonly standard?: boolean;
  readonly heedsSignals?: boolean;
  /** 1, unless another one is said: for a command whose 1 is an answer. */
  readonly failureCode?: number;
  /** Gives the exit code; an Error it throws is shown to the operator and ends in `failureCode`. */
  readonly run: (given: ArgumentValues<Arguments>, options: OptionValues<Options>) => Promise<number>;
}

/** A command whose `run` gets values of the kinds that its arguments and options are of. */
export function defineCommand<
  const Arguments extends readonly CliArgument<unknown>[] = [],
  Options extends Readonly<Record<string, CliOption<unknown>>> = Readonly<Record<never, never>>,
>(definition: CommandDefinition<Arguments, Options>): CliCommand {
  const { words, description, arguments: args = [], options = {}, run } = definition;
  const { standard = false, heedsSignals = false, failureCode = 1 } = definition;
  const entries = Object.entries<CliOption<unknown>>(options);
  return {
    words,
    description,
    arguments: args,
    options: Object.values(options),
    standard,
    heedsSignals,
    failureCode,
    run(given, read) {
      const values = Object.fromEntries(entries.map(([name, one]) => [name, read[one.attributeName()]]));
      return run(given as ArgumentValues<Arguments>, values as OptionValues<Options>);
    },
  };
}

type ArgumentValues<Arguments> = {
  readonly [Place in keyof Arguments]: Arguments[Place] extends CliArgument<infer Value> ? Value : never;
};

type OptionValues<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends CliOption<infer Value> ? Value : never;
};
