import type { Provision } from '../commands.ts';
import { requireCurrentMaintenance, requirePlan, type ServicePlan } from '../catalog.ts';
import type { RequestContext } from './context.ts';
import { addressUntilMade } from './dashboard.ts';
import { decideParameters } from './decide-parameters.ts';
import { requireNotKept } from './kept.ts';
import type { BrokerContext } from '../context.ts';
import { deprovision } from './deprovision.ts';
import { Refusal } from '../errors.ts';
import { meet } from '../exclusion.ts';
import {
  busy,
  busyWith,
  type Decision,
  type Intent,
  makeSecrets,
  newOperation,
  requireAsync,
} from '../operations/intent.ts';
import { type Json, sameJson } from '../json.ts';
import { keyOf } from '../key.ts';
import type { Outcome } from '../outcome.ts';
import { demandToMake } from '../operations/placement.ts';
import { requireParameters } from './parameters.ts';
import { findUntold } from './fetch.ts';
import type { Operation, FoundInstance, ServiceInstance } from '../records.ts';
import { describeState, isLostWithAll } from '../state.ts';
import { requireSharedDependencies } from './shared-dependencies.ts';
import { render } from '../template.ts';
import { needsFacts, templateValues } from '../template-values.ts';

/** spec.md, Provisioning. */
export function provision(core: RequestContext, command: Provision): Promise<Outcome<ServiceInstance>> {
  let hasTried = false;
  return core.engine.run(
    command,
    async () => {
      const unseen = hasTried ? undefined : await decideUnseen(core, command);
      hasTried = true;
      return unseen ?? decide(core, command);
    },
    (operation) => undo(core, operation),
  );
}

/**
 * Most of what is asked for is new. Where one write makes all of it, that finds out whether it is: so nobody looks
 * before. Undefined: what there is may have to be told otherwise, so it is looked at.
 */
async function decideUnseen(
  core: RequestContext,
  command: Provision,
): Promise<Decision<ServiceInstance> | undefined> {
  try {
    const plan = requirePlan(core.catalog(), command.offeringId, command.planId);
    if (!core.provisioner(plan.making.provisioner).traits.selfContained) return undefined;
    const intent = await intend(core, command, plan, undefined);
    // What is counted or placed takes more than one write.
    return intent.demand ? undefined : { start: { ...intent, unseen: true } };
  } catch {
    return undefined;
  }
}

async function decide(core: RequestContext, command: Provision): Promise<Decision<ServiceInstance>> {
  const found = await core.books.findInstance(command.instanceId);
  requireNotKept(found);
  const decision = decideProvision(found, command);
  if (decision !== 'start') return decision;
  const untold = command.failsLater && (await findUntold(core, 'provision', command, found));
  if (found && untold) return { is: 'accepted', operation: untold, record: found.instance };
  const plan = requirePlan(core.catalog(), command.offeringId, command.planId);
  return { start: await intend(core, command, plan, found?.instance) };
}

/** Nobody waits for it any longer: the platform has given up, and cleans up as well. */
function undo(core: RequestContext, operation: Operation): Promise<Outcome<unknown>> {
  const { id: giveUp, instanceId, offeringId, planId, origin } = operation;
  return deprovision(core, { instanceId, offeringId, planId, origin, acceptsIncomplete: true, giveUp });
}

/** docs/lifecycle.md, What each request comes to: the columns "PUT". */
export function decideProvision(
  found: FoundInstance | undefined,
  command: Provision,
): 'start' | Decision<ServiceInstance> {
  if (!found) return 'start';
  if (!isSame(found.instance, command)) {
    throw new Refusal(
      'conflict',
      'A service instance with this id exists already, with different attributes.',
    );
  }
  switch (describeState(found)) {
    case 'ready':
    case 'starting':
    case 'stopping':
    case 'restarting':
    case 'backing-up':
    case 'restoring':
    case 'acting':
      return { is: 'unchanged', record: found.instance };
    case 'failed':
    case 'lost':
      return meet('provision', found) === 'busy' ? busy() : 'start';
    case 'provisioning':
      return found.operation ? { join: found.operation, record: found.instance } : busy();
    case 'absent':
    case 'deleted':
    case 'updating':
    case 'deprovisioning':
    case 'adopting':
      return busyWith(command, found.operation);
  }
}

