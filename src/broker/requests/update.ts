import type { Update } from '../commands.ts';
import { requireCurrentMaintenance, type ServicePlan } from '../catalog.ts';
import type { RequestContext } from './context.ts';
import { decideParameters } from './decide-parameters.ts';
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import { meet } from '../exclusion.ts';
import { busyWith, type Decision, makeSecrets, newOperation, requireAsync } from '../operations/intent.ts';
import { type Json, type JsonObject, sameJson } from '../json.ts';
import { findWithBindings, type FoundWithBindings, openOn } from './open-on-bindings.ts';
import type { Outcome } from '../outcome.ts';
import { requireMerged, requireParameters } from './parameters.ts';
import { demandToChange } from '../operations/placement.ts';
import { watched, withDashboard } from './provision.ts';
import { withMetadata } from '../operations/settlement.ts';
import { requireSharedDependencies } from './shared-dependencies.ts';
import { isCurrent, requireTarget, type Target, withHelp } from './update-target.ts';
import type { ServiceInstance, UpdateRequest } from '../records.ts';
import { describeState, refuseUnready } from '../state.ts';

/** spec.md, Updating a Service Instance. */
export function update(core: RequestContext, command: Update): Promise<Outcome<ServiceInstance>> {
  return core.engine.run(command, async () => {
    const found = await findWithBindings(core.store, command.instanceId);
    const decision = decideUpdate(found, command);
    if (decision !== 'start' || !found) return decision as Decision<ServiceInstance>;
    const present = await core.planOf(found.instance);
    const target = requireTarget(core, command, found.instance, present);
    requireCurrentMaintenance(target.current, command.maintenanceVersion);
    const judged = { ...found.instance.confidential.parameters, ...command.parameters };
    const parameters = await decideParameters(judged, () =>
      withHelp(target, changesIn(command, found.instance), () => {
        requireChanges(core, target, command, found.instance);
        return parametersAfter(core, target, command, found.instance);
      }),
    );
    await requireSharedDependencies(core, target.plan);
    return intend(core, command, found.instance, present, { ...target, parameters });
  });
}

/** docs/lifecycle.md, What each request comes to: the columns "PATCH". */
export function decideUpdate(
  found: FoundWithBindings | undefined,
  command: Update,
): 'start' | Decision<ServiceInstance> {
  const state = describeState(found);
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  if (found.instance.offeringId !== command.offeringId) {
    throw new Refusal('invalid', 'The service_id is not that of the service instance.', 'service_id');
  }
  if (state === 'failed' || state === 'lost') {
    throw refuseUnready(
      found.instance,
      'The service instance was never finished, so it cannot be updated. Delete it.',
    );
  }
  const open = found.operation;
  if (open?.kind === 'update' && sameJson({ ...open.confidential.request }, { ...requestOf(command) })) {
    return { join: open, record: open.confidential.target ?? found.instance };
  }
  return meet('update', found) === 'busy' ? busyWith(command, openOn(found)) : 'start';
}

