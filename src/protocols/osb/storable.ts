import type { Json } from '../../broker/json.ts';

const deepest = 100;

/**
 * Can every store and provisioner take this value? Texts with NUL or half of a surrogate pair cannot be
 * kept by databases or handed to programs, and endless nesting cannot be walked.
 */
export function isStorable(value: Json, depth = 0): boolean {
  if (typeof value === 'string') return isText(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= deepest) return false;
  return Object.entries(value).every(
    ([name, inner]: [string, Json]) => name !== '__proto__' && isText(name) && isStorable(inner, depth + 1),
  );
}

export function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
