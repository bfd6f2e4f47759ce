import { stringify } from 'yaml';
import type { Hook, ServicePlan } from '../broker/catalog.ts';
import { isObject, type Json, type JsonObject, jsonOf } from '../broker/json.ts';
import { renderKnown } from '../broker/template.ts';
import { mapValues } from './map-values.ts';

/**
 * What a plan makes of an instance and its bindings, without making anything: names, ports and directories are
 * examples, secrets are masked, and what only an instance knows stands as it stands in the file.
 * @param parameters of the user; the plan's defaults are filled in
 */
export function renderPlan(plan: ServicePlan, parameters: JsonObject): JsonObject {
  const { making, operating } = plan;
  const roots = sampleValues(plan, parameters);
  const filled = (template: Json) => lenient(template, roots);
  return jsonOf({
    offering: plan.offeringName,
    plan: plan.name,
    provisioner: making.provisioner,
    config: filled(withFilesAsWritten(making.config, operating.tls === true)),
    hooks: nonEmpty(mapValues(operating.hooks, (hook) => filled(hookOf(hook)))),
    requires_offerings: nonEmpty(
      mapValues(operating.dependencies, (one) => filled(jsonOf({ ...one, parameters: one.parameters }))),
    ),
    dashboard: filledIf(making.answer.dashboard, filled),
    credentials: filledIf(making.answer.credentials, filled),
    syslog_drain_url: filledIf(making.answer.syslogDrainUrl, filled),
    route_service_url: filledIf(making.answer.routeServiceUrl, filled),
    volume_mounts: filledIf(making.answer.volumeMounts, filled),
    endpoints: filledIf(making.answer.endpoints, filled),
    instance_metadata: filledIf(making.answer.instanceMetadata, filled),
  });
}

/** For people, as it would stand in a file. */
export function yamlText(value: JsonObject): string {
  return stringify(value, { lineWidth: 0, doubleQuotedMinMultiLineLength: 10_000 });
}

/** The word for every secret. */
const mask = 'MASKED';

/** Template roots with examples, as far as they are known before there is an instance. */
export function sampleValues(
  { making, offeringName, name }: ServicePlan,
  parameters: JsonObject,
): JsonObject {
  const base = `/node/${making.provisioner}/sample`;
  const { ports } = making.config;
  const names = Array.isArray(ports) ? ports.map(String) : [];
  return {
    params: { ...making.defaults, ...parameters },
    plan: making.settings,
    secrets: mapValues(making.secrets, () => mask),
    instance: {
      id: 'sample',
      key: 'sample',
      name: 'sample',
      offering: offeringName,
      plan: name,
      organization: 'sample',
      space: 'sample',
      cluster: '',
      pool: '',
    },
    binding: { id: 'binding', key: 'binding', app: 'app', route: '' },
    broker: { url: 'http://127.0.0.1:8080' },
    node: { name: 'node', host: '127.0.0.1', bind: '127.0.0.1' },
    ports: Object.fromEntries(names.map((port, index) => [port, 20_000 + index])),
    dir: {
      base,
      conf: `${base}/conf`,
      data: `${base}/data`,
      log: `${base}/log`,
      run: `${base}/run`,
    },
    mount: { path: `${base}/data`, mode: 'rw', access: 'rw' },
    tls: {
      cert: `${base}/conf/tls/server.pem`,
      key: `${base}/conf/tls/server.pem`,
      ca: `${base}/conf/tls/ca.pem`,
      ca_pem: '-----BEGIN CERTIFICATE-----',
    },
  };
}

/** Each file as this plan writes it: with what follows its content where there is TLS, or with what follows it elsewhere. */
function withFilesAsWritten(config: JsonObject, tls: boolean): JsonObject {
  const { files } = config;
  if (!isObject(files)) return config;
  const written = mapValues(files, (file) => (isObject(file) ? fileAsWritten(file, tls) : file));
  return { ...config, files: written };
}

function fileAsWritten({ content, tls: secured, plain, ...rest }: JsonObject, tls: boolean): Json {
  const text = [content, tls ? secured : plain].filter((part) => typeof part === 'string').join('');
  return Object.keys(rest).length === 0 ? text : { content: text, ...rest };
}

function hookOf({ run, env }: Hook): JsonObject {
  return jsonOf({ run, env: nonEmpty(env) });
}

/** Fills what can be filled. */
function lenient(template: Json, roots: JsonObject): Json {
  if (typeof template === 'string') return fillText(template, roots);
  if (Array.isArray(template)) return template.map((item: Json) => lenient(item, roots));
  return isObject(template) ? mapValues(template, (value) => lenient(value, roots)) : template;
}

function fillText(text: string, roots: JsonObject): Json {
  const whole = renderKnown(text, roots);
  if (whole !== undefined) return whole;
  return text.replaceAll(/\{\{[^{}]*\}\}/g, (expression) => {
    const value = renderKnown(expression, roots);
    return value === undefined || typeof value === 'object' ? expression : String(value);
  });
}

function filledIf(template: unknown, filled: (template: Json) => Json): Json | undefined {
  return template === undefined ? undefined : filled(template as Json);
}

function nonEmpty<Value extends object>(value: Value): Value | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}
