import type { OperationFailure, OperationKind } from '../broker/records.ts';

/** Why an operation failed that another one took the place of. */
export function cancelledBy(kind: OperationKind): OperationFailure {
  return { word: 'cancelled', sentence: `The operation was cancelled by ${ARTICLE[kind]} ${kind} request.` };
}

const ARTICLE = {
  provision: 'a',
  update: 'an',
  deprovision: 'a',
  bind: 'a',
  unbind: 'an',
  start: 'a',
  stop: 'a',
  restart: 'a',
  backup: 'a',
  restore: 'a',
  action: 'an',
  adopt: 'an',
} satisfies Record<OperationKind, string>;
