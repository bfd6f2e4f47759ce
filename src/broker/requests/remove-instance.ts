import type { RemoveInstance } from '../commands.ts';
import type { RequestContext } from './context.ts';
import { deprovision } from './deprovision.ts';
import { Refusal } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import type { ServiceInstance } from '../records.ts';

/**
 * Deletes one instance, whatever its platform knows of it: for operators, when the platform has forgotten it. It is a
 * deprovision like any other, only that the plan need not be named; the platform's own finds it gone afterwards.
 */
export async function removeInstance(
  core: RequestContext,
  command: RemoveInstance,
): Promise<Outcome<ServiceInstance>> {
  const found = await core.store.findInstance(command.instanceId);
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  const { offeringId, planId } = found.instance;
  return deprovision(core, { ...command, offeringId, planId });
}
