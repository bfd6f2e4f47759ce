import { createHash } from 'node:crypto';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { JsonObject } from '../../broker/json.ts';
import { draft04, findDraft } from './drafts.ts';

/** A schema that is compiled when it is first used: a catalog holds many that nobody ever asks for. */
export interface Compiled {
  /** What is wrong with the value; of a small one all, of a large one the first. @throws what ajv and RE2 have against the schema */
  errorsOf(value: JsonObject): readonly ErrorObject[];
}

/** Equal schemas, of however many plans and revisions, are compiled once. */
export function compiled(schema: JsonObject): Compiled {
  const known = cache.get(schema);
  if (known) return known;
  const text = JSON.stringify(schema);
  const key = createHash('sha256').update(text).digest('base64');
  const made = byText.get(key) ?? make(schema);
  byText.delete(key);
  byText.set(key, made);
  forgetOldest();
  cache.set(schema, made);
  return made;
}

/** @throws what ajv and RE2 have against the schema */
export function compileSchema(schema: JsonObject, options: { allErrors?: boolean } = {}): ValidateFunction {
  const dialect = schema['$schema'];
  const draft = typeof dialect === 'string' ? findDraft(dialect) : undefined;
  return (draft ?? draft04).validator(options).compile(schema);
}

const cache = new WeakMap<JsonObject, Compiled>();
const byText = new Map<string, Compiled>();
const mostKept = 1000;

function forgetOldest(): void {
  const [oldest] = byText.keys();
  if (byText.size > mostKept && oldest !== undefined) byText.delete(oldest);
}

/** Characters of JSON: looking for all errors does not end at the first of ten thousand wrong items. */
const small = 16_384;

function make(schema: JsonObject): Compiled {
  let first: ValidateFunction | undefined;
  let all: ValidateFunction | undefined;
  return {
    errorsOf(value) {
      first ??= compileSchema(schema);
      if (first(value)) return [];
      const errors = first.errors ?? [];
      if (JSON.stringify(value).length > small) return errors;
      all ??= compileSchema(schema, { allErrors: true });
      return all(value) ? errors : (all.errors ?? errors);
    },
  };
}
