// How what is confidential lies in a row: encrypted for that row alone.
import type { KeyRing } from './keyring.ts';
import { openText, type Sealed, sealText } from './sealed-text.ts';
import { type ConfidentialRow, isCorrupt, parseConfidential } from './operation-rows.ts';
import { type RowPlace, rowPlaceOf, type TellUnreadable, unreadable } from './unreadable.ts';

/** What is confidential, as it is to lie in this row. */
export function sealConfidential(keys: KeyRing, row: RowPlace, confidential: object): string {
  return JSON.stringify({ sealed: sealText(keys, rowPlaceOf(row), JSON.stringify(confidential)) });
}

/** What is confidential in this row. @throws Refusal 'unreadable', whose cause says why */
export function openConfidential(keys: KeyRing, { confidential, ...row }: ConfidentialRow): object {
  try {
    return readConfidential(keys, rowPlaceOf(row), parseConfidential(confidential));
  } catch (cause) {
    throw unreadable(row, cause);
  }
}

interface Confidential {
  readonly confidential: object;
}

/** The inner store takes the confidential part for what it is declared as, and never looks into it. */
export function sealRecord<Rec extends Confidential>(keys: KeyRing, row: RowPlace, record: Rec): Rec {
  const text = JSON.stringify(record.confidential);
  return { ...record, confidential: { sealed: sealText(keys, rowPlaceOf(row), text) } };
}

export function openRecord<Rec extends Confidential>(
  keys: KeyRing,
  row: RowPlace,
  record: Rec,
  tell: TellUnreadable,
): Rec {
  try {
    return { ...record, confidential: readConfidential(keys, rowPlaceOf(row), record.confidential) };
  } catch (cause) {
    tell(row, (cause as Error).message);
    throw unreadable(row, cause);
  }
}

export function readConfidential(keys: KeyRing, place: string, confidential: object): object {
  if (isCorrupt(confidential)) throw new Error(`${place} is no JSON object.`);
  if (!isSealed(confidential)) return confidential;
  const value = parseConfidential(openText(keys, place, confidential.sealed));
  if (isCorrupt(value)) throw new Error(`What is encrypted in ${place} is no JSON object.`);
  return value;
}

export function isSealed(confidential: object): confidential is { readonly sealed: Sealed } {
  return 'sealed' in confidential;
}
