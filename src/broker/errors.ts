/**
 * The expected noes. A refusal is thrown before anything is written, so a request that is refused changes
 * nothing. Each protocol has one table that says what a code means on its wire.
 */
export type RefusalCode =
  | 'invalid' // something in the request is wrong; `field` names it
  | 'not-found' // the instance or binding to be read, updated or bound does not exist
  | 'conflict' // the id is taken by something different
  | 'busy' // another operation on the same thing is in progress
  | 'occupied' // what no platform has asked for is in progress on it, and takes longer than the request could wait
  | 'not-ready' // the instance exists but was never finished
  | 'async-required' // the plan works asynchronously only
  | 'maintenance-conflict' // the platform's idea of the plan's version is out of date
  | 'requires-app' // the plan can only be bound to an application
  | 'unsupported' // the plan cannot do this
  | 'unreadable' // what is stored of it cannot be decrypted
  | 'unavailable'; // the broker cannot work now (no database, shutting down)

/** Those that pass without anybody asking for something else. */
export const passing: ReadonlySet<RefusalCode> = new Set(['busy', 'occupied', 'unreadable', 'unavailable']);

export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly field: string | undefined;

  /** @param sentence for the platform's user: what is wrong and what would be right, no internals. */
  constructor(code: RefusalCode, sentence: string, field?: string) {
    super(sentence);
    this.name = 'Refusal';
    this.code = code;
    this.field = field;
  }
}

/**
 * Who has hung up takes it that nothing was done, and asks again or removes what may be there. What begins after that
 * would be known to nobody, so it does not begin.
 */
export function refuseUnheard({ isGone }: { readonly isGone?: (() => boolean) | undefined }): void {
  if (isGone?.()) throw new Refusal('unavailable', 'Nobody waits for the answer any more: nothing was done.');
}

export interface FailureHints {
  /** For the operator: may name internals; secrets are redacted before it is kept. */
  readonly detail?: string;
  /** After a failed update: can the instance still be used? */
  readonly instanceUsable?: boolean;
  /** After a failed update: may the same update be tried again? */
  readonly updateRepeatable?: boolean;
}

/**
 * An operation that failed for good. A provisioner throws it when trying again cannot help; anything else it
 * throws is tried again until the operation's deadline.
 */
export class Failure extends Error {
  readonly word: string;
  readonly hints: FailureHints;

  /** @param word one word for lists and metrics; @param sentence for the platform's user. */
  constructor(word: string, sentence: string, hints: FailureHints = {}) {
    super(sentence);
    this.name = 'Failure';
    this.word = word;
    this.hints = hints;
  }
}
