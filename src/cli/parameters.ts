/** Arguments and options of commands: commander's own, each with the kind that reads it. */
import { Argument, Option } from 'commander';
import { WrongSentence, WrongValue, durationOption, type Kind } from '../config/kinds.ts';

declare const valueOf: unique symbol;

/** An argument that gives such a value. */
export type CliArgument<Value> = Argument & { readonly [valueOf]?: () => Value };

/** An option that gives such a value. */
export type CliOption<Value> = Option & { readonly [valueOf]?: () => Value };

/** An argument that must be there. */
export function argument<Value>(name: string, kind: Kind<Value>, meaning: string): CliArgument<Value> {
  return makeArgument(`<${name}>`, kind, meaning);
}

/** An argument that need not be there. */
export function optionalArgument<Value>(
  name: string,
  kind: Kind<Value>,
  meaning: string,
): CliArgument<Value | undefined> {
  return makeArgument(`[${name}]`, kind, meaning);
}

/** Arguments of which one must be there. */
export function someArguments<Value>(
  name: string,
  kind: Kind<Value>,
  meaning: string,
): CliArgument<readonly Value[]> {
  return makeArgument(`<${name}...>`, kind, meaning);
}

/** Arguments that need not be there. */
export function anyArguments<Value>(
  name: string,
  kind: Kind<Value>,
  meaning: string,
): CliArgument<readonly Value[]> {
  return makeArgument(`[${name}...]`, kind, meaning);
}

/** An option with a value. @param flags as commander writes it: `--node <name>` */
export function option<Value>(
  flags: string,
  kind: Kind<Value>,
  meaning: string,
): CliOption<Value | undefined> {
  const made = new Option(flags, meaning);
  if (kind.choices) made.choices(kind.choices);
  return made.argParser((text: string) => read(kind, text, made.long ?? flags));
}

/** An option that must be there. */
export function requiredOption<Value>(flags: string, kind: Kind<Value>, meaning: string): CliOption<Value> {
  const made: Option = option(flags, kind, meaning);
  return made.makeOptionMandatory();
}

/** An option that has a value also when nothing is said. @param usual as it would be written */
export function optionWithDefault<Value>(
  flags: string,
  kind: Kind<Value>,
  usual: string,
  meaning: string,
): CliOption<Value> {
  const made: Option = option(flags, kind, meaning);
  return made.default(kind.read(usual, flags), usual);
}

/** An option that is there or not. */
export function flag(flags: string, meaning: string): CliOption<true | undefined> {
  return new Option(flags, meaning);
}

/** For whoever goes on with what a command tells: as much as the broker says, as JSON. */
export const asJson = { json: flag('--json', 'as JSON, with all that is known') };

/** For commands that print nothing else: whoever asks every command in the same way may say so. */
export const jsonAnyway = { json: flag('--json', 'as JSON, which it is in any case') };

/** What only the broker can judge, e.g. the id of an instance. */
export function someText(): Kind<string> {
  return { read: requireText };
}

/** Anything, also nothing: a word of a command that is run. */
export function anyText(): Kind<string> {
  return { read: (text) => text };
}

/** Milliseconds; a plain number is in seconds. @param to also for people, e.g. `4m` */
export function timeLimit(to: string): Kind<number> {
  const { read: readDuration } = durationOption('1ms', to);
  return {
    read(text, name) {
      try {
        const asMs = /^\d{1,9}(\.\d+)?$/.test(text) ? String(Math.round(Number(text) * 1000)) : text;
        return readDuration(asMs, name);
      } catch {
        throw new WrongValue(`must be seconds, or a duration such as 500ms, 15s or 2m, of at most ${to}`);
      }
    },
  };
}

function makeArgument<Value>(form: string, kind: Kind<Value>, meaning: string): Argument {
  const made = new Argument(form, meaning);
  if (kind.choices) made.choices(kind.choices);
  return made.argParser<unknown>((text, previous) => {
    const value = read(kind, text, `<${made.name()}>`);
    return made.variadic ? [...((previous as readonly Value[] | undefined) ?? []), value] : value;
  });
}

/** @throws Error with a sentence that names what is wrong and what would be right */
function read<Value>(kind: Kind<Value>, text: string, name: string): Value {
  try {
    return kind.read(text, name);
  } catch (error) {
    if (!(error instanceof WrongValue) || error instanceof WrongSentence) throw error;
    throw new Error(`${name} ${error.message}.`, { cause: error });
  }
}

function requireText(text: string): string {
  if (text === '' || text.length > 1000 || !text.isWellFormed() || text.includes('\0'))
    throw new WrongValue('must be a text of 1 to 1000 characters');
  return text;
}
