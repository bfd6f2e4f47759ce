import { findPlan } from '../catalog.ts';
import type { Upgrade } from '../commands.ts';
import type { RequestContext } from './context.ts';
import { Refusal } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import type { ServiceInstance } from '../records.ts';
import { update } from './update.ts';

/**
 * Brings an instance to what its plan is now, as an update does that asks for nothing else: for operators, and above all
 * for plans without `maintenance_info`, of which platforms do not learn that they have changed. It is `unchanged` when
 * the instance is that already.
 */
export async function upgrade(core: RequestContext, command: Upgrade): Promise<Outcome<ServiceInstance>> {
  const found = await core.store.findInstance(command.instanceId);
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  const { offeringId, planId } = found.instance;
  if (!findPlan(core.catalog(), offeringId, planId)) {
    throw new Refusal(
      'conflict',
      'The plan of the service instance is not in the catalog now, so there is nothing to upgrade it to.',
    );
  }
  return update(core, { ...command, offeringId, parameters: {}, upgrade: true });
}
