import type { JsonObject } from '../../broker/json.ts';

/**
 * What a schema says of each parameter alone: not which must be there, nor which go together. This holds for
 * an update whose schema was not given, since updated parameters take the place of those of the create.
 */
export function memberRules(schema: JsonObject | undefined): JsonObject | undefined {
  // What no draft knows may be where references lead.
  return schema && Object.fromEntries(Object.entries(schema).filter(([keyword]) => !ofAll.has(keyword)));
}

/** Keywords about all parameters together. */
const ofAll: ReadonlySet<string> = new Set([
  '$ref',
  'allOf',
  'anyOf',
  'const',
  'dependencies',
  'dependentRequired',
  'dependentSchemas',
  'else',
  'enum',
  'if',
  'maxProperties',
  'minProperties',
  'not',
  'oneOf',
  'propertyNames',
  'required',
  'then',
  'unevaluatedProperties',
]);
