import type { ParameterCheck } from '../broker/catalog.ts';
import type { Json, JsonObject } from '../broker/json.ts';
import { compiled, type Compiled } from './json-schema/compiled.ts';
import { sentencesOf, unknownNames } from './json-schema/sentences.ts';
import { deepest } from './json-schema/subschemas.ts';

/**
 * The check of a user's parameters against a schema; without a schema any object will do (spec.md, Input
 * Parameters Schema Object). What it says names each wrong parameter and never repeats its value. The schema is
 * compiled when the first parameters come; parameter-schema.ts says at load what is wrong with it.
 */
export function parameterCheck(schema: JsonObject | undefined): ParameterCheck {
  const rules = schema && compiled(schema);
  const wrong = (parameters: JsonObject) => {
    if (isDeep(parameters)) return `The parameters are nested more than ${deepest} levels deep.`;
    return rules && allWrong(rules, schema, parameters);
  };
  const unknownIn = (parameters: JsonObject) =>
    rules && !isDeep(parameters) ? allUnknown(rules, schema, parameters) : [];
  return Object.assign(wrong, { unknownIn });
}

/** Validators call themselves for each level, so a deep value would overflow the stack. */
function isDeep(value: Json, level = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return level >= deepest || Object.values(value).some((inner: Json) => isDeep(inner, level + 1));
}

function allWrong(rules: Compiled, schema: JsonObject, parameters: JsonObject): string | undefined {
  try {
    const errors = rules.errorsOf(parameters);
    return errors.length === 0 ? undefined : sentencesOf(errors, parameters, schema);
  } catch {
    // A schema that refers to itself without end for this value only.
    return 'The parameters cannot be checked by the rules of this plan.';
  }
}

function allUnknown(rules: Compiled, schema: JsonObject, parameters: JsonObject): readonly string[] {
  try {
    return unknownNames(rules.errorsOf(parameters), schema);
  } catch {
    return [];
  }
}
