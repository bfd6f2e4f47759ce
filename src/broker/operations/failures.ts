import { isNativeError } from 'node:util/types';
import type { ServicePlan } from '../catalog.ts';
import type { Operation, OperationFailure, OperationKind } from '../records.ts';
import { Failure } from '../errors.ts';
import type { Step } from '../provisioner.ts';
import { secondsAllowed } from './intent.ts';

/** Of what this program does wrong however often it tries. */
export const mistaken = {
  word: 'mistake',
  sentence: 'The broker made a mistake of its own. Ask the operator of the broker.',
};

/** Of what an operator has ended. */
export const cancelledByHand: OperationFailure = {
  word: 'cancelled-by-operator',
  sentence: 'The operator of the broker has cancelled the operation.',
};

/** It is to end, and nobody has begun with that. */
export function isToEnd({ cancelled, failure }: Operation): boolean {
  return cancelled !== undefined && failure === undefined;
}

export function undoFailed(first: OperationFailure, then: OperationFailure): OperationFailure {
  const detail = `${first.detail ?? first.sentence} Undoing it failed too: ${then.detail ?? then.sentence}`;
  return { ...first, detail };
}

/** @param detail for the operator: what went wrong at the last try, if anything did */
export function tooLong(plan: ServicePlan, kind: OperationKind, detail?: string): OperationFailure {
  return {
    word: 'timeout',
    sentence: `The operation took longer than the ${secondsAllowed(plan, kind)} seconds allowed.`,
    detail,
  };
}

/**
 * Is the error one of a program that is wrong, rather than of a world that may be right again? Those of the
 * language, that is; but `fetch` tells failed connections by a TypeError too, with what happened as its cause.
 */
export function isMistake(error: unknown): boolean {
  return isNativeError(error) && error.cause === undefined && kinds.has(error.name);
}

const kinds: ReadonlySet<string> = new Set(['AssertionError', 'RangeError', 'ReferenceError', 'TypeError']);

/** @throws Failure 'unsupported': the provisioner cannot do it, by now */
export function requirePossible<Result>(deed: OperationKind, step: Step<Result> | undefined): Step<Result> {
  if (step) return step;
  throw new Failure('unsupported', `What was asked for (${deed}) is not possible any more.`);
}
