import type { Update } from './commands.ts';
import { findPlan, requireCurrentMaintenance, requirePlan, type ServicePlan } from './catalog.ts';
import type { Core } from './core.ts';
import type { Deps } from './deps.ts';
import { Refusal } from './errors.ts';
import { meet } from './exclusion.ts';
import { busy, type Decision, makeSecrets, newOperation, requireAsync } from './intent.ts';
import { type Json, type JsonObject, sameJson } from './json.ts';
import type { Outcome } from './outcome.ts';
import { requireMerged, requireParameters } from './parameters.ts';
import { demandToChange } from './placement.ts';
import { watched, withDashboard } from './provision.ts';
import { requireShared } from './shared-needs.ts';
import { describeState, type FoundInstance, type ServiceInstance, type UpdateRequest } from './records.ts';

/** spec.md, Updating a Service Instance. */
export function update(core: Core, command: Update): Promise<Outcome<ServiceInstance>> {
  return core.engine.run(command, async () => {
    const found = await core.deps.store.findInstance(command.instanceId);
    const decision = decideUpdate(found, command);
    if (decision !== 'start' || !found) return decision as Decision<ServiceInstance>;
    const present = await core.planOf(found.instance);
    const plan = requireTarget(core, command, found.instance, present);
    requireChanges(core.deps, plan, command, found.instance);
    requireCurrentMaintenance(plan, command.maintenanceVersion);
    await requireShared(core, plan);
    return intend(core, command, found.instance, present, plan);
  });
}

/** The state table of lifecycle, column "PATCH". */
export function decideUpdate(
  found: FoundInstance | undefined,
  command: Update,
): 'start' | Decision<ServiceInstance> {
  const state = describeState(found);
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  if (found.instance.offeringId !== command.offeringId) {
    throw new Refusal('invalid', 'The service_id is not that of the service instance.', 'service_id');
  }
  if (state === 'failed') {
    throw new Refusal(
      'not-ready',
      'The service instance was never finished, so it cannot be updated. Delete it.',
    );
  }
  const open = found.operation;
  if (open?.kind === 'update' && sameJson({ ...open.confidential.request }, { ...requestOf(command) })) {
    return { join: open, record: open.confidential.target ?? found.instance };
  }
  return meet('update', found) === 'busy' ? busy() : 'start';
}

function requestOf({ planId, parameters, complete, maintenanceVersion }: Update): UpdateRequest {
  return {
    ...(planId === undefined ? {} : { planId }),
    parameters,
    ...(complete ? { complete } : {}),
    ...(maintenanceVersion === undefined ? {} : { maintenanceVersion }),
  };
}

/** What a complete set only repeats is not asked to be changed, so it need not be among what may be. */
function changesIn({ complete, parameters }: Update, { confidential }: ServiceInstance): JsonObject {
  if (!complete) return parameters;
  const changed = Object.entries(parameters).filter(
    ([name, value]) => !sameJson(value, ownMember(confidential.parameters, name)),
  );
  return Object.fromEntries(changed);
}

function ownMember(parameters: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
}

/** A plan that left the catalog stays good for its own instances, as it was when they were made. */
function requireTarget(
  { deps }: Core,
  command: Update,
  instance: ServiceInstance,
  present: ServicePlan,
): ServicePlan {
  const { planId = instance.planId } = command;
  if (planId === instance.planId) return findPlan(deps.catalog(), instance.offeringId, planId) ?? present;
  const plan = requirePlan(deps.catalog(), instance.offeringId, planId);
  if (!present.planUpdateable) {
    throw new Refusal(
      'unsupported',
      `The plan '${present.name}' does not allow a change of plan.`,
      'plan_id',
    );
  }
  return plan;
}

