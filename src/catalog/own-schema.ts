import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import type { Json, JsonObject } from '../broker/json.ts';

/** What a schema of this program has against a value: everything, with what it was about. */
export type Judge = (value: Json) => readonly ErrorObject[];

/**
 * A validator of a schema that is written in this program (JSON Schema, draft 7), compiled when it is first used.
 * Holding such a schema against the rules for schemas, which takes longer than all else, is a matter of the tests.
 */
export function ownSchema(schema: JsonObject, options: Options = {}): Judge {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= new Ajv({ ...unchecked, ...options }).compile(schema);
    void validate(value);
    return validate.errors ?? [];
  };
}

/** Ajv's second look at the code that it has written takes a third of the time and finds little. */
export const quickly: Options['code'] = { optimize: false };

const unchecked: Options = {
  code: quickly,
  strict: false,
  allErrors: true,
  verbose: true,
  logger: false,
  meta: false,
  validateSchema: false,
};
