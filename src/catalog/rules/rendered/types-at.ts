import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import { targetOf } from '../../json-schema/reach.ts';

/** As JSON Schema calls them. */
export type TypeName = 'array' | 'boolean' | 'integer' | 'null' | 'number' | 'object' | 'string';

/** What a schema says that the value at this path of names may be; undefined: anything, as far as is certain. */
export function typesAt(
  path: readonly string[],
  schema: JsonObject | undefined,
): readonly TypeName[] | undefined {
  if (path.length === 0) return ['object'];
  if (schema === undefined) return undefined;
  let rule: Json | undefined = schema;
  for (const name of path) rule = memberOf(rule, name, schema);
  return declared(rule, schema);
}

export function typeNameOf(value: Json): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as TypeName;
}

const names: ReadonlySet<unknown> = new Set<TypeName>([
  'array',
  'boolean',
  'integer',
  'null',
  'number',
  'object',
  'string',
]);

/** A schema that leads further than this refers to itself. */
const furthest = 20;

function memberOf(rule: Json | undefined, name: string, root: JsonObject): Json | undefined {
  const target = followed(rule, root);
  const properties = isObject(target) ? target['properties'] : undefined;
  return isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function followed(rule: Json | undefined, root: JsonObject): Json | undefined {
  let target = rule;
  for (let step = 0; step < furthest && isObject(target) && target['$ref'] !== undefined; step += 1)
    target = targetOf(target['$ref'], root);
  return target;
}

function declared(rule: Json | undefined, root: JsonObject, step = 0): readonly TypeName[] | undefined {
  const target = followed(rule, root);
  if (!isObject(target) || step > furthest) return undefined;
  const { type, enum: values, const: value, allOf, anyOf, oneOf } = target;
  const given = [type].flat().filter((name): name is TypeName => names.has(name));
  if (given.length > 0) return given;
  if (value !== undefined) return [typeNameOf(value)];
  if (Array.isArray(values)) return [...new Set(values.map((one: Json) => typeNameOf(one)))];
  const inside = (parts: Json | undefined) =>
    Array.isArray(parts) ? parts.map((part: Json) => declared(part, root, step + 1)) : [];
  return inside(allOf).find((types) => types !== undefined) ?? eitherOf(inside(anyOf ?? oneOf));
}

/** Known only when it is known of each alternative. */
function eitherOf(types: readonly (readonly TypeName[] | undefined)[]): readonly TypeName[] | undefined {
  const all = types.flatMap((one) => one ?? []);
  return types.length > 0 && types.every((one) => one !== undefined) ? [...new Set(all)] : undefined;
}
