import { isObject, type Json, type JsonObject } from '../../broker/json.ts';

/** What keys mean, by their paths: `plans[].id`, `secrets.<name>.per`. */
export type Meanings = Readonly<Record<string, string>>;

/**
 * The schema with what its keys mean as descriptions. A definition that several keys share is described as at the first
 * of them.
 * @param path of the schema itself: '' or `config`
 */
export function described(schema: JsonObject, meanings: Meanings, path = ''): JsonObject {
  const given = isObject(schema['definitions']) ? schema['definitions'] : {};
  const definitions = new Map<string, Json>();
  const { definitions: _elsewhere, ...rest } = schema;
  const root = walked(rest, path) as JsonObject;
  return { ...root, definitions: { ...given, ...Object.fromEntries(definitions) } };

  function walked(one: Json, at: string): Json {
    if (!isObject(one)) return one;
    follow(one['$ref'], at);
    return Object.fromEntries(Object.entries(one).map(([word, value]) => [word, inside(word, value, at)]));
  }

  function inside(word: string, value: Json, at: string): Json {
    if (word === 'properties' && isObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => [key, withMeaning(member, at, key)]),
      );
    }
    if (word === 'additionalProperties') return walked(value, `${at}.<name>`);
    if (word === 'items') return walked(value, `${at}[]`);
    return word === 'anyOf' && Array.isArray(value) ? value.map((form: Json) => walked(form, at)) : value;
  }

  function withMeaning(member: Json, at: string, key: string): Json {
    const here = at === '' ? key : `${at}.${key}`;
    const meaning = meaningOf(here, meanings);
    const inner = walked(member === true ? {} : member, here);
    return meaning !== undefined && isObject(inner) ? { ...inner, description: meaning } : inner;
  }

  function follow(reference: Json | undefined, at: string): void {
    const name = typeof reference === 'string' ? reference.replace('#/definitions/', '') : '';
    const definition = given[name];
    if (definition === undefined || definitions.has(name)) return;
    definitions.set(name, definition);
    definitions.set(name, walked(definition, at));
  }
}

/** What a plan says in place of its offering means the same there; each moment of an instance's life is explained once. */
function meaningOf(path: string, meanings: Meanings): string | undefined {
  const moment = path.replace(/^(hooks|timeouts)\.\w+/, '$1.<moment>');
  return meanings[path] ?? meanings[moment] ?? meanings[path.replace(/^plans\[\]\./, '')];
}