function requestOf({ planId, parameters, complete, maintenanceVersion, upgrade }: Update): UpdateRequest {
  return {
    planId,
    parameters,
    complete: complete || undefined,
    maintenanceVersion,
    upgrade: upgrade || undefined,
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

function intend(
  core: RequestContext,
  command: Update,
  instance: ServiceInstance,
  present: ServicePlan,
  asked: Target & { readonly parameters: JsonObject },
): Decision<ServiceInstance> {
  const { origin } = command;
  const { plan, parameters } = asked;
  const context = command.context ?? instance.context;
  const makesNothing = isSettled(instance, asked, parameters);
  if (makesNothing && sameJson(context, instance.context)) return { is: 'unchanged', record: instance };
  if (makesNothing) {
    const operation = newOperation(core, present, 'update', { instanceId: instance.id, origin });
    const record = retold(core, { ...instance, context, updatedAt: core.now() }, present);
    return { start: { plan: present, operation, instance: { put: record }, recordOnly: true } };
  }
  requireAsync(plan, 'update', command.acceptsIncomplete);
  requireCapability(core.provisioner(plan.making.provisioner).update !== undefined, plan);
  const secrets = makeSecrets(core, plan, 'instance', instance.confidential.secrets);
  const before = { ...instance, context, updatedAt: core.now() };
  const operation = newOperation(core, plan, 'update', {
    instanceId: instance.id,
    origin,
    confidential: {
      request: requestOf(command),
      target: newTarget(core, before, asked, { ...instance.confidential, parameters, secrets }),
    },
  });
  const demand = demandToChange(core, plan, instance);
  // From here on the platform may take it for either plan, however this ends.
  const put = withFormer(instance, plan.id, instance);
  return { start: { plan, operation, instance: { put }, demand } };
}

/** As platforms see it, with what they have named it now; nothing is made for that. */
function retold(core: BrokerContext, instance: ServiceInstance, plan: ServicePlan): ServiceInstance {
  return withMetadata(core, withDashboard(instance, plan, core.settings.url), plan);
}

/**
 * The request alone, by the rules that the plan has for updates. They are not for what gives no parameters and keeps the
 * plan: a rename, an upgrade, or a complete set that only removes.
 */
function requireChanges(
  core: BrokerContext,
  target: Target,
  command: Update,
  instance: ServiceInstance,
): void {
  const changes = changesIn(command, instance);
  const isSilent = Object.keys(changes).length === 0;
  if (isSilent && (command.complete || target.plan.id === instance.planId)) return;
  requireParameters(core, target.plan, 'update', changes);
}

/** What a complete set repeats is from before, too: it may have left the schema since. */
function parametersAfter(
  core: BrokerContext,
  target: Target,
  command: Update,
  instance: ServiceInstance,
): JsonObject {
  const { parameters: existing } = instance.confidential;
  if (isRename(instance, command, target)) return existing;
  const changes = changesIn(command, instance);
  const repeated = Object.entries(command.parameters).filter(([name]) => !Object.hasOwn(changes, name));
  const kept = command.complete ? Object.fromEntries(repeated) : existing;
  return requireMerged(core, target.plan, kept, changes);
}

/** Nothing but a context: what a platform sends without asking anybody must not fail by what the plan asks of others. */
function isRename(
  instance: ServiceInstance,
  { parameters, complete }: Update,
  { plan, moves }: Target,
): boolean {
  const asksNothing = complete
    ? sameJson(parameters, instance.confidential.parameters)
    : Object.keys(parameters).length === 0;
  return asksNothing && (!moves || isCurrent(instance, plan));
}

function isSettled(
  instance: ServiceInstance,
  { plan, moves }: Target,
  parameters: ServiceInstance['confidential']['parameters'],
): boolean {
  return (!moves || isCurrent(instance, plan)) && sameJson(parameters, instance.confidential.parameters);
}

/** The instance with the plans that it may be taken for beside its own. */
function withFormer(instance: ServiceInstance, planId: string, before: ServiceInstance): ServiceInstance {
  const known = new Set([...(before.formerPlans ?? []), before.planId, planId]);
  known.delete(instance.planId);
  return known.size > 0 ? { ...instance, formerPlans: [...known] } : instance;
}

function requireCapability(able: boolean, plan: ServicePlan): void {
  if (!able) throw new Refusal('unsupported', `Instances of the plan '${plan.name}' cannot be updated.`);
}

function newTarget(
  core: BrokerContext,
  instance: ServiceInstance,
  { plan, moves }: Target,
  confidential: ServiceInstance['confidential'],
): ServiceInstance {
  const { maintenanceVersion: before, checkEvery: _every, place, ...rest } = instance;
  const maintenanceVersion = moves ? plan.maintenanceInfo?.version : before;
  const target = {
    ...rest,
    planId: plan.id,
    revision: plan.revision,
    maintenanceVersion,
    place: place && { ...place, cost: plan.operating.cost },
    ...watched(core, plan),
    confidential,
  };
  return withDashboard(withFormer(target, plan.id, instance), plan, core.settings.url);
}
