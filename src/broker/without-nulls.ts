import { isObject, type Json, type JsonObject } from './json.ts';

/**
 * The value without the members that are null to say that they are not there. Those are the members that the
 * schema names and that could not be null by it; what stands in an object of no form, or under a name that the
 * schema does not know, is data and stays, null or not.
 * @param schema a JSON Schema, with references to its own `definitions` at most
 */
export function withoutNulls(value: Json, schema: JsonObject): Json {
  return cleaned(value, [schema], schema['definitions'] ?? {});
}

function cleaned(value: Json, schemas: readonly Json[], definitions: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  const forms = schemas.flatMap((schema) => formsOf(schema, definitions));
  if (Array.isArray(value)) {
    const items = forms.flatMap((form) => form['items'] ?? []);
    return value.map((item: Json) => cleaned(item, items, definitions));
  }
  const members = Object.entries(value).flatMap(([name, member]: [string, Json]) => {
    const named = forms.flatMap((form) => memberIn(form['properties'], name));
    if (member === null && named.length > 0 && !named.some((form) => takesNull(form, definitions))) return [];
    const others = forms.flatMap((form) => form['additionalProperties'] ?? []);
    return [[name, cleaned(member, named.length > 0 ? named : others, definitions)] as const];
  });
  return Object.fromEntries(members);
}

/** The schema and the alternatives in it, with references followed. */
function formsOf(schema: Json, definitions: Json): readonly JsonObject[] {
  if (!isObject(schema)) return [];
  const { $ref: reference } = schema;
  if (typeof reference === 'string') {
    return memberIn(definitions, reference.replace('#/definitions/', '')).flatMap((found) =>
      formsOf(found, definitions),
    );
  }
  const alternatives = ['allOf', 'anyOf', 'oneOf'].flatMap((keyword) => schema[keyword] ?? []) as Json[];
  return [schema, ...alternatives.flatMap((alternative) => formsOf(alternative, definitions))];
}

function memberIn(holder: Json | undefined, name: string): readonly Json[] {
  return isObject(holder) && Object.hasOwn(holder, name) ? [holder[name] as Json] : [];
}

/** A form that says nothing of its type takes anything. */
function takesNull(schema: Json, definitions: Json): boolean {
  const forms = formsOf(schema, definitions);
  const types = forms.flatMap(({ type, enum: values, const: value, nullable }) => [
    ...(type === undefined ? [] : [type].flat()),
    ...(nullable === true ? ['null'] : []),
    ...((values ?? []) as readonly Json[]).map((one) => (one === null ? 'null' : 'string')),
    ...(value === undefined ? [] : ['string']),
  ]);
  return types.length === 0 || types.includes('null');
}
