import { isObject, type Json } from '../broker/json.ts';
import type { Origin } from '../broker/records.ts';
import type { KeyRing } from './keyring.ts';
import { openText, type Sealed, sealText } from './sealed-text.ts';
import { type RowPlace, rowPlaceOf } from './unreadable.ts';

// Who asked is personal. It stays with an operation that has ended, when its other secrets are gone; so it is sealed by
// itself, and nothing depends on it: what no key opens any more is left out.

/** The origin as it is to lie in this row. */
export function sealedOrigin(keys: KeyRing, row: RowPlace, { identity, ...origin }: Origin): Origin {
  if (identity === undefined) return origin;
  const sealed = sealText(keys, placeOf(row), JSON.stringify(identity));
  return { ...origin, identity: { sealed: { ...sealed } } };
}

/** The origin as it was; rows of before have it as it is. */
export function openedOrigin(keys: KeyRing, row: RowPlace, { identity, ...origin }: Origin): Origin {
  if (identity === undefined) return origin;
  if (!isObject(identity) || !('sealed' in identity)) return { ...origin, identity };
  try {
    const text = openText(keys, placeOf(row), identity['sealed'] as unknown as Sealed);
    return { ...origin, identity: JSON.parse(text) as Json };
  } catch {
    return origin;
  }
}

function placeOf(row: RowPlace): string {
  return `${rowPlaceOf(row)} origin`;
}
