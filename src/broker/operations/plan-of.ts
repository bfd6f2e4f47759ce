import { type Catalog, findPlan, type ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import { declaredOfferings } from '../on-sale.ts';
import { Refusal } from '../errors.ts';
import type { ServiceInstance } from '../records.ts';

/** What says which plan it was, and how that was. */
export type MadeFrom = Pick<ServiceInstance, 'offeringId' | 'planId' | 'revision'>;

/** Has the instance had this plan before, or was it to get it? */
export function isFormer({ planId, formerPlans = [] }: ServiceInstance, asked: string): boolean {
  return asked !== planId && formerPlans.includes(asked);
}

/**
 * What a removal names must be right where it is required: a mix-up must not delete somebody else's data. But platforms
 * that have lost the answer to a change of plan name the plan from before for ever, so each that it has had is right.
 */
export function requireOwn(
  instance: ServiceInstance,
  { offeringId, planId }: { readonly offeringId: string; readonly planId: string },
): void {
  if (instance.offeringId !== offeringId) {
    throw new Refusal('invalid', 'The service_id is not that of the service instance.', 'service_id');
  }
  if (instance.planId !== planId && !isFormer(instance, planId)) {
    throw new Refusal('invalid', 'The plan_id is not that of the service instance.', 'plan_id');
  }
}

/** As `requireOwn`, for what depends on the plan: who takes it for one from before is told what helps. */
export function requirePresentPlan(
  catalog: Catalog,
  instance: ServiceInstance,
  asked: { readonly offeringId: string; readonly planId: string },
): void {
  requireOwn(instance, asked);
  if (instance.planId === asked.planId) return;
  const has = nameOf(catalog, instance.offeringId, instance.planId);
  throw new Refusal(
    'invalid',
    `The plan_id is out of date: the service instance has the plan ${has} and not the plan ${nameOf(catalog, instance.offeringId, asked.planId)} ` +
      `any more, though the answer to that change may have been lost. Update it to the plan ${has} once more, then ` +
      `this can be done.`,
    'plan_id',
  );
}

function nameOf(catalog: Catalog, offeringId: string, planId: string): string {
  return `'${findPlan(catalog, offeringId, planId)?.name ?? planId}'`;
}

/**
 * Finds the plan that an instance was made from: from the catalog while it is unchanged there, else from the
 * stored revision, so that a plan which left the catalog still serves its instances.
 */
export function createPlanOf({
  catalog,
  store,
  revive,
}: BrokerContext): (instance: MadeFrom) => Promise<ServicePlan> {
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
export function planToRemove(
  deps: Pick<BrokerContext, 'catalog' | 'hidden'>,
  plan: ServicePlan,
): ServicePlan {
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
