import { Refusal } from '../broker/errors.ts';

interface Kinds {
  readonly number: number;
  readonly string: string;
}

/** Where the page of a list ended, as its reader gives it back: a time as the store writes it, and what comes second. */
export type PageMark<Kind extends keyof Kinds> = readonly [at: string, second: Kinds[Kind]];

/** The mark as a word that says nothing to who reads it. */
export function writePageMark(mark: PageMark<keyof Kinds>): string {
  return Buffer.from(JSON.stringify(mark)).toString('base64url');
}

/**
 * @param kind of what comes second
 * @throws Refusal invalid, of the field `after`
 */
export function readPageMark<Kind extends keyof Kinds>(word: string, kind: Kind): PageMark<Kind> {
  try {
    const [at, second, ...more] = JSON.parse(Buffer.from(word, 'base64url').toString()) as readonly unknown[];
    const isTime = typeof at === 'string' && !Number.isNaN(Date.parse(at));
    if (isTime && typeof second === kind && isKept(second) && more.length === 0)
      return [at, second as Kinds[Kind]];
  } catch {
    // As with any other word.
  }
  throw notNext();
}

/** As `writePageMark`, of a list in the order of two ids. */
export function writeIdsMark(instanceId: string, id: string): string {
  return Buffer.from(JSON.stringify([instanceId, id])).toString('base64url');
}

/** @throws Refusal invalid, of the field `after` */
export function readIdsMark(word: string): readonly [instanceId: string, id: string] {
  try {
    const [instanceId, id, ...more] = JSON.parse(
      Buffer.from(word, 'base64url').toString(),
    ) as readonly unknown[];
    if (isId(instanceId) && isId(id) && more.length === 0) return [instanceId, id];
  } catch {
    // As with any other word.
  }
  throw notNext();
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\u0000');
}

function notNext(): Refusal {
  return new Refusal('invalid', 'after is not the next of any page.', 'after');
}

/** What a store can have written. */
function isKept(second: unknown): boolean {
  return typeof second === 'string' ? /^[ -~]{1,200}$/.test(second) : Number.isSafeInteger(second);
}
