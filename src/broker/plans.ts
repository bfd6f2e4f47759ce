import { findPlan, type ServicePlan } from './catalog.ts';
import type { Deps } from './deps.ts';
import { declaredOfferings } from './offered.ts';
import type { ServiceInstance } from './records.ts';

/** What says which plan it was, and how that was. */
export type MadeFrom = Pick<ServiceInstance, 'offeringId' | 'planId' | 'revision'>;

/**
 * Finds the plan that an instance was made from: from the catalog while it is unchanged there, else from the
 * stored revision, so that a plan which left the catalog still serves its instances.
 */
export function createPlans({ catalog, store, revive }: Deps): (instance: MadeFrom) => Promise<ServicePlan> {
  const revived = new Map<string, ServicePlan>();

  return async function planOf({ offeringId, planId, revision }) {
    const current = findPlan(catalog(), offeringId, planId);
    if (current?.revision === revision) return current;
    const known = revived.get(revision);
    if (known) return known;
    const definition = await store.findRevision(revision);
    if (!definition) throw new Error(`Plan revision ${revision} is not stored`);
    const plan = revive(definition);
    revived.set(revision, plan);
    return plan;
  };
}

/**
 * The plan as what was made by it is taken away: with the hooks of today, so that a broken one can be repaired for
 * those who have it. What only they use of the plan is found, too.
 */
export function planToRemove(deps: Pick<Deps, 'catalog' | 'hidden'>, plan: ServicePlan): ServicePlan {
  const current = declaredOfferings(deps)
    .find(({ id }) => id === plan.offeringId)
    ?.plans.find(({ id }) => id === plan.id);
  if (!current || current.revision === plan.revision) return plan;
  if (current.making.provisioner !== plan.making.provisioner) return plan;
  const { making, operating } = plan;
  return {
    ...plan,
    making: {
      ...making,
      settings: { ...current.making.settings, ...making.settings },
      defaults: { ...current.making.defaults, ...making.defaults },
    },
    operating: { ...operating, hooks: current.operating.hooks },
  };
}
