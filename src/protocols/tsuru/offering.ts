import { findPlan, type ServiceOffering, type ServicePlan } from '../../broker/catalog.ts';
import { Refusal } from '../../broker/errors.ts';
import type { InstanceEntry } from '../../broker/operator-view.ts';
import type { TsuruContext } from './context.ts';

/** Refuses with not-found. */
export function requireOffering({ broker }: Pick<TsuruContext, 'broker'>, name: string): ServiceOffering {
  const offering = broker.catalog().offerings.find((one) => one.name === name);
  if (offering) return offering;
  throw new Refusal('not-found', `There is no service '${name.slice(0, 100)}'.`);
}

/** The plan with this name; when none is named, the only one or the first free one. Refuses with invalid. */
export function choosePlan({ name: service, plans }: ServiceOffering, name: string | undefined): ServicePlan {
  const chosen =
    name === undefined
      ? (plans.find(({ free }) => free || plans.length === 1) ?? undefined)
      : plans.find((plan) => plan.name === name);
  if (chosen) return chosen;
  const wrong = name === undefined ? 'Name a plan' : `There is no plan '${name.slice(0, 80)}'`;
  throw new Refusal(
    'invalid',
    `${wrong} of ${service}. There are: ${plans.map((plan) => plan.name).join(', ')}.`,
    'plan',
  );
}

/** The plan of an instance as it is sold today, else as it was when the instance was made from it. */
export async function presentPlan(
  { broker, overview }: Pick<TsuruContext, 'broker' | 'overview'>,
  instance: InstanceEntry['instance'],
): Promise<ServicePlan> {
  return findPlan(broker.catalog(), instance.offeringId, instance.planId) ?? overview.plan(instance);
}
