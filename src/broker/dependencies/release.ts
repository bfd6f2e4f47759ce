import type { ServicePlan } from '../catalog.ts';
import type { RequestContext } from '../requests/context.ts';
import { deprovision } from '../requests/deprovision.ts';
import { passing, Refusal } from '../errors.ts';
import { type Dependent, dependencyIds, isDedicated } from './ids.ts';
import type { Outcome } from '../outcome.ts';
import type { Operation, ServiceBinding, ServiceInstance } from '../records.ts';
import type { OperationQuery } from '../store.ts';
import { unbind } from '../requests/unbind.ts';

/** Milliseconds before a removal that has failed is tried again. */
const removeAgainAfter = 10_000;

/**
 * What the plan needs is let go, the last first: the binding goes, and then what is the instance's own.
 * @param kept what this plan needs too stays
 * @returns false while some of it is still being removed
 * @throws Error when a removal fails: it is to be tried again
 */
export async function releaseDependencies(
  core: RequestContext,
  asked: Dependent,
  plan: ServicePlan,
  kept?: ServicePlan,
): Promise<boolean> {
  const { instance } = asked;
  for (const [name, need] of Object.entries(plan.operating.dependencies).toReversed()) {
    const ids = dependencyIds(instance, name, need);
    const other = kept?.operating.dependencies[name];
    if (other && dependencyIds(instance, name, other).instanceId === ids.instanceId) continue;
    if (!(await isLetGo(core, asked, ids))) return false;
    if (isDedicated(need) && !(await isRemoved(core, asked, ids.instanceId))) return false;
  }
  return true;
}

async function isLetGo(
  core: RequestContext,
  asked: Dependent,
  ids: { instanceId: string; bindingId: string },
): Promise<boolean> {
  const { found, binding, operation } = await core.store.findBinding(ids.instanceId, ids.bindingId);
  if (!found || !binding) return true;
  if (!operation && (await hasFailedLately(core, ids, 'unbind'))) return false;
  return isGone(() => unbind(core, { ...removalOf(asked, found.instance), ...ids }));
}

async function isRemoved(core: RequestContext, asked: Dependent, instanceId: string): Promise<boolean> {
  const found = await core.store.findInstance(instanceId);
  if (!found) return true;
  if (!found.operation && (await hasFailedLately(core, { instanceId }, 'deprovision'))) return false;
  return isGone(() => deprovision(core, removalOf(asked, found.instance)));
}

function removalOf({ origin, within }: Dependent, { id: instanceId, offeringId, planId }: ServiceInstance) {
  return { instanceId, offeringId, planId, acceptsIncomplete: true, origin, within };
}

async function hasFailedLately(
  core: RequestContext,
  query: OperationQuery,
  kind: Operation['kind'],
): Promise<boolean> {
  const { operation: last, endedMs = Infinity } = await core.store.lastOperation(query);
  return last?.kind === kind && last.state === 'failed' && endedMs < removeAgainAfter;
}

async function isGone(ask: () => Promise<Outcome<ServiceBinding | ServiceInstance>>): Promise<boolean> {
  try {
    const outcome = await ask();
    return outcome.is === 'done' || outcome.is === 'absent';
  } catch (error) {
    if (error instanceof Refusal && passing.has(error.code)) return false;
    throw new Error(`Removing what was needed: ${String(error)}`, { cause: error });
  }
}
