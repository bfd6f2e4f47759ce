import { createHash } from 'node:crypto';
import { codeOf } from '../system/error-code.ts';

/** Under which names statements are kept prepared in the sessions of one pool, and which of them are at all. */
export interface StatementNames {
  /** For `pg`, which prepares a name in a session where it is new; undefined for what is sent without one. */
  readonly of: (text: string) => string | undefined;
  /**
   * Is this error of the name only, so that the statement itself has done nothing? Then it may be sent again without
   * one.
   */
  readonly haveFailed: (error: unknown) => boolean;
}

/** Nothing is kept prepared. */
export const noNames: StatementNames = { of: () => undefined, haveFailed: () => false };

/**
 * Texts that come again and again get names; what is sent once or twice would take memory in every session for
 * nothing. A name says the text it stands for, so that brokers behind one pooler mean the same by it.
 * @param onLost is told, once, that whatever is between us and Postgres keeps no names: from then on none is used
 */
export function statementNames(onLost: () => void): StatementNames {
  const uses = new Map<string, number>();
  const names = new Map<string, string>();
  let areLost = false;

  function counted(text: string): string | undefined {
    if (names.size >= mostNames) return undefined;
    const count = (uses.get(text) ?? 0) + 1;
    if (count < usesBefore) {
      // Texts are of unlimited variety, such as those of filters.
      if (uses.size >= mostCounted) uses.clear();
      uses.set(text, count);
      return undefined;
    }
    uses.delete(text);
    const name = `purveyor_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
    names.set(text, name);
    return name;
  }

  function haveFailed(error: unknown): boolean {
    if (isOutdated(error)) return true;
    if (!nameless.test(codeOf(error))) return false;
    if (!areLost) onLost();
    areLost = true;
    return true;
  }
  return { of: (text) => (areLost ? undefined : (names.get(text) ?? counted(text))), haveFailed };
}

/** A session holds a few hundred kilobytes for a plan of ours; the broker has some sixty texts. */
const mostNames = 100;
const mostCounted = 1000;
const usesBefore = 3;

/** The session has no such name, or has it already: it is another one than it was, as behind a pooler. */
const nameless = /^(26000|42P05)$/;

/**
 * A table has other columns than when the statement was prepared; the sentence may be in any language. The pool ends a
 * session in which something has failed, so that each session says this once.
 */
function isOutdated(error: unknown): boolean {
  return codeOf(error) === '0A000' && (error as { routine?: unknown }).routine === 'RevalidateCachedQuery';
}
