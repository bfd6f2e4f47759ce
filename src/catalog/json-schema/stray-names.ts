import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { holdsNamedSchemas, holdsSchemas } from './subschemas.ts';

/**
 * The schema with names (`id`, `$id`, `$anchor`) only where its draft has them. In a keyword that it does not
 * know, as in `widget: { id: select }`, they are data, and a validator that takes them for names finds two of a
 * kind or cannot read them. Without any, it is the very same object.
 * @param own the names that the draft knows
 */
export function withoutStrayNames(schema: JsonObject, own: readonly string[]): JsonObject {
  return schemaWithout(schema, own) as JsonObject;
}

/** The schema without any names. */
export function withoutNames(schema: JsonObject): JsonObject {
  return schemaWithout(schema, []) as JsonObject;
}

const names: ReadonlySet<string> = new Set(['id', '$id', '$anchor', '$dynamicAnchor']);

function schemaWithout(schema: Json, own: readonly string[]): Json {
  if (Array.isArray(schema)) return each(schema, (inner) => schemaWithout(inner, own));
  if (!isObject(schema)) return schema;
  return members(schema, (keyword, value) => {
    if (names.has(keyword) && !own.includes(keyword)) return undefined;
    if (holdsSchemas.has(keyword)) return schemaWithout(value, own);
    if (holdsNamedSchemas.has(keyword) && isObject(value))
      return members(value, (_, inner) => schemaWithout(inner, own));
    // Their values are compared with, names and all, and no validator looks for names there.
    return compared.has(keyword) ? value : dataWithout(value);
  });
}

const compared: ReadonlySet<string> = new Set(['enum', 'const', 'default']);

function dataWithout(value: Json): Json {
  if (Array.isArray(value)) return each(value, dataWithout);
  if (!isObject(value)) return value;
  return members(value, (name, inner) => (names.has(name) ? undefined : dataWithout(inner)));
}

function each(list: readonly Json[], change: (item: Json) => Json): readonly Json[] {
  const changed = list.map(change);
  return changed.some((item, index) => item !== list[index]) ? changed : list;
}

/** The same object when nothing in it has changed. */
function members(object: JsonObject, change: (name: string, value: Json) => Json | undefined): JsonObject {
  const entries = Object.entries(object);
  const changed = entries
    .map(([name, value]) => [name, change(name, value)] as const)
    .filter((entry): entry is readonly [string, Json] => entry[1] !== undefined);
  const isSame =
    changed.length === entries.length && changed.every(([name, value]) => value === object[name]);
  return isSame ? object : Object.fromEntries(changed);
}
