import { didYouMean } from '../../catalog/form/did-you-mean.ts';
import type { OsbClient } from '../../protocols/osb/client.ts';
import { operatorOfHere } from '../operator/asking/operator-of-here.ts';

/** A plan by which something can be asked for, as the catalog of the broker has it. */
export interface SoldPlan {
  readonly service_id: string;
  readonly plan_id: string;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

interface SoldOffering extends Named {
  readonly plans: readonly Named[];
}

/**
 * Names of people as ids.
 * @throws Error that names what there is
 */
export async function findSoldPlan(client: OsbClient, offering: string, plan: string): Promise<SoldPlan> {
  const found = requireNamed(await offerings(client), offering, 'service offering');
  return {
    service_id: found.id,
    plan_id: requireNamed(found.plans, plan, `plan of ${found.name}`).id,
  };
}

/** Another plan of the same offering. @throws Error that names what there is */
export async function findSiblingPlan(
  client: OsbClient,
  service_id: string,
  plan: string,
): Promise<SoldPlan> {
  const found = (await offerings(client)).find(({ id }) => id === service_id);
  if (!found) throw new Error('The offering of this instance has left the catalog: it keeps its plan.');
  return { service_id, plan_id: requireNamed(found.plans, plan, `plan of ${found.name}`).id };
}

/** The ids of the plans of an offering that can be had now: fewer than its file has, where a plan is hidden. */
export async function plansOnSale(client: OsbClient, service_id: string): Promise<ReadonlySet<string>> {
  const found = (await offerings(client)).find(({ id }) => id === service_id);
  return new Set(found?.plans.map(({ id }) => id));
}

/** By which plan an instance was made. @throws Error when there is no such instance */
export async function planOfInstance(client: OsbClient, instance: string): Promise<SoldPlan> {
  const { service_id, plan_id } = (await client.read(servicePath(instance))).body;
  if (typeof service_id === 'string' && typeof plan_id === 'string') return { service_id, plan_id };
  throw new Error(`The broker does not say of which plan '${instance}' is.`);
}

/** The same of one that was never finished too: platforms see none of those, and operators do. */
export async function planOfAny(client: OsbClient, instance: string): Promise<SoldPlan> {
  return planOfInstance(client, instance).catch(async (error: unknown) => {
    const found = await (await operatorOfHere()).instance(instance).catch(() => {
      throw error;
    });
    return { service_id: found.offering_id, plan_id: found.plan_id };
  });
}

export function servicePath(instance: string, binding?: string): string {
  const path = `/v2/service_instances/${encodeURIComponent(instance)}`;
  return binding === undefined ? path : `${path}/service_bindings/${encodeURIComponent(binding)}`;
}

async function offerings(client: OsbClient): Promise<readonly SoldOffering[]> {
  const { body } = await client.read('/v2/catalog');
  return (body['services'] ?? []) as unknown as readonly SoldOffering[];
}

/** The one of this name or id. @throws Error that names what there is */
export function requireNamed<One extends Named>(all: readonly One[], wanted: string, what: string): One {
  const found = all.find(({ name, id }) => name === wanted || id === wanted);
  if (found) return found;
  const names = all.map(({ name }) => name);
  const hint = didYouMean(wanted, names);
  throw new Error(`There is no ${what} '${wanted}'.${hint} There is: ${names.join(', ') || 'none'}.`);
}
