import type { JsonObject } from '../../broker/json.ts';

/**
 * What a schema says of each parameter alone: not which must be there, nor which go together. This holds for
 * an update whose schema was not given, since updated parameters take the place of those of the create.
 */
export function memberRules(schema: JsonObject | undefined): JsonObject | undefined {
  return schema && Object.fromEntries(Object.entries(schema).filter(([keyword]) => kept.has(keyword)));
}

const kept: ReadonlySet<string> = new Set([
  '$schema',
  'id',
  '$id',
  '$defs',
  'definitions',
  'type',
  'properties',
  'patternProperties',
  'additionalProperties',
]);
