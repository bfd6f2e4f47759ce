import { isExact } from '../../../broker/json.ts';
import type { Json } from '../../../broker/json.ts';

/**
 * What a text says as JSON, when it says something else than text, and exactly: `5`, `-0.5`, `1e3`, `true`, `null`,
 * `[1, "a"]`, `{"a": 1}`. Undefined for `05`, ` 5`, `"quoted"`, and for a number with more digits than can be kept.
 */
export function readJson(text: string): Json | undefined {
  if (!/^[[{]|^(?:true|false|null)$|^-?\d/.test(text) || text.trimEnd() !== text) return undefined;
  try {
    return JSON.parse(text, requireExact as Parameters<typeof JSON.parse>[1]) as Json;
  } catch {
    return undefined;
  }
}

function requireExact(_name: string, value: Json, context?: { readonly source?: string }): Json {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  if (!isExact(context.source)) throw new Error('not exact');
  return value;
}
