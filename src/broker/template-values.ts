import type { ServicePlan } from './catalog.ts';
import type { JsonObject } from './json.ts';
import { stringsIn } from './json.ts';
import { bindingKey, instanceKey } from './key.ts';
import type { LeasedOperation } from './store.ts';
import type { InstanceConfidential, ServiceBinding, ServiceInstance } from './records.ts';

/**
 * The template roots of an instance or binding. What the core knows wins over a provisioner's facts.
 * @param url the broker's own address
 */
export function templateValues(
  plan: ServicePlan,
  instance: ServiceInstance,
  binding: ServiceBinding | undefined,
  url: string,
): JsonObject {
  const { parameters, secrets, facts } = instance.confidential;
  return {
    ...facts,
    ...binding?.confidential.facts,
    params: { ...plan.making.defaults, ...parameters },
    plan: plan.making.settings,
    secrets: { ...secrets, ...binding?.confidential.secrets },
    instance: instanceValues(plan, instance),
    binding: binding ? bindingValues(binding) : {},
    broker: { url },
  };
}

function instanceValues(plan: ServicePlan, instance: ServiceInstance): JsonObject {
  const name = instance.context['instance_name'];
  return {
    id: instance.id,
    key: instanceKey(instance),
    name: typeof name === 'string' && name ? name : instance.id,
    offering: plan.offeringName,
    plan: plan.name,
    organization: instance.organizationGuid ?? '',
    space: instance.spaceGuid ?? '',
  };
}

function bindingValues(binding: ServiceBinding): JsonObject {
  const { id, appGuid, route } = binding;
  return { id, key: bindingKey(binding), app: appGuid ?? '', route: route ?? '' };
}

/** Short words are not masked: hiding every "small" would make messages unreadable and hide nothing. */
const shortestMasked = 6;

/** The text without anything that is confidential in this operation, also as it stands in addresses and in JSON. */
export function redact(text: string, { instance, binding, operation }: LeasedOperation): string {
  const records = [instance, operation.confidential.target, binding].filter((record) => record !== undefined);
  return redactRecords(text, records, operation.confidential.request?.parameters);
}

/** The text without anything that is confidential in these instances and bindings. */
export function redactRecords(text: string, records: readonly Confiding[], parameters?: JsonObject): string {
  const secrets = records.flatMap(({ confidential }) => Object.values(confidential.secrets));
  const told = records.flatMap(({ confidential: { parameters: own, facts } }) => [
    own,
    facts['outputs'],
    facts['deps'],
  ]);
  const texts = [...told, parameters].flatMap((value) => stringsIn(value));
  return [
    ...secrets,
    ...[...texts, ...secrets].flatMap(linesOf).filter((value) => value.length >= shortestMasked),
  ]
    .filter((value) => value.length > 0)
    .flatMap(formsOf)
    .toSorted((a, b) => b.length - a.length)
    .reduce((masked, value) => masked.replaceAll(value, '***'), text);
}

interface Confiding {
  readonly confidential: Pick<InstanceConfidential, 'parameters' | 'secrets' | 'facts'>;
}

/** A text of many lines also line by line: what is told of a log is lines. */
function linesOf(value: string): readonly string[] {
  return value.includes('\n') ? [value, ...value.split(/\r?\n/).map((line) => line.trim())] : [value];
}

function formsOf(value: string): readonly string[] {
  return [value, encodeURIComponent(value.toWellFormed()), JSON.stringify(value).slice(1, -1)];
}
