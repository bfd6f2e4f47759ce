import type { Provision } from './commands.ts';
import { requireCurrentMaintenance, requirePlan, type ServicePlan } from './catalog.ts';
import type { Core } from './core.ts';
import { decideParameters } from './decide-parameters.ts';
import type { Deps } from './deps.ts';
import { deprovision } from './deprovision.ts';
import { Refusal } from './errors.ts';
import { meet } from './exclusion.ts';
import { busy, busyWith, type Decision, makeSecrets, newOperation, requireAsync } from './intent.ts';
import { sameJson } from './json.ts';
import { keyOf } from './key.ts';
import { isLostWithAll } from './lost.ts';
import type { Outcome } from './outcome.ts';
import { demandToMake } from './placement.ts';
import { requireParameters } from './parameters.ts';
import { findUntold } from './read.ts';
import type { FoundInstance, ServiceInstance } from './records.ts';
import { describeState } from './state.ts';
import { requireShared } from './shared-needs.ts';
import { render } from './template.ts';
import { valuesOf } from './values.ts';

/** spec.md, Provisioning. */
export function provision(core: Core, command: Provision): Promise<Outcome<ServiceInstance>> {
  return core.engine.run(command, async () => {
    const found = await core.deps.store.findInstance(command.instanceId);
    const decision = decideProvision(found, command);
    if (decision !== 'start') return decision;
    const untold = found && command.failsLater && (await findUntold(core.deps, 'provision', command));
    if (untold) return { is: 'accepted', operation: untold, record: found.instance };
    const plan = requirePlan(core.deps.catalog(), command.offeringId, command.planId);
    await decideParameters(command.parameters, () =>
      requireParameters(core.deps, plan, 'provision', command.parameters),
    );
    requireCurrentMaintenance(plan, command.maintenanceVersion);
    requireAsync(plan, 'provision', command.acceptsIncomplete);
    await requireShared(core, plan);
    return intend(core, command, plan, found?.instance);
  });
}

/** The state table of lifecycle, column "PUT". */
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
      return { is: 'unchanged', record: found.instance };
    case 'failed':
    case 'lost':
      return meet('provision', found) === 'busy' ? busy() : 'start';
    case 'provisioning':
      return found.operation ? { join: found.operation, record: found.instance } : busy();
    case 'absent':
    case 'updating':
    case 'deprovisioning':
      return busyWith(command, found.operation);
  }
}

/** Context and originating identity are no attributes: platforms change them (platform-clients, point 8). */
function isSame(instance: ServiceInstance, command: Provision): boolean {
  return (
    instance.offeringId === command.offeringId &&
    instance.planId === command.planId &&
    instance.organizationGuid === command.organizationGuid &&
    instance.spaceGuid === command.spaceGuid &&
    sameJson(instance.confidential.parameters, command.parameters)
  );
}

function intend(
  core: Core,
  command: Provision,
  plan: ServicePlan,
  failed: ServiceInstance | undefined,
): Decision<ServiceInstance> {
  const { deps } = core;
  const { instanceId, offeringId, planId, origin } = command;
  const record = withDashboard(newInstance(deps, command, plan, failed), plan, deps.settings.url);
  const demand = demandToMake(deps, plan, failed);
  const operation = newOperation(deps, plan, 'provision', { instanceId, origin });
  const removal = { instanceId, offeringId, planId, origin, acceptsIncomplete: true, giveUp: operation.id };
  const giveUp = () => deprovision(core, removal);
  return { start: { plan, operation, instance: { put: record }, ...(demand ? { demand } : {}), giveUp } };
}

/** A row for what is to be made. @param failed one of the same id that was never finished, or was lost */
export function newInstance(
  deps: Deps,
  command: Omit<Provision, 'acceptsIncomplete' | 'origin'>,
  plan: ServicePlan,
  failed: ServiceInstance | undefined,
): ServiceInstance {
  const { instanceId, offeringId, planId, organizationGuid, spaceGuid, context, parent } = command;
  // One that is tried again goes on with what its broken attempt has left; what was lost has left nothing here.
  const same = failed && !isLostWithAll(failed) ? failed : undefined;
  const key = same ? same.key : keyOf(instanceId, deps.newId());
  const { trace, secrets: existing } = same?.confidential ?? {};
  const secrets = makeSecrets(deps, plan, 'instance', existing);
  const { parameters } = command;
  const now = deps.now();
  const maintenanceVersion = plan.maintenanceInfo?.version;
  return {
    id: instanceId,
    version: failed?.version ?? 0,
    ...(key === undefined ? {} : { key }),
    offeringId,
    planId,
    revision: plan.revision,
    ...(organizationGuid === undefined ? {} : { organizationGuid }),
    ...(spaceGuid === undefined ? {} : { spaceGuid }),
    context,
    ...(maintenanceVersion === undefined ? {} : { maintenanceVersion }),
    ...(same?.place ? { place: same.place } : {}),
    ...(failed?.lost ? { lost: failed.lost } : {}),
    ...watched(deps, plan),
    ...(parent === undefined ? {} : { parent }),
    ready: false,
    confidential: { parameters, secrets, facts: {}, ...(trace === undefined ? {} : { trace }) },
    createdAt: now,
    updatedAt: now,
  };
}

/** How often its units are looked at, when it has any. */
export function watched(deps: Deps, { making, operating }: ServicePlan): Pick<ServiceInstance, 'checkEvery'> {
  return deps.provisioner(making.provisioner).units ? { checkEvery: operating.monitor.every } : {};
}

/** The address must stand in the first answer, also in a 202, so it is made with the intent. */
export function withDashboard(instance: ServiceInstance, plan: ServicePlan, url: string): ServiceInstance {
  const template = plan.making.answer.dashboard;
  const { dashboardUrl: _old, ...confidential } = instance.confidential;
  if (template === undefined) return { ...instance, confidential };
  const rendered = render(template, valuesOf(plan, instance, undefined, url));
  const dashboardUrl = typeof rendered === 'string' ? rendered : JSON.stringify(rendered);
  return { ...instance, confidential: { ...confidential, dashboardUrl } };
}
