import { findPlan, type ServicePlan } from './catalog.ts';
import type { Deps } from './deps.ts';
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
