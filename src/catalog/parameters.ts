import type { ErrorObject, ValidateFunction } from 'ajv';
import type { ParameterCheck } from '../broker/catalog.ts';
import type { Json, JsonObject } from '../broker/json.ts';
import { draft04, findDraft } from './json-schema/drafts.ts';
import { isMissing, isUnknown, pathOf, predicateOf } from './json-schema/predicate.ts';
import { placeOf } from './shape.ts';
import { deepest } from './json-schema/subschemas.ts';

/**
 * The check of a user's parameters against a schema; without a schema any object will do (spec.md, Input
 * Parameters Schema Object). The sentence it gives names the parameter and never repeats its value.
 * @throws for a schema that cannot be used; parameter-schema.ts says why
 */
export function parameterCheck(schema: JsonObject | undefined): ParameterCheck {
  const validate = schema === undefined ? undefined : compileSchema(schema);
  return (parameters) => {
    if (isDeep(parameters)) return `The parameters are nested more than ${deepest} levels deep.`;
    return validate && firstWrong(validate, parameters);
  };
}

/** @throws what ajv and RE2 have against the schema */
export function compileSchema(schema: JsonObject): ValidateFunction {
  const dialect = schema['$schema'];
  const draft = typeof dialect === 'string' ? findDraft(dialect) : undefined;
  return (draft ?? draft04).validator().compile(schema);
}

/** Validators call themselves for each level, so a deep value would overflow the stack. */
function isDeep(value: Json, level = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return level >= deepest || Object.values(value).some((inner: Json) => isDeep(inner, level + 1));
}

function firstWrong(validate: ValidateFunction, parameters: JsonObject): string | undefined {
  try {
    return validate(parameters) ? undefined : sentenceOf(validate.errors ?? [], parameters);
  } catch {
    // A schema that refers to itself without end for this value only.
    return 'The parameters cannot be checked by the rules of this plan.';
  }
}

function sentenceOf(errors: readonly ErrorObject[], parameters: JsonObject): string {
  // `if` and `propertyNames` only say that what they point to has failed, which stands before them.
  const error = errors.findLast(({ keyword }) => keyword !== 'if' && keyword !== 'propertyNames');
  if (!error) return 'The parameters do not have an allowed form.';
  const path = placeOf(pathOf(error), parameters);
  const parameter = `parameter '${path.length > longestName ? `${path.slice(0, longestName)}...` : path}'`;
  if (isUnknown(error)) return `There is no ${parameter}. ${known(error)}`;
  if (isMissing(error)) return `The ${parameter} is required.`;
  if (path === '') return `The parameters ${predicateOf(error).replace(/^does not/, 'do not')}.`;
  return `The ${error.propertyName === undefined ? '' : 'name of the '}${parameter} ${predicateOf(error)}.`;
}

const longestName = 80;

function known({ parentSchema }: ErrorObject): string {
  const names = Object.keys((parentSchema?.['properties'] ?? {}) as object);
  return names.length > 0 ? `There are: ${names.join(', ')}.` : 'None is allowed here.';
}
