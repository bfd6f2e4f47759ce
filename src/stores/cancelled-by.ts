import type { OperationFailure, OperationKind } from '../broker/records.ts';

/** Why an operation failed that another one took the place of. */
export function cancelledBy(kind: OperationKind): OperationFailure {
  return { word: 'cancelled', sentence: `The operation was cancelled by ${ARTICLE[kind]} ${kind} request.` };
}

/** Why an operation failed whose node never came back. */
export const abandoned: OperationFailure = {
  word: 'abandoned',
  sentence: 'The node that carried the operation is gone for good.',
};

const ARTICLE = {
  provision: 'a',
  update: 'an',
  deprovision: 'a',
  bind: 'a',
  unbind: 'an',
  start: 'a',
  stop: 'a',
  restart: 'a',
} satisfies Record<OperationKind, string>;
