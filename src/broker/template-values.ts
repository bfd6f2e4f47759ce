import type { ServicePlan } from './catalog.ts';
import { isObject, type Json, type JsonObject, stringsIn } from './json.ts';
import { bindingKey, instanceKey, platformOf } from './key.ts';
import { expressionsIn, positionIn, TemplateError } from './template.ts';
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

/** The instance as it is when an action has exchanged these secrets of it. */
export function withRenewed(instance: ServiceInstance, names: readonly string[]): ServiceInstance {
  const { renewing, ...confidential } = instance.confidential;
  if (!renewing) return instance;
  const fresh = Object.entries(renewing).filter(([name]) => names.includes(name));
  const rest = Object.entries(renewing).filter(([name]) => !names.includes(name));
  const secrets = { ...confidential.secrets, ...Object.fromEntries(fresh) };
  const left = rest.length > 0 ? Object.fromEntries(rest) : undefined;
  return { ...instance, confidential: { ...confidential, secrets, renewing: left } };
}

function instanceValues(plan: ServicePlan, instance: ServiceInstance): JsonObject {
  const { instance_name: name, cluster, pool } = instance.context;
  const { platform, platformId } = platformOf(instance.id);
  return {
    id: instance.id,
    platform,
    platform_id: platformId,
    key: instanceKey(instance),
    name: typeof name === 'string' && name ? name : platformId,
    offering: plan.offeringName,
    plan: plan.name,
    organization: instance.organizationGuid ?? '',
    space: instance.spaceGuid ?? '',
    cluster: typeof cluster === 'string' ? cluster : '',
    pool: typeof pool === 'string' ? pool : '',
  };
}

function bindingValues(binding: ServiceBinding): JsonObject {
  const { id, appGuid, route } = binding;
  return { id, key: bindingKey(binding), app: appGuid ?? '', route: route ?? '' };
}

const coreRoots: ReadonlySet<string> = new Set([
  'params',
  'plan',
  'secrets',
  'instance',
  'binding',
  'broker',
  'asked',
]);

/** Can it be filled only when the instance is made? */
export function needsFacts(template: Json): boolean {
  return expressionsIn(template).some(({ path: [root = ''] }) => !coreRoots.has(root));
}

/** Short words are not redacted: hiding every "small" would make messages unreadable and hide nothing. */
const shortestRedacted = 6;

/** The text without anything that is confidential in this operation, also as it stands in addresses and in JSON. */
export function redact(text: string, { instance, binding, operation }: LeasedOperation): string {
  const records = [instance, operation.confidential.target, binding].filter((record) => record !== undefined);
  const { request, asked } = operation.confidential;
  return redactRecords(text, records, request?.parameters ?? asked);
}

/** The text without anything that is confidential in these instances and bindings. */
export function redactRecords(text: string, records: readonly Confiding[], parameters?: JsonObject): string {
  const secrets = records.flatMap(({ confidential: { secrets: own, renewing = {} } }) => [
    ...Object.values(own),
    ...Object.values(renewing),
  ]);
  const told = records.flatMap(({ confidential: { parameters: own, facts } }) => [
    own,
    facts['outputs'],
    facts['deps'],
    facts['read'],
  ]);
  const texts = [...told, parameters].flatMap((value) => stringsIn(value));
  return [
    ...secrets,
    ...[...texts, ...secrets].flatMap(linesOf).filter((value) => value.length >= shortestRedacted),
  ]
    .filter((value) => value.length > 0)
    .flatMap(formsOf)
    .toSorted((a, b) => b.length - a.length)
    .reduce((redacted, value) => redacted.replaceAll(value, '***'), text);
}

interface Confiding {
  readonly confidential: Pick<InstanceConfidential, 'parameters' | 'secrets' | 'facts' | 'renewing'>;
}

/** A text of many lines also line by line: what is told of a log is lines. */
function linesOf(value: string): readonly string[] {
  return value.includes('\n') ? [value, ...value.split(/\r?\n/).map((line) => line.trim())] : [value];
}

function formsOf(value: string): readonly string[] {
  return [value, encodeURIComponent(value.toWellFormed()), JSON.stringify(value).slice(1, -1)];
}

/** Where in a value text is due: it is text itself, each of its items or members is, or some members are. */
export type TextForm =
  'text' | { readonly each: TextForm } | { readonly members: Readonly<Record<string, TextForm>> };

/** What a binding gives, as far as the specification fixes text (spec.md, Binding, Body; Volume Mount; Endpoint). */
export const bindingTexts = {
  syslogDrainUrl: 'text',
  routeServiceUrl: 'text',
  volumeMounts: {
    each: {
      members: {
        driver: 'text',
        container_dir: 'text',
        mode: 'text',
        device_type: 'text',
        device: { members: { volume_id: 'text' } },
      },
    },
  },
  endpoints: { each: { members: { host: 'text', ports: { each: 'text' }, protocol: 'text' } } },
} as const satisfies Readonly<Record<string, TextForm>>;

/** Platforms copy labels to where every value is text; attributes may be anything. */
export const metadataTexts = { members: { labels: { each: 'text' } } } as const satisfies TextForm;

/**
 * The value with numbers, true and false written as text where text is due; all else is left for others to judge.
 * A template of one expression keeps the type of what it finds, and ports are numbers.
 */
export function withTexts(value: Json, form: TextForm): Json {
  return written(value, form, '', (other) => other);
}

/** As `withTexts`. @throws TemplateError for a list, an object or null where text is due */
export function requireTexts(value: Json, form: TextForm): Json {
  return written(value, form, '', (_, at) => {
    throw new TemplateError(at, 'Text is due here, and the template comes to a list, an object or null.');
  });
}

type Otherwise = (value: Json, at: string) => Json;

function written(value: Json, form: TextForm, at: string, otherwise: Otherwise): Json {
  if (form === 'text') {
    if (typeof value === 'string') return value;
    return typeof value === 'object' ? otherwise(value, at) : String(value);
  }
  const inner = (item: Json, key: string | number) => {
    const own = formOf(form, key);
    return own === undefined ? item : written(item, own, positionIn(at, key), otherwise);
  };
  if (Array.isArray(value)) return value.map((item: Json, index) => inner(item, index));
  return isObject(value) ? mapMembers(value, inner) : value;
}

function formOf(form: Exclude<TextForm, 'text'>, key: string | number): TextForm | undefined {
  if ('each' in form) return form.each;
  return Object.hasOwn(form.members, key) ? form.members[key] : undefined;
}

function mapMembers(value: JsonObject, change: (item: Json, key: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item, key)]));
}
