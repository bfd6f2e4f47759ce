import type { ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { dependencyIds } from './ids.ts';

/** The instances that this one holds for its own use. */
export async function heldBy(core: RequestContext, instance: ServiceInstance): Promise<readonly string[]> {
  // Of a plan that cannot be read any more there is still everything else to be told.
  const plan = await core.planOf(instance).catch(() => undefined);
  const needs = Object.entries(plan?.operating.dependencies ?? {});
  const held = needs.map(async ([name, need]) => {
    const { instanceId, bindingId } = dependencyIds(instance, name, need);
    return (await core.store.findBinding(instanceId, bindingId)).binding ? [instanceId] : [];
  });
  return (await Promise.all(held)).flat();
}
