/** JSON values as plain data. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal as JSON documents: the order of an object's members does not count, and one that is undefined is absent. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item: Json, index) => sameJson(item, b[index] as Json));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = membersOf(a);
  return (
    keys.length === membersOf(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
}

function membersOf(value: JsonObject): readonly string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined);
}

/** What is not an object is an empty one. */
export function memberOf(value: Json | undefined, name: string): JsonObject {
  const member = isObject(value) ? value[name] : undefined;
  return isObject(member) ? member : {};
}

/** A JSON object of these members; those that are undefined are not there. */
export function jsonOf(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** JSON text with sorted members, so that equal documents have equal texts. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Every string that stands anywhere in the value. */
export function stringsIn(value: Json | undefined): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner: Json) => stringsIn(inner));
}

/**
 * Does the number of a JSON text stay what it is? Numbers here are doubles: 9007199254740993 would become ...992,
 * 1e-400 nothing and 1e400 infinite.
 */
export function isExact(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && sameDecimal(text, String(value));
}

function sameDecimal(a: string, b: string): boolean {
  const [first, second] = [decimalOf(a), decimalOf(b)];
  return first.digits === second.digits && (first.digits === '' || first.exponent === second.exponent);
}

/** The digits without zeros around them, as a whole number, and the power of ten that belongs to it. */
function decimalOf(text: string): { readonly digits: string; readonly exponent: number } {
  const [, whole = '', fraction = '', power = '0'] = /^[-+]?(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = withoutZeros(digits);
  return { digits: trimmed, exponent: Number(power) - fraction.length + digits.length - trimmed.length };
}

/** Linear, unlike /0+$/, which begins anew at each zero. */
function withoutZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}
