import type { RemoveInstance } from '../commands.ts';
import { Refusal } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import type { ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { deprovision } from '../requests/deprovision.ts';
import { requireUnprotected } from '../state.ts';
import { findListed, type Purged, purgeBinding, purgeInstance } from './purge.ts';

export type ForceDeleted = Outcome<ServiceInstance> | (Purged & { readonly is: 'forgotten' });

/**
 * Deletes an instance as far as that can be done, and forgets it with whatever could not be removed. What cannot even be
 * tried, since nothing can be read of it or its node is down, is forgotten at once.
 * @throws Refusal 'not-found', 'invalid' as long as others need it or it is protected, and 'busy' while something else is open on it
 */
export async function forceDelete(core: RequestContext, command: RemoveInstance): Promise<ForceDeleted> {
  const { instance } = await findListed(core, command.instanceId);
  requireUnprotected(instance, core.now());
  await forgetUnreadableBindings(core, command);
  const unreachable = await whyUnreachable(core, instance);
  if (unreachable !== undefined)
    return { is: 'forgotten', ...(await purgeInstance(core, command, unreachable)) };
  const { offeringId, planId } = instance;
  const outcome = await deprovision(core, { ...command, offeringId, planId, force: true, forGood: true });
  if (outcome.is !== 'done') return outcome;
  const { operation } = await core.store.lastOperation({ instanceId: instance.id });
  return operation?.trouble === undefined ? outcome : { is: 'forgotten', left: [operation.trouble] };
}

/** A bind or unbind that nobody can read would be in the way for ever. */
async function forgetUnreadableBindings(core: RequestContext, command: RemoveInstance): Promise<void> {
  const { instanceId } = command;
  for (const { binding, operation } of await core.store.bindings(instanceId)) {
    const bindingId = binding.id;
    if (operation && (await isUnreadable(() => core.store.findBinding(instanceId, bindingId))))
      await purgeBinding(core, { ...command, bindingId });
  }
}

/** As a sentence; undefined: it can be tried. */
async function whyUnreachable(core: RequestContext, instance: ServiceInstance): Promise<string | undefined> {
  if (await isUnreadable(() => core.store.findInstance(instance.id)))
    return 'everything: what is stored of it cannot be read';
  try {
    core.provisioner((await core.planOf(instance)).making.provisioner);
  } catch {
    return 'everything: its plan cannot be read any more';
  }
  const { place } = instance;
  if (!place) return undefined;
  const node = (await core.nodes.states()).find(({ name }) => name === place.node);
  return node && !node.stale ? undefined : `everything: the node '${place.node}' is down`;
}

async function isUnreadable(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return false;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'unreadable') return true;
    throw error;
  }
}
