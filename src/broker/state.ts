import { isExpired, type Operation, type ServiceBinding, type ServiceInstance } from './records.ts';

export type StateWord =
  | 'absent'
  | 'provisioning'
  | 'failed'
  | 'lost'
  | 'deprovisioning'
  | 'ready'
  | 'updating'
  | 'starting'
  | 'stopping'
  | 'restarting';

/** One word for people; `ready` and the open operation are the truth. */
export function describeState(
  found:
    { instance: Pick<ServiceInstance, 'ready' | 'lost'>; operation?: Pick<Operation, 'kind'> } | undefined,
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
    default:
      if (found.instance.ready) return 'ready';
      return found.instance.lost ? 'lost' : 'failed';
  }
}

export const bindingStates = ['binding', 'bound', 'expired', 'failed', 'unbinding'] as const;

export type BindingState = (typeof bindingStates)[number];

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
