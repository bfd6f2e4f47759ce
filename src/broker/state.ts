import { Refusal, type RefusalCode } from './errors.ts';
import {
  type Operation,
  type ServiceBinding,
  type ServiceInstance,
  type Loss,
  type OperationFailure,
} from './records.ts';

export type StateWord =
  | 'absent'
  | 'provisioning'
  | 'failed'
  | 'deleted'
  | 'lost'
  | 'deprovisioning'
  | 'ready'
  | 'updating'
  | 'starting'
  | 'stopping'
  | 'restarting'
  | 'backing-up'
  | 'restoring'
  | 'acting'
  | 'adopting';

/** One word for people; `ready` and the open operation are the truth. */
export function describeState(
  found:
    | { instance: Pick<ServiceInstance, 'ready' | 'lost' | 'keptUntil'>; operation?: Pick<Operation, 'kind'> }
    | undefined,
): StateWord {
  if (!found) return 'absent';
  switch (found.operation?.kind) {
    case 'provision':
      return 'provisioning';
    case 'update':
      return 'updating';
    case 'deprovision':
      return 'deprovisioning';
    case 'start':
      return 'starting';
    case 'stop':
      return 'stopping';
    case 'restart':
      return 'restarting';
    case 'backup':
      return 'backing-up';
    case 'restore':
      return 'restoring';
    case 'action':
      return 'acting';
    case 'adopt':
      return 'adopting';
    default:
      if (found.instance.keptUntil) return 'deleted';
      if (found.instance.ready) return 'ready';
      return found.instance.lost ? 'lost' : 'failed';
  }
}

export const bindingStates = ['binding', 'bound', 'expired', 'failed', 'unbinding'] as const;

export type BindingState = (typeof bindingStates)[number];

export function isExpired({ expiresAt }: Pick<ServiceBinding, 'expiresAt'>, now: Date): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** As `describeState`, of a binding that is there. */
export function describeBindingState(
  {
    binding,
    operation,
  }: {
    binding: Pick<ServiceBinding, 'ready' | 'expiresAt'>;
    operation?: Pick<Operation, 'kind'>;
  },
  now: Date,
): BindingState {
  if (operation) return operation.kind === 'unbind' ? 'unbinding' : 'binding';
  if (!binding.ready) return 'failed';
  return isExpired(binding, now) ? 'expired' : 'bound';
}

// Instances whose node was given up: how everybody is told, and how they are made anew.

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

/**
 * Who deletes a protected instance is told, and nothing is changed.
 * @throws Refusal 'invalid': a 400, which every platform takes for an end, and shows
 */
export function requireUnprotected(
  { protectedFrom }: Pick<ServiceInstance, 'protectedFrom'>,
  now: Date,
): void {
  if (protectedFrom === undefined || protectedFrom > now) return;
  throw new Refusal(
    'invalid',
    'The service instance is protected against deletion. The operator of the broker can take the protection away.',
  );
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
