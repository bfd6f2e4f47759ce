import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';

export interface Subschema {
  readonly schema: JsonObject;
  readonly at: string;
  /** 0 for the schema itself. */
  readonly depth: number;
}

/**
 * The schema and all schemas in it, in any draft. What is data (enum, const, default, examples) is not
 * looked into: a `$ref` or `pattern` there means nothing.
 */
export function* subschemas(schema: Json, at: string, depth = 0): Generator<Subschema> {
  if (!isObject(schema) || depth > deepest) return;
  yield { schema, at, depth };
  for (const [keyword, value] of Object.entries(schema)) {
    const place = positionIn(at, keyword);
    if (holdsSchemas.has(keyword)) yield* inSchemaOrList(value, place, depth);
    if (holdsNamedSchemas.has(keyword) && isObject(value)) {
      for (const [name, inner] of Object.entries(value))
        yield* subschemas(inner, positionIn(place, name), depth + 1);
    }
  }
}

/** One more is looked at than a schema may have. */
export const deepest = 64;

function* inSchemaOrList(value: Json, at: string, depth: number): Generator<Subschema> {
  if (!Array.isArray(value)) return yield* subschemas(value, at, depth + 1);
  for (const [index, inner] of (value as readonly Json[]).entries()) {
    yield* subschemas(inner, positionIn(at, index), depth + 1);
  }
}

export const holdsSchemas: ReadonlySet<string> = new Set([
  'additionalItems',
  'additionalProperties',
  'allOf',
  'anyOf',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'oneOf',
  'prefixItems',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);

export const holdsNamedSchemas: ReadonlySet<string> = new Set([
  '$defs',
  'definitions',
  'dependencies',
  'dependentSchemas',
  'patternProperties',
  'properties',
]);
