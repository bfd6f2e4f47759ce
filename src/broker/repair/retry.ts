import type { RepairOperation } from '../commands.ts';
import { act } from './act.ts';
import { takeBackup } from '../backups/take.ts';
import { Refusal } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import type { Operation, Origin, ServiceBinding, ServiceInstance } from '../records.ts';
import { bind } from '../requests/bind.ts';
import type { RequestContext } from '../requests/context.ts';
import { provision } from '../requests/provision.ts';
import { removeBinding } from '../requests/remove-binding.ts';
import { update } from '../requests/update.ts';
import { describeState } from '../state.ts';
import { requireKnownOperation } from './find-operation.ts';
import { removeInstance } from './remove-instance.ts';

type Retried = Outcome<ServiceInstance> | Outcome<ServiceBinding>;

/**
 * Asks once more for what has failed, as a new operation. Its steps converge, so those that were done find nothing to do
 * and the one that failed is the first that does something; what a failed create had made was undone, and is made anew.
 * @throws Refusal 'not-found', and 'conflict' when it cannot be asked for again, with the reason
 */
export async function retryOperation(
  core: RequestContext,
  { operationId, origin }: RepairOperation,
): Promise<Retried> {
  const operation = await requireKnownOperation(core, operationId);
  if (operation.state !== 'failed') throw notFailed(operation);
  const { kind, instanceId, bindingId } = operation;
  const { operation: last } = await core.store.lastOperation({ instanceId, bindingId });
  if (last && last.id !== operationId && !isAnyTime(operation)) {
    // The same asked for again, or its answer was lost.
    if (last.kind === kind && last.state === 'in progress') return { is: 'accepted', operation: last };
    throw overtaken(last);
  }
  return again(core, operation, origin);
}

function isAnyTime({ kind }: Operation): boolean {
  return kind === 'start' || kind === 'stop' || kind === 'restart' || kind === 'backup' || kind === 'action';
}

function again(core: RequestContext, operation: Operation, origin: Origin): Promise<Retried> {
  const { kind, instanceId, bindingId = '' } = operation;
  const command = { instanceId, origin, acceptsIncomplete: true };
  switch (kind) {
    case 'provision':
      return provisionAgain(core, command);
    case 'update':
      return updateAgain(core, command, operation.id);
    case 'deprovision':
      return removeInstance(core, command);
    case 'bind':
      return bindAgain(core, { ...command, bindingId });
    case 'unbind':
      return removeBinding(core, { ...command, bindingId });
    case 'backup':
      return takeBackup(core, command).then(({ outcome }) => outcome);
    case 'action':
      return actAgain(core, command, operation);
    case 'adopt':
      throw new Refusal('conflict', 'What could not be adopted is no instance. Ask for its adoption.');
    case 'restore':
      throw new Refusal(
        'conflict',
        'Which backup was to be restored is not kept. Ask for the restore of the backup.',
      );
    case 'start':
    case 'stop':
    case 'restart':
      throw new Refusal(
        'conflict',
        `Which units the ${kind} was of is not kept. Ask for a ${kind} of the service instance.`,
      );
  }
}

interface Again {
  readonly instanceId: string;
  readonly origin: Origin;
  readonly acceptsIncomplete: boolean;
}

/** By the plan as it is now, which may have been repaired since. */
async function provisionAgain(core: RequestContext, command: Again): Promise<Outcome<ServiceInstance>> {
  const found = await core.store.findInstance(command.instanceId);
  if (!found) throw gone('service instance');
  const { instance } = found;
  if (describeState(found) === 'lost')
    throw new Refusal(
      'conflict',
      'The service instance was lost with its node. Have it made anew: recreate.',
    );
  const { offeringId, planId, organizationGuid, spaceGuid, context, parent, confidential } = instance;
  const { parameters, requester } = confidential;
  const same = { offeringId, planId, organizationGuid, spaceGuid, context, parent, parameters, requester };
  return provision(core, { ...command, ...same });
}

async function updateAgain(
  core: RequestContext,
  command: Again,
  operationId: string,
): Promise<Outcome<ServiceInstance>> {
  const found = await core.store.findInstance(command.instanceId);
  if (!found) throw gone('service instance');
  const { offeringId, confidential } = found.instance;
  const { failedUpdate } = confidential;
  if (failedUpdate?.operationId !== operationId)
    throw new Refusal(
      'conflict',
      'What the update asked for is not kept, so it can only be asked for by who did.',
    );
  return update(core, { ...command, ...failedUpdate.request, offeringId });
}

async function actAgain(
  core: RequestContext,
  command: Again,
  { id, action = '' }: Operation,
): Promise<Outcome<ServiceInstance>> {
  const found = await core.store.findInstance(command.instanceId);
  if (!found) throw gone('service instance');
  const { failedAction } = found.instance.confidential;
  if (failedAction?.operationId !== id)
    throw new Refusal(
      'conflict',
      'Another action was asked for since, so its parameters are not kept. Ask for the action.',
    );
  return act(core, { ...command, action, parameters: failedAction.asked });
}

async function bindAgain(
  core: RequestContext,
  command: Again & { readonly bindingId: string },
): Promise<Outcome<ServiceBinding>> {
  const { binding } = await core.store.findBinding(command.instanceId, command.bindingId);
  if (!binding) throw gone('service binding');
  const { context, appGuid, route, predecessorId, dependent, confidential } = binding;
  const { parameters, kept } = confidential;
  const same = { context, appGuid, route, predecessorId, dependent, parameters, reader: kept?.reader };
  return bind(core, { ...command, ...same });
}

function notFailed({ state }: Operation): Refusal {
  const why = state === 'in progress' ? 'is still in progress' : 'has succeeded';
  return new Refusal('conflict', `The operation ${why}: only one that has failed can be retried.`);
}

function overtaken({ kind, state, id }: Operation): Refusal {
  return new Refusal(
    'conflict',
    `Something else has been asked for since, so it is not retried: ${kind} ${state} (${id}).`,
  );
}

function gone(what: string): Refusal {
  return new Refusal('conflict', `The ${what} is gone, so nothing is left to be retried.`);
}
