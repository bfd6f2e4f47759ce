// Instances of some plans need room on a node, or may only be so many: what is asked of the store, and how people are
// told that it cannot be had.
import type { ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import type { Demand, Room, Shortage } from '../nodes.ts';
import { quotaClaims, quotaSentence, quotasOf } from './quota.ts';
import type { ServiceInstance } from '../records.ts';

/**
 * What it takes to make an instance of this plan; undefined: any broker can make any number.
 * @param instance as it shall be
 * @param failed the one that is made again: what may be left of it is on its node, and only that one can look after it
 */
export function demandToMake(
  core: BrokerContext,
  plan: ServicePlan,
  instance: ServiceInstance,
  failed?: Pick<ServiceInstance, 'place'>,
): Demand | undefined {
  const { cost, maxInstances } = plan.operating;
  const local = isLocal(core, plan);
  const quotas = quotaClaims(plan, limitsOf(core, plan), instance);
  if (!local && maxInstances === undefined && quotas.length === 0) return undefined;
  return {
    maxInstances,
    quotas,
    room: local ? { cost, ...demandsOn(core, plan), on: failed?.place?.node } : undefined,
    here: core.settings.node,
  };
}

/** What it takes to change an instance to this plan; undefined: no more and no less than it has. */
export function demandToChange(
  core: BrokerContext,
  plan: ServicePlan,
  instance: ServiceInstance,
): Demand | undefined {
  const { cost } = plan.operating;
  const { place } = instance;
  const quotas = quotaClaims(plan, limitsOf(core, plan), instance, instance);
  const moves = place && place.cost !== cost;
  if (!moves && quotas.length === 0) return undefined;
  return {
    quotas,
    room: moves ? { cost, ...demandsOn(core, plan), on: place.node } : undefined,
    here: core.settings.node,
  };
}

/** Nothing of it was ever made or all of it was undone: then it is of no node. */
export function isNowhere(
  core: BrokerContext,
  plan: ServicePlan,
  { ready, place }: ServiceInstance,
): boolean {
  return !ready && !place && isLocal(core, plan);
}

/** Only a 400: after a 5xx, platforms would go on to remove what was never made. */
export function refuseShort(plan: ServicePlan, demand: Demand, shortage: Shortage): never {
  throw new Refusal('invalid', sentenceOf(plan, demand, shortage));
}

/** Only what is made on nodes costs something. */
function limitsOf(core: BrokerContext, plan: ServicePlan) {
  return { quotas: quotasOf(core, plan), cost: isLocal(core, plan) ? plan.operating.cost : 0 };
}

function isLocal(core: BrokerContext, plan: ServicePlan): boolean {
  return core.provisioner(plan.making.provisioner).traits.local === true;
}

/** What a node must have for instances of this plan. */
function demandsOn(core: BrokerContext, plan: ServicePlan): Pick<Room, 'executables' | 'runsPrograms'> {
  const { needs = [] } = core.provisioner(plan.making.provisioner).traits;
  return {
    executables: [...plan.operating.executables, ...needs],
    runsPrograms: runsPrograms(core, plan),
  };
}

/** Do instances of this plan run programs on a node? */
export function runsPrograms(core: BrokerContext, plan: ServicePlan): boolean {
  return core.provisioner(plan.making.provisioner).traits.runsPrograms === true;
}

function sentenceOf(plan: ServicePlan, { room }: Demand, shortage: Shortage): string {
  const { offeringName } = plan;
  switch (shortage.of) {
    case 'quota':
      return quotaSentence(plan, shortage);
    case 'instances':
      return shortage.limit === 1
        ? `There is an instance of '${offeringName}' already, the only one that is allowed.`
        : `There are ${shortage.limit} instances of '${offeringName}' already, the most that are allowed.`;
    case 'nodes':
      return 'No node that is running can take new instances.';
    case 'executables':
      return `No node that can take new instances has all that this needs: ${shortage.needs.join(', ')}.`;
    case 'isolation':
      return 'No node that can take new instances keeps their programs apart from others.';
    case 'capacity':
      return room?.on === undefined
        ? `No node has room for this: it takes ${shortage.cost} of a node's capacity, and none has that much left.`
        : `The node has no room for this: it takes ${shortage.cost} of the node's capacity, and not that much is left.`;
  }
}
