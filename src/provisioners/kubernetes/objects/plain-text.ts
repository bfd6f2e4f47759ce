import type { Json } from '../../../broker/json.ts';

/** A value as text; what is no text, number, true or false, as JSON. */
export function plainText(value: Json | undefined): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
