import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { ClusterObject } from '../cluster.ts';

/**
 * An object as JSON that means the same to a server's YAML parser, which reads what is applied: it refuses escaped pairs
 * of surrogates and some characters, and takes U+0085 for a line break that becomes a space.
 */
export function objectText(object: JsonObject): string {
  return JSON.stringify(wellFormed(object)).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (mark) => String.raw`\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Half a pair of surrogates is no text anywhere; it becomes U+FFFD. */
function wellFormed(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.toWellFormed(), wellFormed(inner)]),
  );
}

/** A Secret without `stringData`: a key that is left out of that stays in the cluster, one left out of `data` goes. */
export function withoutStringData<Shape extends ClusterObject>(object: Shape): Shape {
  const { stringData, ...others } = object;
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1' || !isObject(stringData)) return object;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, encodedValue(text)]);
  const data = { ...(isObject(object['data']) && object['data']), ...Object.fromEntries(encoded) };
  return { ...others, data } as unknown as Shape;
}

/** What is no text is left for the server to refuse. */
function encodedValue(text: Json): Json {
  return typeof text === 'string' ? Buffer.from(text.toWellFormed(), 'utf8').toString('base64') : text;
}
