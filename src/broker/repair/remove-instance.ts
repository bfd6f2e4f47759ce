import type { RemoveInstance } from '../commands.ts';
import type { RequestContext } from '../requests/context.ts';
import { deprovision } from '../requests/deprovision.ts';
import { Refusal } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import type { ServiceInstance } from '../records.ts';

/**
 * Deletes one instance, whatever its platform knows of it: for operators, when the platform has forgotten it. It is a
 * deprovision like any other, only that the plan need not be named; the platform's own finds it gone afterwards. One that
 * was deleted and is kept is removed for good.
 */
export async function removeInstance(
  core: RequestContext,
  command: RemoveInstance,
): Promise<Outcome<ServiceInstance>> {
  const found = await core.books.findInstance(command.instanceId);
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  const { offeringId, planId, keptUntil, version } = found.instance;
  // Who brings it back at this moment is not to lose it.
  const forGood = keptUntil ? { forGood: true, version } : {};
  return deprovision(core, { ...command, offeringId, planId, ...forGood });
}

/** Removes for good what was deleted and is still kept: nothing is done with what was brought back meanwhile. */
export async function removeKept(core: RequestContext, instanceId: string): Promise<void> {
  const found = await core.books.findInstance(instanceId);
  if (!found?.instance.keptUntil) return;
  const { offeringId, planId, version } = found.instance;
  const command = { instanceId, offeringId, planId, version, origin: { protocol: 'broker' } };
  await deprovision(core, { ...command, forGood: true, acceptsIncomplete: true });
}
