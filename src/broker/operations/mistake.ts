import { isNativeError } from 'node:util/types';

/**
 * Is the error one of a program that is wrong, rather than of a world that may be right again? Those of the
 * language, that is; but `fetch` tells failed connections by a TypeError too, with what happened as its cause.
 */
export function isMistake(error: unknown): boolean {
  return isNativeError(error) && error.cause === undefined && kinds.has(error.name);
}

const kinds: ReadonlySet<string> = new Set(['AssertionError', 'RangeError', 'ReferenceError', 'TypeError']);
