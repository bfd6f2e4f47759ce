import { Refusal } from '../../broker/errors.ts';
import { isText } from './storable.ts';

/** Absent and empty are false. Anything but true and false is refused: a guess could answer 202 unasked. */
export function readAcceptsIncomplete(query: URLSearchParams): boolean {
  const [value = '', ...others] = new Set(query.getAll('accepts_incomplete'));
  if (others.length === 0 && value === 'true') return true;
  if (others.length === 0 && (value === 'false' || value === '')) return false;
  throw new Refusal('invalid', 'accepts_incomplete must be true or false.', 'accepts_incomplete');
}

/** Of DELETE: what Cloud Controller and all others send along (spec.md, Deprovisioning, Parameters). */
export function requireQueryText(query: URLSearchParams, field: 'service_id' | 'plan_id'): string {
  const [value = '', ...others] = new Set(query.getAll(field));
  if (value === '') throw new Refusal('invalid', `${field} is missing in the query.`, field);
  if (others.length === 0 && isText(value) && value.length <= 1000) return value;
  throw new Refusal(
    'invalid',
    `${field} must be given once in the query, with at most 1000 characters.`,
    field,
  );
}
