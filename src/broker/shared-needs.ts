import type { ServicePlan } from './catalog.ts';
import type { Core } from './core.ts';
import { Refusal } from './errors.ts';
import { declaredOfferings } from './offered.ts';

/** Refuses, before anything is written, what needs a shared instance that is not there. */
export async function requireShared({ deps }: Core, plan: ServicePlan): Promise<void> {
  for (const { instance: instanceId, offering } of Object.values(plan.operating.requires)) {
    if (instanceId === undefined) continue;
    const found = await deps.store.findInstance(instanceId);
    const offeringId = declaredOfferings(deps).find(({ name }) => name === offering)?.id;
    if (found?.instance.ready && found.instance.offeringId === offeringId) continue;
    throw new Refusal(
      'invalid',
      `The plan '${plan.name}' needs the instance '${instanceId}' of ${offering}, and there is none.`,
    );
  }
}
