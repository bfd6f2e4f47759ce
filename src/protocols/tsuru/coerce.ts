import type { ServicePlan } from '../../broker/catalog.ts';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';

/**
 * Parameters as the plan's schema wants them: forms and command lines know only text, where a schema may ask for a
 * number. What cannot be read as what is asked for stays as it is, for the schema to refuse.
 */
export function coerceParameters(
  { schemas }: Pick<ServicePlan, 'schemas'>,
  on: 'provision' | 'update' | 'bind',
  parameters: JsonObject,
): JsonObject {
  const [thing, act] = places[on];
  const inner = memberOf(memberOf(schemas, thing), act) ?? memberOf(memberOf(schemas, thing), 'create');
  return coerce(parameters, memberOf(inner, 'parameters')) as JsonObject;
}

const places = {
  provision: ['service_instance', 'create'],
  update: ['service_instance', 'update'],
  bind: ['service_binding', 'create'],
} as const;

function memberOf(value: Json | undefined, name: string): JsonObject | undefined {
  const member = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return isObject(member) ? member : undefined;
}

function coerce(value: Json, schema: JsonObject | undefined): Json {
  if (!schema) return value;
  const types = [schema['type'] ?? []].flat();
  if (typeof value === 'string') return types.includes('string') ? value : readAs(types, value);
  if (Array.isArray(value)) {
    return value.map((item: Json) => coerce(item, memberOf(schema, 'items')));
  }
  if (!isObject(value)) return value;
  const items = types.includes('array') ? itemsOf(value) : undefined;
  if (items) return coerce(items, schema);
  const members = Object.entries(value).map(([name, inner]): [string, Json] => [
    name,
    coerce(inner, memberOf(memberOf(schema, 'properties'), name)),
  ]);
  return Object.fromEntries(members);
}

function readAs(types: readonly Json[], text: string): Json {
  const value = parsed(text);
  if (typeof value === 'number') return isAny(types, 'number', 'integer') ? value : text;
  if (typeof value === 'boolean') return isAny(types, 'boolean') ? value : text;
  if (Array.isArray(value)) return isAny(types, 'array') ? value : text;
  if (isObject(value)) return isAny(types, 'object') ? value : text;
  return text;
}

function isAny(types: readonly Json[], ...wanted: readonly string[]): boolean {
  return wanted.some((type) => types.includes(type));
}

function parsed(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === 'number' && !Number.isFinite(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** `{0: a, 1: b}`, which is how a form writes a list. */
function itemsOf(value: JsonObject): readonly Json[] | undefined {
  const items = Object.keys(value).map((_name, index) => value[index]);
  return items.includes(undefined) ? undefined : (items as readonly Json[]);
}
