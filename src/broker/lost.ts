// Instances whose node was given up: how everybody is told, and how they are made anew.
import { Refusal, type RefusalCode } from './errors.ts';
import type { Loss, Operation, OperationFailure, ServiceInstance } from './records.ts';

/** The word of the failure of what was to be done on a node that was given up. */
export const lostWord = 'abandoned';

const whatWasLost = 'It was lost with its node, with everything in it and the credentials of its bindings.';
const remedy = 'Delete it, or ask the operator of the broker to make it anew.';

/** Why a platform cannot have what it asks of a lost instance. */
export const lostSentence = `The service instance cannot be used any more. ${whatWasLost} ${remedy}`;

/** Why an operation failed whose node never came back. */
export const lostFailure: OperationFailure = {
  word: lostWord,
  sentence: `The node that carried the operation was given up. ${whatWasLost} ${remedy}`,
};

/**
 * The refusal of what needs a finished instance.
 * @param otherwise what is said of one that was not lost
 */
export function refuseUnready(
  { lost }: Pick<ServiceInstance, 'lost'>,
  otherwise: string,
  code: RefusalCode = 'not-ready',
): Refusal {
  return new Refusal(code, lost ? lostSentence : otherwise);
}

/** Nothing of it is on any node that the broker knows: it was not begun anew since, or that was undone. */
export function isLostWithAll({ lost, place }: Pick<ServiceInstance, 'lost' | 'place'>): boolean {
  return lost !== undefined && !place;
}

/** The operation as it is told of a lost instance: nothing that it did before has been of lasting use. */
export function asLost(operation: Operation, { at }: Loss): Operation {
  const isBefore = operation.createdAt < at;
  if (operation.state === 'in progress' || !isBefore) return operation;
  return { ...operation, state: 'failed', failure: { word: lostWord, sentence: lostSentence } };
}
