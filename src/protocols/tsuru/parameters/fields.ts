import { Refusal } from '../../../broker/errors.ts';
import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { Call } from '../../protocol.ts';
import { requireStorable, requireText } from '../texts.ts';
import { nestedFieldsOf } from './nested-fields.ts';

/** What a request says, in whatever encoding and spelling its generation uses. */
export interface Fields {
  /** The first of these names that says something; of several values the first. Refuses with invalid. */
  text(...names: readonly string[]): string | undefined;
  /** All values of the first of these names that has any. */
  texts(...names: readonly string[]): readonly string[];
  /** From forms all of it is text. */
  readonly parameters: JsonObject;
}

/** Refuses with invalid a body that is neither a form nor a JSON object. */
export function readFields({ body }: Pick<Call, 'body'>): Fields {
  if (body === undefined) return fieldsOf(() => [], {});
  if (body instanceof URLSearchParams) return readForm(body);
  if (isObject(body)) return readObject(body);
  throw new Refusal('invalid', 'The body must be a form or a JSON object.');
}

function readForm(form: URLSearchParams): Fields {
  // Lists come as one name repeated; some encoders number it.
  const find = (name: string) => {
    const plain = form.getAll(name);
    return plain.length > 0 ? plain : numbered(form, name);
  };
  return fieldsOf(find, nestedFieldsOf(form, 'parameters'));
}

function numbered(form: URLSearchParams, name: string): readonly string[] {
  const [first] = form.getAll(`${name}.0`);
  return first === undefined ? [] : [first, ...rest(form, name)];
}

function rest(form: URLSearchParams, name: string): readonly string[] {
  const found: string[] = [];
  for (let index = 1; ; index += 1) {
    const value = form.get(`${name}.${index}`);
    if (value === null) return found;
    found.push(value);
  }
}

function readObject(body: JsonObject): Fields {
  const parameters = body['parameters'] ?? {};
  if (!isObject(parameters)) {
    throw new Refusal('invalid', 'parameters must be a JSON object.', 'parameters');
  }
  const find = (name: string) => (Object.hasOwn(body, name) ? listed(body[name]) : []);
  return fieldsOf(find, parameters);
}

function listed(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value as Json];
}

function fieldsOf(find: (name: string) => readonly Json[], parameters: JsonObject): Fields {
  function texts(...names: readonly string[]): readonly string[] {
    for (const name of names) {
      const values = find(name).map((value) => requireText(value, name));
      const told = values.filter((value) => value !== '');
      if (told.length > 0) return told;
    }
    return [];
  }
  return {
    texts,
    text: (...names) => texts(...names)[0],
    parameters: requireStorable(parameters, 'parameters'),
  };
}
