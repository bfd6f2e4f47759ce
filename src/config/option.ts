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
