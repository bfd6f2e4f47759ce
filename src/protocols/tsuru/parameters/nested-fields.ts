import { Refusal } from '../../../broker/errors.ts';
import type { Json, JsonObject } from '../../../broker/json.ts';

const deepest = 20;

interface Branch {
  readonly members: Map<string, Branch | readonly string[]>;
}

/**
 * The fields of a form below a name, as `parameters.limits.memory=1` writes them; a backslash before a period makes
 * it part of a name. A name that is repeated is a list, and an empty map has one member without name or value, as in
 * `parameters.=`. Refuses with invalid.
 */
export function nestedFieldsOf(form: URLSearchParams, root: string): JsonObject {
  const branch: Branch = { members: new Map() };
  for (const [name, value] of form) {
    if (name.startsWith(`${root}.`)) grow(branch, name, value, partsOf(name).slice(1));
  }
  return jsonOf(branch);
}

function partsOf(name: string): readonly string[] {
  return name.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.').replaceAll('\\\\', '\\'));
}

function grow({ members }: Branch, name: string, value: string, parts: readonly string[]): void {
  const [part = '', ...rest] = parts;
  if (part === '' && rest.length === 0 && value === '') return;
  if (part === '' || part === '__proto__' || parts.length > deepest) throw misnamed(name);
  const known = members.get(part);
  if (rest.length === 0) {
    if (known && !isLeaf(known)) throw misnamed(name);
    members.set(part, [...(known ?? []), value]);
    return;
  }
  if (known && isLeaf(known)) throw misnamed(name);
  const branch: Branch = known ?? { members: new Map() };
  members.set(part, branch);
  grow(branch, name, value, rest);
}

function isLeaf(member: Branch | readonly string[]): member is readonly string[] {
  return Array.isArray(member);
}

function misnamed(name: string): Refusal {
  return new Refusal('invalid', `'${name.slice(0, 80)}' is not the name of a parameter.`, 'parameters');
}

function jsonOf({ members }: Branch): JsonObject {
  const entries = [...members].map(([name, value]): [string, Json] => [
    name,
    isLeaf(value) ? leafOf(value) : jsonOf(value),
  ]);
  return Object.fromEntries(entries);
}

function leafOf(values: readonly string[]): Json {
  const [first = '', ...others] = values;
  return others.length === 0 ? first : values;
}
