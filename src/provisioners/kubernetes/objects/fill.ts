import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import { positionIn, render, renderText } from '../../../broker/template.ts';

/**
 * An object with its templates filled. It is sent as JSON, so a value is never more than a value; in a text of several
 * lines, which is a file as a rule, one with a line break of its own is refused.
 * @throws TemplateError
 */
export function fillObject(template: JsonObject, roots: JsonObject, at: string): JsonObject {
  return filled(template, roots, at) as JsonObject;
}

function filled(template: Json, roots: JsonObject, at: string): Json {
  if (typeof template === 'string')
    return template.includes('\n') ? renderText(template, roots, at) : render(template, roots);
  if (Array.isArray(template))
    return template.map((item: Json, index) => filled(item, roots, positionIn(at, index)));
  if (!isObject(template)) return template;
  const members = Object.entries(template).map(([name, inner]) => {
    return [name, filled(inner, roots, positionIn(at, name))] as const;
  });
  return Object.fromEntries(members);
}

/** As a JSON merge patch changes it (RFC 7386). */
export function merged(value: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base: JsonObject = isObject(value) ? value : {};
  const changed = Object.entries(patch).flatMap(([name, inner]) =>
    inner === null ? [] : [[name, merged(base[name], inner)] as const],
  );
  const kept = Object.entries(base).filter(([name]) => patch[name] === undefined);
  return Object.fromEntries([...kept, ...changed]);
}

/** The object with a value at a path of names. */
export function withValueAt(
  object: JsonObject,
  [name = '', ...rest]: readonly string[],
  value: Json,
): JsonObject {
  const inner = object[name];
  return {
    ...object,
    [name]: rest.length === 0 ? value : withValueAt(isObject(inner) ? inner : {}, rest, value),
  };
}

/** Numbers, true and false as text: of what has only texts. */
export function asTexts(members: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, typeof value === 'object' ? value : String(value)]),
  );
}
