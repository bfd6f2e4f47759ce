import type { Kind } from './kinds.ts';

/** One variable of the environment. */
export interface Option<Value = unknown> {
  readonly name: string;
  readonly kind: Kind<Value>;
  /** As it would be written in the variable. */
  readonly standard?: string;
  /** What holds without the variable, for people, where `standard` cannot say it. */
  readonly otherwise?: string;
  readonly meaning: string;
}

/** A variable and all that are named alike: the values by the names of the variables. */
export interface OptionFamily<Value = unknown> extends Option<Value> {
  /** The names of all of them, its own included. */
  readonly alike: RegExp;
}

/** Options by the members of the configuration that they become. */
export type OptionGroup = Readonly<Record<string, Option | OptionFamily>>;

/** What is read of a group. */
export type ValuesOf<Group> = {
  readonly [Key in keyof Group]: Group[Key] extends OptionFamily<infer Value>
    ? Readonly<Record<string, Value>>
    : Group[Key] extends Option<infer Value>
      ? Value
      : never;
};

/** An option whose value without the variable can be written as a text. */
export function standard<Value>(
  name: string,
  kind: Kind<Value>,
  value: string,
  meaning: string,
): Option<Value> {
  return { name, kind, standard: value, meaning };
}

/** An option that need not have a value. @param otherwise what holds then */
export function optional<Value>(
  name: string,
  kind: Kind<Value>,
  otherwise: string,
  meaning: string,
): Option<Value | undefined> {
  return { name, kind, otherwise, meaning };
}

/** A variable beside which there may be others that are named alike. @param otherwise what holds without any */
export function family<Value>(
  name: string,
  alike: RegExp,
  kind: Kind<Value>,
  otherwise: string,
  meaning: string,
): OptionFamily<Value> {
  return { name, alike, kind, otherwise, meaning };
}
