import { backupName, type NewBackup } from '../backups.ts';
import type { ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Made, SavedBytes } from '../provisioner.ts';
import type {
  BindingAnswer,
  Operation,
  OperationFailure,
  ServiceBinding,
  ServiceInstance,
} from '../records.ts';
import type { Change, LeasedOperation, Settlement } from '../store.ts';
import { render } from '../template.ts';
import {
  bindingTexts,
  metadataTexts,
  requireTexts,
  templateValues,
  type TextForm,
  withRenewed,
} from '../template-values.ts';

/** What the rows become when an operation has done its work. */
export function settlementOf(
  held: LeasedOperation,
  plan: ServicePlan,
  made: Made,
  core: BrokerContext,
): Settlement {
  const { operation, instance, binding } = held;
  if (operation.failure) return undone(held, operation.failure);
  switch (operation.kind) {
    case 'provision':
    case 'adopt':
      return { instance: { put: finishInstance(instance, plan, made, core) } };
    case 'update':
      return {
        instance: { put: finishInstance(operation.confidential.target ?? instance, plan, made, core) },
      };
    case 'deprovision':
      return { instance: removed(held, plan, core) };
    case 'bind':
      return binding ? { binding: { put: finishBinding(instance, binding, plan, made, core) } } : {};
    case 'unbind':
      return binding ? { binding: { remove: binding } } : {};
    case 'start':
    case 'restart':
    case 'stop':
      return { instance: { put: operated(held) } };
    case 'backup':
      return made.saved ? { backup: backupOf(held, made.saved) } : {};
    case 'restore':
      return {};
    case 'action':
      return { instance: { put: afterAction(withRenewed(instance, renewedBy(plan, operation)), made) } };
  }
}

/** Or at rest, for as long as it is kept. */
function removed(
  { operation: { confidential }, instance }: LeasedOperation,
  plan: ServicePlan,
  core: BrokerContext,
): Change<ServiceInstance> {
  if (confidential.keep === undefined) return { remove: instance };
  const keptUntil = new Date(core.now().getTime() + confidential.keep);
  const rests = core.provisioner(plan.making.provisioner).units?.stop !== undefined;
  return { put: { ...instance, ...(rests && { stopped: true }), keptUntil } };
}

function backupOf({ operation, instance }: LeasedOperation, { key, ...stored }: SavedBytes): NewBackup {
  const { id, origin } = operation;
  const { offeringId, planId, revision } = instance;
  return {
    id,
    name: backupName(operation),
    instanceId: instance.id,
    offeringId,
    planId,
    revision,
    stored,
    confidential: { key },
    protocol: origin.protocol,
    principal: origin.principal,
  };
}

/** A create that has failed is undone, and of an update what it got of other offerings. */
export function undoesFailure({ kind }: Operation, { operating }: ServicePlan): boolean {
  const needsOthers = Object.keys(operating.dependencies).length > 0;
  return kind === 'provision' || kind === 'bind' || (kind === 'update' && needsOthers);
}

/** How the rows are left by what has failed. What was reached of a create is needed by who removes it at last. */
export function failureOf(
  { operation, instance, binding }: LeasedOperation,
  failure: OperationFailure,
): Settlement {
  const { trace, request, asked } = operation.confidential;
  // What it asked for is kept, so that it can be asked for again.
  if (operation.kind === 'update' && request) {
    const failedUpdate = { operationId: operation.id, request };
    return {
      failure,
      instance: { put: { ...instance, confidential: { ...instance.confidential, failedUpdate } } },
    };
  }
  // What was not adopted stays as it is, and nobody's.
  if (operation.kind === 'adopt') return { failure, instance: { remove: instance } };
  // The same of an action.
  if (operation.kind === 'action' && asked) {
    const failedAction = { operationId: operation.id, asked };
    return {
      failure,
      instance: { put: { ...instance, confidential: { ...instance.confidential, failedAction } } },
    };
  }
  if (trace === undefined) return { failure };
  return binding
    ? { failure, binding: { put: { ...binding, confidential: { ...binding.confidential, trace } } } }
    : { failure, instance: { put: { ...instance, confidential: { ...instance.confidential, trace } } } };
}

/** Nothing is left of it: it takes no room on any node, and may be made on another one. */
function undone({ instance, binding }: LeasedOperation, failure: OperationFailure): Settlement {
  if (binding) return { failure, binding: { put: withoutTrace(binding) } };
  const { place: _place, ...rest } = withoutTrace(instance);
  return { failure, instance: { put: rest } };
}

