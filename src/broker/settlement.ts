import type { ServicePlan } from './catalog.ts';
import type { Deps } from './deps.ts';
import { Failure } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import type { Made } from './provisioner.ts';
import type { BindingAnswer, ServiceBinding, ServiceInstance } from './records.ts';
import type { Held, Settlement } from './store.ts';
import { render } from './template.ts';
import { valuesOf } from './values.ts';

/** What the rows become when an operation has done its work. */
export function settlementOf(held: Held, plan: ServicePlan, made: Made, deps: Deps): Settlement {
  const { operation, instance, binding } = held;
  if (operation.failure) return { failure: operation.failure };
  switch (operation.kind) {
    case 'provision':
      return { instance: { put: finishInstance(instance, plan, made, deps) } };
    case 'update':
      return {
        instance: { put: finishInstance(operation.confidential.target ?? instance, plan, made, deps) },
      };
    case 'deprovision':
      return { instance: { remove: instance } };
    case 'bind':
      return binding ? { binding: { put: finishBinding(instance, binding, plan, made, deps) } } : {};
    case 'unbind':
      return binding ? { binding: { remove: binding } } : {};
  }
}

function finishInstance(
  instance: ServiceInstance,
  plan: ServicePlan,
  made: Made,
  deps: Deps,
): ServiceInstance {
  const confidential = { ...instance.confidential, facts: { ...instance.confidential.facts, ...made.facts } };
  const finished = { ...instance, confidential, ready: true, updatedAt: deps.now() };
  const template = plan.making.answer.instanceMetadata;
  if (!template) return finished;
  const values = valuesOf(plan, finished, undefined, deps.settings.url);
  return { ...finished, metadata: fill({ ...template }, values) as ServiceInstance['metadata'] & object };
}

function finishBinding(
  instance: ServiceInstance,
  binding: ServiceBinding,
  plan: ServicePlan,
  made: Made,
  deps: Deps,
): ServiceBinding {
  const facts = { ...binding.confidential.facts, ...made.facts };
  const bound = { ...binding, confidential: { ...binding.confidential, facts } };
  const values = valuesOf(plan, instance, bound, deps.settings.url);
  const answer = answerOf(plan, values);
  return {
    ...bound,
    ready: true,
    ...lifetime(plan, deps.now()),
    confidential: { ...bound.confidential, answer },
  };
}

function answerOf({ making: { answer } }: ServicePlan, values: JsonObject): BindingAnswer {
  const { credentials, syslogDrainUrl, routeServiceUrl, volumeMounts, endpoints } = answer;
  const declared = Object.entries({ credentials, syslogDrainUrl, routeServiceUrl, volumeMounts, endpoints });
  const templates = Object.fromEntries(declared.filter(([, template]) => template !== undefined));
  return fill(templates as JsonObject, values) as BindingAnswer;
}

function lifetime({ making }: ServicePlan, now: Date): { expiresAt?: Date; renewBefore?: Date } {
  const rule = making.answer.bindingLifetime;
  if (!rule) return {};
  const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  const renew =
    rule.renewBefore === undefined ? {} : { renewBefore: inSeconds(rule.expiresAfter - rule.renewBefore) };
  return { expiresAt: inSeconds(rule.expiresAfter), ...renew };
}

/** A template that cannot be filled is the offering's mistake: trying again would not mend it. */
function fill(template: JsonObject, values: JsonObject): Json {
  try {
    return render(template, values);
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
