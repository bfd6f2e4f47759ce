import { dependencyIds } from '../dependencies/ids.ts';
import { instanceKey } from '../key.ts';
import { findLeft } from '../operations/left-behind.ts';
import type { ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';

/** What is there of an instance that is to be forgotten, in words: as far as this broker can see. */
export async function leftOfInstance(
  core: RequestContext,
  instance: ServiceInstance,
): Promise<readonly string[]> {
  const { place } = instance;
  const plan = await core.planOf(instance).catch(() => undefined);
  if (!plan) return [`what was made under the key ${instanceKey(instance)}`];
  const isElsewhere = place && place.node !== core.settings.node;
  const own = isElsewhere
    ? [`what is on the node '${place.node}' under the key ${instanceKey(instance)}`]
    : await findLeft(core, plan, instance);
  const needs = Object.entries(plan.operating.dependencies);
  const held = needs.map(async ([name, need]) => {
    const { instanceId } = dependencyIds(instance, name, need);
    const there = await core.store.list({ instanceId, limit: 1 });
    return there.length > 0 ? [`what it has of the instance '${instanceId}'`] : [];
  });
  return [...own, ...(await Promise.all(held)).flat()];
}