/** All are to run or to be at rest, or some of those that run are. */
function operated({ operation, instance }: LeasedOperation): ServiceInstance {
  const { stoppedUnits = [], ...rest } = instance;
  const { units } = operation.confidential;
  const stops = operation.kind === 'stop';
  if (!units) return { ...rest, stopped: stops };
  const others = stoppedUnits.filter((unit) => !units.includes(unit));
  const resting = stops ? [...others, ...units] : others;
  return resting.length > 0 ? { ...rest, stoppedUnits: resting } : rest;
}

function withoutTrace<Rec extends ServiceInstance | ServiceBinding>(record: Rec): Rec {
  const { trace: _trace, ...confidential } = record.confidential;
  return { ...record, confidential };
}

function finishInstance(
  instance: ServiceInstance,
  plan: ServicePlan,
  made: Made,
  core: BrokerContext,
): ServiceInstance {
  const facts = { ...instance.confidential.facts, ...made.facts };
  const { failedUpdate: _overtaken, ...before } = withoutTrace(instance).confidential;
  const confidential = { ...before, facts };
  const { lost: _lost, ...rest } = instance;
  return withMetadata(core, { ...rest, confidential, ready: true, updatedAt: core.now() }, plan);
}

/** Of an action: the secrets of its instance that it exchanges. */
export function renewedBy({ actions = {} }: ServicePlan, { action = '' }: Operation): readonly string[] {
  return (Object.hasOwn(actions, action) ? actions[action]?.renews : undefined) ?? [];
}

/** What it has put out is known from now on. */
function afterAction(instance: ServiceInstance, { facts }: Made): ServiceInstance {
  const { failedAction: _overtaken, ...before } = instance.confidential;
  return { ...instance, confidential: { ...before, facts: { ...before.facts, ...facts } } };
}

/** Its metadata, rendered anew. */
export function withMetadata(
  { settings }: BrokerContext,
  { metadata: _old, ...instance }: ServiceInstance,
  plan: ServicePlan,
): ServiceInstance {
  const template = plan.making.answer.instanceMetadata;
  if (!template) return instance;
  const values = templateValues(plan, instance, undefined, settings.url);
  const metadata = fill({ ...template }, values, metadataTexts);
  return { ...instance, metadata: metadata as ServiceInstance['metadata'] & object };
}

function finishBinding(
  instance: ServiceInstance,
  binding: ServiceBinding,
  plan: ServicePlan,
  made: Made,
  core: BrokerContext,
): ServiceBinding {
  const facts = { ...binding.confidential.facts, ...made.facts };
  const bound = { ...binding, confidential: { ...withoutTrace(binding).confidential, facts } };
  const values = templateValues(plan, instance, bound, core.settings.url);
  const answer = answerOf(plan, values);
  return {
    ...bound,
    ready: true,
    // Who needs it has it as long as it is there itself.
    ...(binding.dependent === undefined && lifetime(plan, core.now())),
    confidential: { ...bound.confidential, answer },
  };
}

function answerOf({ making: { answer } }: ServicePlan, values: JsonObject): BindingAnswer {
  const { credentials, syslogDrainUrl, routeServiceUrl, volumeMounts, endpoints } = answer;
  const declared = Object.entries({ credentials, syslogDrainUrl, routeServiceUrl, volumeMounts, endpoints });
  const templates = Object.fromEntries(declared.filter(([, template]) => template !== undefined));
  return fill(templates as JsonObject, values, { members: bindingTexts }) as BindingAnswer;
}

function lifetime({ making }: ServicePlan, now: Date): { expiresAt?: Date; renewBefore?: Date } {
  const rule = making.answer.bindingLifetime;
  if (!rule) return {};
  const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  const { expiresAfter, renewBefore: before } = rule;
  const renewBefore = before === undefined ? undefined : inSeconds(expiresAfter - before);
  return { expiresAt: inSeconds(expiresAfter), renewBefore };
}

/** A template that cannot be filled is the offering's mistake: trying again would not mend it. */
function fill(template: JsonObject, values: JsonObject, texts: TextForm): Json {
  try {
    return requireTexts(render(template, values), texts);
  } catch (error) {
    throw new Failure(
      'template',
      'The service offering is not set up correctly. Ask the operator of the broker.',
      {
        detail: error instanceof Error ? error.message : String(error),
      },
    );
  }
}
