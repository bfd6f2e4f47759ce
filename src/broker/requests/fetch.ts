import type { OperationQuery } from '../store.ts';
import type { RequestContext } from './context.ts';
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import { withKnownBindParameters, withKnownParameters } from './parameters.ts';
import { type FoundInstance, type Operation, type ServiceBinding, type ServiceInstance } from '../records.ts';
import { isExpired, describeState, refuseUnready, asLost } from '../state.ts';

/** `absent`: never heard of it. `gone`: it was deleted. */
export type LastOperation = { readonly operation: Operation } | 'absent' | 'gone';

/**
 * spec.md, Fetching a Service Instance: one in the making does not exist yet. Of its parameters those are told
 * that are in force.
 */
export async function fetchInstance(core: RequestContext, instanceId: string): Promise<ServiceInstance> {
  const found = await core.store.findInstance(instanceId);
  if (!found?.instance.ready) {
    const otherwise = 'There is no service instance with this id, or it is not finished yet.';
    throw refuseUnready(stateOf(found), otherwise, 'not-found');
  }
  if (describeState(found) === 'updating') {
    throw new Refusal('busy', 'The service instance is being updated.');
  }
  return withKnownParameters(core, await core.planOf(found.instance), found.instance);
}

/** spec.md, Fetching a Service Binding: one in the making, or past its expiry, does not exist. */
export async function fetchBinding(
  core: RequestContext,
  instanceId: string,
  bindingId: string,
): Promise<ServiceBinding> {
  const { found, binding } = await core.store.findBinding(instanceId, bindingId);
  if (!found || !binding?.ready || isExpired(binding, core.now())) {
    const otherwise = 'There is no service binding with this id, or it is not finished yet.';
    throw refuseUnready(stateOf(found), otherwise, 'not-found');
  }
  return withKnownBindParameters(core, await core.planOf(found.instance), binding);
}

/** One that is being made anew is not finished yet, like any other. */
function stateOf(found: FoundInstance | undefined): Pick<ServiceInstance, 'lost'> {
  return found && describeState(found) === 'lost' ? found.instance : {};
}

/**
 * spec.md, Polling Last Operation. What failed is told for as long as it is remembered, also after the thing is gone;
 * so is a removal that succeeded, to those who name it. Everything else that was deleted since is gone. From then on
 * the failure has been told. Of what was lost nothing has succeeded.
 */
export async function fetchLastOperation(
  { store }: BrokerContext,
  query: OperationQuery,
): Promise<LastOperation> {
  const { operation, exists, lost } = await store.lastOperation(query);
  if (!operation) return 'absent';
  if (operation.state === 'failed' && operation.untold) await store.tell(operation.id);
  if (lost && exists && query.bindingId === undefined) return { operation: asLost(operation, lost) };
  if (operation.state !== 'succeeded') return { operation };
  const isRemoval = operation.kind === 'deprovision' || operation.kind === 'unbind';
  const isGone = isRemoval ? operation.id !== query.operationId : !exists;
  return isGone ? 'gone' : { operation };
}

/**
 * The operation whose failure nobody has been told yet, when the same is asked for again by somebody who can be told
 * later: it is that failure which they are to hear of. Korifi repeats its requests before each poll.
 * @param found the instance, which says whether there is anything to look for
 */
export async function findUntold(
  { store }: BrokerContext,
  kind: Operation['kind'],
  of: { readonly instanceId: string; readonly bindingId?: string },
  found: FoundInstance | undefined,
): Promise<Operation | undefined> {
  if (found?.hasUntold !== true) return undefined;
  const { instanceId, bindingId } = of;
  const { operation } = await store.lastOperation({ instanceId, bindingId });
  const isTheirs = operation?.kind === kind && operation.state === 'failed' && operation.untold === true;
  return isTheirs ? operation : undefined;
}
