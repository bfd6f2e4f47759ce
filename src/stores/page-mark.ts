import { Refusal } from '../broker/errors.ts';

/** Where the page of a list ended, as its reader gives it back: a time as the store writes it, and a number. */
export type PageMark = readonly [at: string, number: number];

/** The mark as a word that says nothing to who reads it. */
export function writePageMark(mark: PageMark): string {
  return Buffer.from(JSON.stringify(mark)).toString('base64url');
}

/** @throws Refusal invalid, of the field `after` */
export function readPageMark(word: string): PageMark {
  try {
    const [at, number, ...more] = JSON.parse(Buffer.from(word, 'base64url').toString()) as readonly unknown[];
    const isTime = typeof at === 'string' && !Number.isNaN(Date.parse(at));
    if (isTime && Number.isSafeInteger(number) && more.length === 0) return [at, number as number];
  } catch {
    // As with any other word.
  }
  throw new Refusal('invalid', 'after is not the next of any page.', 'after');
}
