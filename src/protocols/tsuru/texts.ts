import { Refusal } from '../../broker/errors.ts';
import type { Json } from '../../broker/json.ts';

const longest = 1000;
const deepest = 100;

/** Can it be kept? Databases take neither NUL nor half of a surrogate pair. */
export function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Refuses with invalid what cannot be kept, or is too long for a name, an address or a sentence. */
export function requireText(value: unknown, field: string): string {
  if (typeof value !== 'string') throw new Refusal('invalid', `${field} must be a text.`, field);
  if (value.length > longest)
    throw new Refusal('invalid', `${field} must not have more than ${longest} characters.`, field);
  if (isText(value)) return value;
  throw new Refusal('invalid', `${field} holds a character that cannot be kept.`, field);
}

/** Refuses with invalid. */
export function requireStorable<Value extends Json>(value: Value, field: string): Value {
  if (isStorable(value, 0)) return value;
  throw new Refusal(
    'invalid',
    `${field} holds a character that cannot be kept, or is nested too deeply.`,
    field,
  );
}

function isStorable(value: Json, depth: number): boolean {
  if (typeof value === 'string') return isText(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= deepest) return false;
  return Object.entries(value).every(
    ([name, inner]: [string, Json]) => name !== '__proto__' && isText(name) && isStorable(inner, depth + 1),
  );
}
