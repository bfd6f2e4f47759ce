import { Refusal } from '../../broker/errors.ts';
import type { Json, JsonObject } from '../../broker/json.ts';

const deepest = 20;

interface Branch {
  readonly members: Map<string, Branch | string>;
}

/**
 * The fields of a form below a name, as `parameters.limits.memory=1` writes them; a backslash before a period makes
 * it part of a name. Refuses with invalid.
 */
export function treeOf(form: URLSearchParams, root: string): JsonObject {
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
  if (part === '' || part === '__proto__' || parts.length > deepest) throw misnamed(name);
  const known = members.get(part);
  if (rest.length === 0) {
    if (typeof known === 'object') throw misnamed(name);
    members.set(part, value);
    return;
  }
  if (typeof known === 'string') throw misnamed(name);
  const branch: Branch = known ?? { members: new Map() };
  members.set(part, branch);
  grow(branch, name, value, rest);
}

function misnamed(name: string): Refusal {
  return new Refusal('invalid', `'${name.slice(0, 80)}' is not the name of a parameter.`, 'parameters');
}

function jsonOf({ members }: Branch): JsonObject {
  const entries = [...members].map(([name, value]): [string, Json] => [
    name,
    typeof value === 'string' ? value : jsonOf(value),
  ]);
  return Object.fromEntries(entries);
}
