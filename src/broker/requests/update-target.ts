import { findPlan, requirePlan, type ServicePlan } from '../catalog.ts';
import type { Update } from '../commands.ts';
import type { RequestContext } from './context.ts';
import { Refusal } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { isFormer } from '../operations/plan-of.ts';
import type { ServiceInstance } from '../records.ts';

/** What the instance is to be made of from now on. */
export interface Target {
  readonly plan: ServicePlan;
  /** It becomes what the plan is now; else it stays what it was made from, however the plan has changed since. */
  readonly moves: boolean;
  /** The plan as it is on sale now, or as it was when it left the catalog. */
  readonly current: ServicePlan;
}

/**
 * Only a change of plan, the version by which a platform asks for it, or a request for nothing else, moves an instance
 * to what its plan is now: a parameter, or a new name, must not bring about what nobody has asked for (decision 35).
 */
export function requireTarget(
  core: RequestContext,
  command: Update,
  instance: ServiceInstance,
  present: ServicePlan,
): Target {
  const planId = askedPlan(command, instance);
  if (planId === instance.planId) {
    const current = findPlan(core.catalog(), instance.offeringId, planId) ?? present;
    const moves = command.maintenanceVersion !== undefined || asksForUpgrade(command, instance);
    return { plan: moves ? current : present, moves, current };
  }
  const plan = requirePlan(core.catalog(), instance.offeringId, planId);
  if (!present.planUpdateable) {
    throw new Refusal(
      'unsupported',
      `The plan '${present.name}' does not allow a change of plan.`,
      'plan_id',
    );
  }
  return { plan, moves: true, current: plan };
}

/**
 * A platform that has lost the answer to a change of plan goes on naming the plan from before, and says itself that it
 * is no change.
 */
function askedPlan({ planId, previousPlanId }: Update, instance: ServiceInstance): string {
  const isStale = planId === previousPlanId && planId !== undefined && isFormer(instance, planId);
  return planId === undefined || isStale ? instance.planId : planId;
}

/** Who names a plan from before, and says that it is no change, does not mean the present one. */
function asksForUpgrade({ upgrade = false, planId }: Update, instance: ServiceInstance): boolean {
  return upgrade && (planId === undefined || planId === instance.planId);
}

/** What only the plan as it is now would take, is to be had by an upgrade. */
export function withHelp<Value>({ plan, current }: Target, changes: JsonObject, fit: () => Value): Value {
  try {
    return fit();
  } catch (error) {
    const isNew = current.revision !== plan.revision && current.check.update(changes) === undefined;
    if (!(error instanceof Refusal) || !isNew) throw error;
    const help = 'The plan has changed since this service instance was made; upgrade it first.';
    throw new Refusal(error.code, `${error.message} ${help}`, error.field);
  }
}

/** Is it made from just this plan, as it is here? */
export function isCurrent(instance: ServiceInstance, plan: ServicePlan): boolean {
  return (
    plan.id === instance.planId &&
    plan.revision === instance.revision &&
    plan.maintenanceInfo?.version === instance.maintenanceVersion
  );
}
