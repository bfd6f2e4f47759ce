import type { ServicePlan } from '../catalog.ts';
import type { RequestContext } from './context.ts';
import { Refusal } from '../errors.ts';
import { declaredOfferings } from '../on-sale.ts';

/** Refuses, before anything is written, what needs a shared instance that is not there. */
export async function requireSharedDependencies(core: RequestContext, plan: ServicePlan): Promise<void> {
  for (const { instance: instanceId, offering } of Object.values(plan.operating.dependencies)) {
    if (instanceId === undefined) continue;
    const found = await core.store.findInstance(instanceId);
    const offeringId = declaredOfferings(core).find(({ name }) => name === offering)?.id;
    if (found?.instance.ready && found.instance.offeringId === offeringId) continue;
    throw new Refusal(
      'invalid',
      `The plan '${plan.name}' needs the instance '${instanceId}' of ${offering}, and there is none.`,
    );
  }
}
