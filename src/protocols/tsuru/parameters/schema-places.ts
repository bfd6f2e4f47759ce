// What a JSON Schema says of one place in a document, as far as it is certain whatever else stands in the document.
import { isObject, type Json, type JsonObject, sameJson } from '../../../broker/json.ts';
import { findReferred, type SchemaWithin } from './schema-references.ts';

/** All of `every` holds, or one of `some`, or what the schema says; undefined: anything may be there. */
export type SchemaPlace =
  | { readonly every: readonly (SchemaPlace | undefined)[] }
  | { readonly some: readonly (SchemaPlace | undefined)[] }
  | SchemaWithin
  | undefined;

export function schemaPlaceOf(schema: Json | undefined): SchemaPlace {
  return isObject(schema) ? { schema, within: schema } : undefined;
}

/** References that lead in a circle without getting any further are not followed for ever. */
const longestWay = 40;

/**
 * May this value be there? Only kinds, constants and choices are looked at, so true may be wrong, but false never is.
 * Of lists and objects only the kind counts.
 */
export function mayBe(place: SchemaPlace, value: Json, way = 0): boolean {
  if (place === undefined || way > longestWay) return true;
  if ('every' in place) return place.every.every((one) => mayBe(one, value, way + 1));
  if ('some' in place) return place.some.some((one) => mayBe(one, value, way + 1));
  const { schema } = place;
  if (!isObject(schema)) return schema !== false;
  const types = [schema['type'] ?? []].flat();
  if (types.length > 0 && !kindsOf(value).some((kind) => types.includes(kind))) return false;
  if ('const' in schema && !isAlike(schema['const'] as Json, value)) return false;
  const choices = schema['enum'];
  if (Array.isArray(choices) && !choices.some((one: Json) => isAlike(one, value))) return false;
  return mayBe(combined(place), value, way + 1);
}

function kindsOf(value: Json): readonly string[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
  return [typeof value];
}

function isAlike(wanted: Json, value: Json): boolean {
  const isWhole = typeof value !== 'object' || value === null;
  return isWhole ? sameJson(wanted, value) : kindsOf(wanted)[0] === kindsOf(value)[0];
}

/** What is said by the schemas that this one is made of. */
function combined({ schema, within }: SchemaWithin): SchemaPlace {
  if (!isObject(schema)) return undefined;
  const inner = (one: Json): SchemaPlace => ({ schema: one, within });
  const lists = (word: string) => (Array.isArray(schema[word]) ? (schema[word] as readonly Json[]) : []);
  const every: SchemaPlace[] = lists('allOf').map(inner);
  for (const word of ['anyOf', 'oneOf']) {
    const some = lists(word).map(inner);
    if (some.length > 0) every.push({ some });
  }
  const reference = schema['$ref'];
  if (typeof reference === 'string') every.push(findReferred(reference, within));
  return every.length > 0 ? { every } : undefined;
}

/** The place of a member of the object, or of an item of the list, that is here. */
export function placeIn(place: SchemaPlace, name: string, inList: boolean, way = 0): SchemaPlace {
  if (place === undefined || way > longestWay) return undefined;
  if ('every' in place) return { every: place.every.map((one) => placeIn(one, name, inList, way + 1)) };
  if ('some' in place) return { some: place.some.map((one) => placeIn(one, name, inList, way + 1)) };
  const { schema } = place;
  if (!isObject(schema)) return undefined;
  const own = inList ? itemSchemas(schema, Number(name)) : memberSchemas(schema, name);
  const within = ownBase(schema, place.within);
  const every: SchemaPlace[] = own.map((one) => ({ schema: one, within }));
  return { every: [...every, placeIn(combined({ schema, within }), name, inList, way + 1)] };
}

/** What a schema with an address of its own refers to lies in it. */
function ownBase(schema: JsonObject, within: JsonObject): JsonObject {
  const address = schema['$id'] ?? schema['id'];
  return typeof address === 'string' && !address.startsWith('#') ? schema : within;
}

function memberSchemas(schema: JsonObject, name: string): readonly Json[] {
  const { properties, patternProperties, additionalProperties } = schema;
  const named = isObject(properties) && Object.hasOwn(properties, name) ? [properties[name] as Json] : [];
  // Patterns are a matter of the check: where there are any, nothing is certain of what they may match.
  if (named.length > 0 || isObject(patternProperties)) return named;
  return isObject(additionalProperties) ? [additionalProperties] : [];
}

function itemSchemas(schema: JsonObject, index: number): readonly Json[] {
  const { prefixItems, items, additionalItems } = schema;
  const [first, rest] = Array.isArray(items) ? [items, additionalItems] : [prefixItems, items];
  const own = Array.isArray(first) ? (first as readonly Json[]) : [];
  if (index < own.length) return [own[index] as Json];
  return isObject(rest) ? [rest] : [];
}
