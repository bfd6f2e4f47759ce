import type { ErrorObject } from 'ajv';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { subschemas } from './subschemas.ts';

/** All schemas that these lead to: those in them, and those in what they refer to within `root`. */
export function reachOf(start: Json, root: JsonObject): ReadonlySet<unknown> {
  const found = new Set<unknown>();
  const next = ([start].flat() as Json[]).toReversed();
  for (let schema = next.pop(); schema !== undefined; schema = next.pop()) {
    for (const { schema: part } of subschemas(schema, '')) {
      if (found.has(part)) continue;
      found.add(part);
      const target = targetOf(part['$ref'], root);
      if (target !== undefined) next.push(target);
    }
  }
  return found;
}

/** The members that these schemas speak of. */
export function namesIn(schemas: ReadonlySet<unknown>): readonly string[] {
  const names = [...schemas].filter(isObject).flatMap((schema) => {
    const { properties, required } = schema;
    return [
      ...(isObject(properties) ? Object.keys(properties) : []),
      ...(Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []),
    ];
  });
  return [...new Set(names)];
}

/** Does the error say of a choice, as a whole, that none of its alternatives fits? */
export function isChoice({ keyword }: ErrorObject): boolean {
  return keyword === 'anyOf' || keyword === 'oneOf' || keyword === 'not' || keyword === 'contains';
}

export function targetOf(reference: Json | undefined, root: JsonObject): Json | undefined {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
  let target: Json | undefined = root;
  for (const name of reference.slice(1).split('/').slice(1)) {
    const member = decode(name).replaceAll('~1', '/').replaceAll('~0', '~');
    target =
      typeof target === 'object' && target !== null ? (Reflect.get(target, member) as Json) : undefined;
  }
  return target;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
