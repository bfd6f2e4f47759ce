import { isExpired, refuseUnready } from '../state.ts';
import type { Bind } from '../commands.ts';
import type { ServicePlan } from '../catalog.ts';
import type { CredentialPlace } from '../credential-store.ts';
import type { RequestContext } from './context.ts';
import { decideParameters } from './decide-parameters.ts';
import { Refusal } from '../errors.ts';
import { meetingOf } from '../exclusion.ts';
import { busyWith, type Decision, makeSecrets, newOperation, requireAsync } from '../operations/intent.ts';
import { sameJson } from '../json.ts';
import { keyOf } from '../key.ts';
import type { Outcome } from '../outcome.ts';
import { isFormer, requirePresentPlan } from '../operations/plan-of.ts';
import { findUntold } from './fetch.ts';
import { type FoundBinding, type Operation, type ServiceBinding, type ServiceInstance } from '../records.ts';
import { knownParameters, requireParameters } from './parameters.ts';
import { unbind } from './unbind.ts';

/** spec.md, Binding and Binding Rotation. */
export function bind(core: RequestContext, command: Bind): Promise<Outcome<ServiceBinding>> {
  return core.engine.run(
    command,
    () => decide(core, command),
    (operation) => undo(core, operation),
  );
}

async function decide(core: RequestContext, command: Bind): Promise<Decision<ServiceBinding>> {
  const there = await core.store.findBinding(command.instanceId, command.bindingId);
  const asked = await withPredecessor(core, command, there);
  const decision = decideBind(there, asked, core.now());
  if (!there.found || (decision !== 'start' && 'is' in decision)) return decision as Decision<ServiceBinding>;
  const { instance } = there.found;
  const plan = await core.planOf(instance);
  // What cannot be fetched must be answered at once: a 202 would keep the credentials for ever.
  const waits = plan.bindingsRetrievable !== true && command.dependent === undefined;
  if (decision !== 'start') return { ...decision, waits };
  const canBeTold = there.binding && !waits && command.failsLater;
  const untold = canBeTold && (await findUntold(core, 'bind', command, there.found));
  if (untold) return { is: 'accepted', operation: untold };
  const inForce = await decideParameters(asked.parameters, () => {
    const known = withKnown(core, command, asked, plan);
    requireBindable(core, known, instance, plan);
    return known;
  });
  return { ...intend(core, inForce, instance, plan, there.binding), waits };
}

/** Nobody waits for it any longer: the platform has given up, and cleans up as well. */
async function undo(core: RequestContext, operation: Operation): Promise<Outcome<unknown>> {
  const { id: giveUp, instanceId, bindingId, offeringId, planId, origin } = operation;
  if (bindingId === undefined) return { is: 'absent' };
  return unbind(core, { instanceId, bindingId, offeringId, planId, origin, acceptsIncomplete: true, giveUp });
}

/** docs/lifecycle.md: the column "bind" for the instance, and Bindings, the columns "PUT", for what is there of its own. */
export function decideBind(
  { found, binding, operation }: FoundBinding,
  command: Bind,
  now: Date,
): 'start' | Decision<ServiceBinding> {
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  if (
    found.operation &&
    meetingOf({ kind: 'bind', bindingId: command.bindingId }, found.operation) !== 'beside'
  )
    return busyWith(command, found.operation);
  if (!found.instance.ready) {
    throw refuseUnready(
      found.instance,
      'The service instance was never finished, so it cannot be bound. Delete it.',
    );
  }
  if (binding && !isSame(found.instance, binding, command)) {
    throw new Refusal(
      'conflict',
      'A service binding with this id exists already, with different attributes.',
    );
  }
  if (operation?.kind === 'unbind' || (binding && isExpired(binding, now)))
    return busyWith(command, operation, 'The service binding is being deleted.');
  if (binding && operation) return { join: operation, record: binding };
  if (binding?.ready) return { is: 'unchanged', record: binding };
  if (!found.instance.stopped) return 'start';
  throw new Refusal('not-ready', 'The service instance is stopped. Start it and bind again.');
}

function isSame(instance: ServiceInstance, binding: ServiceBinding, command: Bind): boolean {
  const { offeringId = instance.offeringId, planId = instance.planId } = command;
  return (
    offeringId === instance.offeringId &&
    (planId === instance.planId || isFormer(instance, planId)) &&
    binding.appGuid === command.appGuid &&
    binding.route === command.route &&
    binding.predecessorId === command.predecessorId &&
    sameJson(binding.confidential.parameters, command.parameters)
  );
}