function intend(
  { deps }: Core,
  command: Update,
  instance: ServiceInstance,
  present: ServicePlan,
  plan: ServicePlan,
): Decision<ServiceInstance> {
  const { origin } = command;
  const request = requestOf(command);
  const parameters = parametersAfter(deps, plan, command, instance);
  const context = command.context ?? instance.context;
  const makesNothing = isSettled(instance, plan, parameters, command.maintenanceVersion);
  if (makesNothing && sameJson(context, instance.context)) return { is: 'unchanged', record: instance };
  if (makesNothing) {
    const operation = newOperation(deps, present, 'update', { instanceId: instance.id, origin });
    const record = { ...instance, context, updatedAt: deps.now() };
    return { start: { plan: present, operation, instance: { put: record }, recordOnly: true } };
  }
  requireAsync(plan, 'update', command.acceptsIncomplete);
  requireCapability(deps.provisioner(plan.making.provisioner).update !== undefined, plan);
  const secrets = makeSecrets(deps, plan, 'instance', instance.confidential.secrets);
  const target = newTarget(deps, { ...instance, context, updatedAt: deps.now() }, plan, parameters, secrets);
  const operation = newOperation(deps, plan, 'update', {
    instanceId: instance.id,
    origin,
    confidential: { request, target },
  });
  const demand = demandToChange(deps, plan, instance);
  return { start: { plan, operation, instance: { put: instance }, ...(demand ? { demand } : {}) } };
}

/** The request alone, by the rules that the plan has for updates. */
function requireChanges(deps: Deps, plan: ServicePlan, command: Update, instance: ServiceInstance): void {
  const changes = changesIn(command, instance);
  const onlyRemoves = command.complete === true && Object.keys(changes).length === 0;
  if (!onlyRemoves && !isRename(instance, command)) requireParameters(deps, plan, 'update', changes);
}

/** What a complete set repeats is from before, too: it may have left the schema since. */
function parametersAfter(
  deps: Deps,
  plan: ServicePlan,
  command: Update,
  instance: ServiceInstance,
): JsonObject {
  const { parameters: existing } = instance.confidential;
  if (isRename(instance, command)) return existing;
  const changes = changesIn(command, instance);
  const repeated = Object.entries(command.parameters).filter(([name]) => !Object.hasOwn(changes, name));
  const kept = command.complete ? Object.fromEntries(repeated) : existing;
  return requireMerged(deps, plan, kept, changes);
}

/** Nothing but a context: what a platform sends without asking anybody must not fail by what the plan asks of others. */
function isRename(
  { planId, maintenanceVersion: version, confidential }: ServiceInstance,
  { planId: asked = planId, parameters, complete, maintenanceVersion = version }: Update,
): boolean {
  const asksNothing = complete
    ? sameJson(parameters, confidential.parameters)
    : Object.keys(parameters).length === 0;
  return asked === planId && maintenanceVersion === version && asksNothing;
}

function isSettled(
  instance: ServiceInstance,
  plan: ServicePlan,
  parameters: ServiceInstance['confidential']['parameters'],
  maintenanceVersion: string | undefined,
): boolean {
  return (
    plan.id === instance.planId &&
    sameJson(parameters, instance.confidential.parameters) &&
    (maintenanceVersion === undefined || maintenanceVersion === instance.maintenanceVersion)
  );
}

function requireCapability(able: boolean, plan: ServicePlan): void {
  if (!able) throw new Refusal('unsupported', `Instances of the plan '${plan.name}' cannot be updated.`);
}

function newTarget(
  deps: Deps,
  instance: ServiceInstance,
  plan: ServicePlan,
  parameters: ServiceInstance['confidential']['parameters'],
  secrets: Record<string, string>,
): ServiceInstance {
  const { maintenanceVersion: _version, checkEvery: _every, place, ...rest } = instance;
  const maintenanceVersion = plan.maintenanceInfo?.version;
  const target = {
    ...rest,
    planId: plan.id,
    revision: plan.revision,
    ...(maintenanceVersion === undefined ? {} : { maintenanceVersion }),
    ...(place ? { place: { ...place, cost: plan.operating.cost } } : {}),
    ...watched(deps, plan),
    confidential: { ...instance.confidential, parameters, secrets },
  };
  return withDashboard(target, plan, deps.settings.url);
}