/** Context and originating identity are no attributes: platforms change them (docs/lifecycle.md). */
function isSame(instance: ServiceInstance, command: Provision): boolean {
  return (
    instance.offeringId === command.offeringId &&
    instance.planId === command.planId &&
    instance.organizationGuid === command.organizationGuid &&
    instance.spaceGuid === command.spaceGuid &&
    sameJson(instance.confidential.parameters, command.parameters)
  );
}

async function intend(
  core: RequestContext,
  command: Provision,
  plan: ServicePlan,
  failed: ServiceInstance | undefined,
): Promise<Intent> {
  await decideParameters(command.parameters, () =>
    requireParameters(core, plan, 'provision', command.parameters),
  );
  requireCurrentMaintenance(plan, command.maintenanceVersion);
  requireAsync(plan, 'provision', command.acceptsIncomplete);
  await requireSharedDependencies(core, plan);
  const { instanceId, origin } = command;
  const made = newInstance(
    core,
    { ...command, requester: command.requester ?? origin.identity },
    plan,
    failed,
  );
  const record = withDashboard(made, plan, core.settings.url);
  const demand = demandToMake(core, plan, record, failed);
  const operation = newOperation(core, plan, 'provision', { instanceId, origin });
  return { plan, operation, instance: { put: record }, demand };
}

/**
 * Milliseconds in which platforms may remove what they believe has never been made: Cloud Foundry goes on for 34 hours.
 * A plan's protection must not keep such an instance, of which nobody knows.
 */
const takenBack = 36 * 3_600_000;

/** A row for what is to be made. @param failed one of the same id that was never finished, or was lost */
export function newInstance(
  core: BrokerContext,
  command: Omit<Provision, 'acceptsIncomplete' | 'origin'> &
    Pick<ServiceInstance['confidential'], 'requester'>,
  plan: ServicePlan,
  failed: ServiceInstance | undefined,
): ServiceInstance {
  const { instanceId, offeringId, planId, organizationGuid, spaceGuid, context, parent } = command;
  // One that is tried again goes on with what its broken attempt has left; what was lost has left nothing here.
  const same = failed && !isLostWithAll(failed) ? failed : undefined;
  const key = same ? same.key : keyOf(instanceId, core.newId());
  const { trace, secrets: existing } = same?.confidential ?? {};
  const secrets = makeSecrets(core, plan, 'instance', existing);
  const { parameters, requester } = command;
  const now = core.now();
  const maintenanceVersion = plan.maintenanceInfo?.version;
  return {
    id: instanceId,
    version: failed?.version ?? 0,
    key,
    offeringId,
    planId,
    revision: plan.revision,
    organizationGuid,
    spaceGuid,
    context,
    maintenanceVersion,
    place: same?.place,
    lost: failed?.lost,
    ...watched(core, plan),
    parent,
    protectedFrom: plan.isProtected && parent === undefined ? new Date(now.getTime() + takenBack) : undefined,
    ready: false,
    confidential: { parameters, secrets, facts: {}, trace, requester },
    createdAt: now,
    updatedAt: now,
  };
}

/** How often its units are looked at, when it has any. */
export function watched(
  core: BrokerContext,
  { making, operating }: ServicePlan,
): Pick<ServiceInstance, 'checkEvery'> {
  return core.provisioner(making.provisioner).units ? { checkEvery: operating.monitor.every } : {};
}

/** The address must stand in the first answer, also in a 202, so it is made with the intent. */
export function withDashboard(instance: ServiceInstance, plan: ServicePlan, url: string): ServiceInstance {
  const template = plan.making.answer.dashboard;
  const { dashboardUrl: _old, ...confidential } = instance.confidential;
  if (template === false) return { ...instance, confidential };
  const dashboardUrl =
    template === undefined || needsFacts(template)
      ? addressUntilMade(instance, url)
      : textOf(render(template, templateValues(plan, instance, undefined, url)));
  return { ...instance, confidential: { ...confidential, dashboardUrl } };
}

function textOf(rendered: Json): string {
  return typeof rendered === 'string' ? rendered : JSON.stringify(rendered);
}