/**
 * A rotation names little more than its predecessor (spec.md, Binding Rotation): the new binding takes over
 * the old one's parameters and application.
 */
async function withPredecessor(core: RequestContext, command: Bind, there: FoundBinding): Promise<Bind> {
  const { predecessorId, instanceId, bindingId } = command;
  if (predecessorId === undefined || !there.found) return command;
  // A repetition of a finished rotation is answered even when its predecessor is gone by now.
  if (there.binding?.predecessorId === predecessorId) return inherit(command, there.binding);
  const { binding, operation } =
    predecessorId === bindingId ? {} : await core.store.findBinding(instanceId, predecessorId);
  if (!binding?.ready || operation || isExpired(binding, core.now())) {
    throw new Refusal(
      'invalid',
      'The predecessor_binding_id names no usable binding of this service instance.',
      'predecessor_binding_id',
    );
  }
  return inherit(command, binding);
}

function inherit(command: Bind, from: ServiceBinding): Bind {
  const { appGuid = from.appGuid, route = from.route, reader = from.confidential.kept?.reader } = command;
  return {
    ...command,
    parameters:
      Object.keys(command.parameters).length > 0 ? command.parameters : from.confidential.parameters,
    appGuid,
    route,
    reader,
  };
}

/** What the predecessor was once given and the plan no longer knows is not taken over. */
function withKnown(core: RequestContext, { parameters }: Bind, asked: Bind, plan: ServicePlan): Bind {
  const isInherited = asked.parameters !== parameters;
  return isInherited
    ? { ...asked, parameters: knownParameters(core, plan, 'bind', asked.parameters) }
    : asked;
}

function requireBindable(
  core: RequestContext,
  command: Bind,
  instance: ServiceInstance,
  plan: ServicePlan,
): void {
  const { offeringId = instance.offeringId, planId = instance.planId } = command;
  requirePresentPlan(core.catalog(), instance, { offeringId, planId });
  if (!plan.bindable) {
    throw new Refusal('unsupported', `Instances of the plan '${plan.name}' cannot be bound.`);
  }
  if (!core.provisioner(plan.making.provisioner).bind) {
    throw new Refusal('unsupported', `Instances of the plan '${plan.name}' cannot be bound.`);
  }
  if (command.predecessorId !== undefined && !plan.bindingRotatable) {
    throw new Refusal(
      'unsupported',
      `Bindings of the plan '${plan.name}' cannot be rotated.`,
      'predecessor_binding_id',
    );
  }
  if (plan.making.requiresApp && command.appGuid === undefined && command.dependent === undefined) {
    throw new Refusal(
      'requires-app',
      'This service supports generation of credentials through binding an application only.',
    );
  }
  requireParameters(core, plan, 'bind', command.parameters);
  requireAsync(plan, 'bind', command.acceptsIncomplete);
}

function intend(
  core: RequestContext,
  command: Bind,
  instance: ServiceInstance,
  plan: ServicePlan,
  failed: ServiceBinding | undefined,
): Decision<ServiceBinding> {
  const { instanceId, bindingId, appGuid, route, predecessorId, dependent } = command;
  const { context, parameters, origin, reader } = command;
  const { trace, secrets: existing } = failed?.confidential ?? {};
  const secrets = makeSecrets(core, plan, 'binding', existing);
  // A binding that is tried again goes on with what its broken attempt has left.
  const key = failed ? failed.key : keyOf(instanceId, bindingId, core.newId());
  const bare: ServiceBinding = {
    instanceId,
    id: bindingId,
    key,
    appGuid,
    route,
    predecessorId,
    dependent,
    context,
    ready: false,
    confidential: { parameters, secrets, facts: {}, answer: {}, trace },
    createdAt: core.now(),
  };
  const name =
    failed?.confidential.kept?.name ?? core.credentialStore?.nameOf(bare, instance, plan.offeringName);
  const record = reader === undefined || name === undefined ? bare : keptAt(bare, { name, reader });
  const operation = newOperation(core, plan, 'bind', { instanceId, bindingId, origin });
  return { start: { plan, operation, instance: { keep: instance }, binding: { put: record } } };
}

function keptAt(binding: ServiceBinding, kept: CredentialPlace): ServiceBinding {
  return { ...binding, confidential: { ...binding.confidential, kept } };
}
