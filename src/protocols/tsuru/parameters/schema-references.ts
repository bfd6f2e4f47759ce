import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';

/** A schema, and the document or the part of one that its references are looked up in. */
export interface SchemaWithin {
  readonly schema: Json;
  readonly within: JsonObject;
}

/** Where a `$ref` leads within its document; undefined: nowhere that is known here. */
export function findReferred(reference: string, within: JsonObject): SchemaWithin | undefined {
  const [address = '', fragment = ''] = reference.split('#');
  const base = address === '' ? within : findNamed(within, address);
  if (!isObject(base)) return undefined;
  const schema = fragment === '' ? base : findFragment(base, fragment);
  return schema === undefined ? undefined : { schema, within: base };
}

function findFragment(base: JsonObject, fragment: string): Json | undefined {
  return fragment.startsWith('/') ? findByPointer(base, fragment) : findNamed(base, `#${fragment}`);
}

/** RFC 6901, in an address. */
function findByPointer(base: JsonObject, pointer: string): Json | undefined {
  let found: Json | undefined = base;
  for (const part of pointer.slice(1).split('/')) {
    const name = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, Json>>)[name];
  }
  return found;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** By its `$id`, `id` or `$anchor`. */
function findNamed(value: Json, name: string): JsonObject | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (isObject(value)) {
    const { $id, id, $anchor } = value;
    const names = [$id, id, typeof $anchor === 'string' ? `#${$anchor}` : undefined];
    if (names.some((one) => typeof one === 'string' && one.replace(/(?<=.)#$/, '') === name)) return value;
  }
  for (const inner of Object.values(value) as readonly Json[]) {
    const found = findNamed(inner, name);
    if (found) return found;
  }
  return undefined;
}
