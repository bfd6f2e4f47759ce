// All that platforms and operators can ask, once each, where there is very much.
import { setTimeout as pause } from 'node:timers/promises';
import { idOf } from './world.ts';

export interface Stop {
  readonly name: string;
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly as: 'platform' | 'operator';
  readonly body?: object;
}

const filters = [
  '',
  'after=8000',
  'offering=rarely',
  'offering=echoes&plan=plan',
  'node=gone-3',
  'platform=platform-9',
  'organization=organization-9',
  'organization_guid=o-9',
  'space=space-9',
  'space_guid=s-9',
  ...['ready', 'failed', 'lost', 'updating', 'provisioning'].map((state) => `state=${state}`),
  'status=down',
  'older_than=1d',
  'younger_than=60s',
  'drifted=true',
  'state=failed&organization=organization-9',
] as const;

const bindingFilters = [
  '',
  'offering=rarely',
  'node=gone-3',
  'platform=platform-9',
  'organization=organization-9',
  'space=space-9',
  'app=app-9',
  ...['bound', 'failed', 'expired', 'binding', 'unbinding'].map((state) => `state=${state}`),
  'older_than=1d',
  'younger_than=60s',
] as const;

const operationFilters = [
  '',
  ...['in-progress', 'failed', 'succeeded'].map((state) => `state=${state}`),
  ...['provision', 'restart', 'backup', 'update', 'unbind'].map((kind) => `kind=${kind}`),
  'offering=rarely',
  'offering=echoes',
  `instance=${idOf(77)}`,
  'older_than=1d',
  'younger_than=60s',
] as const;

const auditFilters = [
  '',
  `instance=${idOf(77)}`,
  'verb=provision',
  'verb=purge',
  'principal=operator',
  'principal=nobody',
  ...['succeeded', 'failed', 'refused'].map((outcome) => `outcome=${outcome}`),
] as const;

function listed(path: string, all: readonly string[]): readonly Stop[] {
  return all.map((query) => ({
    name: `${path.replace('/operator/', '')} ${query || 'of any kind'}`,
    method: 'GET',
    path: `${path}?${query}`,
    as: 'operator',
  }));
}

/** What changes nothing. */
export const looks: readonly Stop[] = [
  { name: 'catalog', method: 'GET', path: '/v2/catalog', as: 'platform' },
  { name: 'fetch', method: 'GET', path: `/v2/service_instances/${idOf(75)}`, as: 'platform' },
  {
    name: 'fetch a binding',
    method: 'GET',
    path: `/v2/service_instances/${idOf(75)}/service_bindings/binding`,
    as: 'platform',
  },
  {
    name: 'last operation',
    method: 'GET',
    path: `/v2/service_instances/${idOf(75)}/last_operation`,
    as: 'platform',
  },
  ...listed('/operator/instances', filters),
  ...listed('/operator/bindings', bindingFilters),
  ...listed('/operator/operations', operationFilters),
  ...listed('/operator/audit', auditFilters),
  ...listed('/operator/backups', ['', 'offering=rarely', `instance=${idOf(20)}`, 'older_than=1d']),
  { name: 'one instance', method: 'GET', path: `/operator/instances/${idOf(75)}`, as: 'operator' },
  { name: 'nodes', method: 'GET', path: '/operator/nodes', as: 'operator' },
  { name: 'quotas', method: 'GET', path: '/operator/quotas', as: 'operator' },
  { name: 'orphans', method: 'GET', path: '/operator/orphans', as: 'operator' },
  { name: 'offerings', method: 'GET', path: '/operator/offerings', as: 'operator' },
  { name: 'upgrades', method: 'GET', path: '/operator/upgrades', as: 'operator' },
  { name: 'webhooks', method: 'GET', path: '/operator/webhooks', as: 'operator' },
  { name: 'metrics', method: 'GET', path: '/metrics', as: 'operator' },
];

/** A life of an instance of this offering, in order. */
export function lifeOf(offering: string, id: string): readonly Stop[] {
  const named = { service_id: offering, plan_id: `${offering}-plan` };
  const query = `accepts_incomplete=true&${new URLSearchParams(named).toString()}`;
  const path = `/v2/service_instances/${id}`;
  const body = { ...named, organization_guid: 'o-7', space_guid: 's-7' };
  const context = { platform: 'platform-7', organization_name: 'organization-7', space_name: 'space-7' };
  const step = (name: string, method: Stop['method'], at: string, sent?: object): Stop => ({
    name: `${name} of ${offering}`,
    method,
    path: `${at}?${query}`,
    as: 'platform',
    ...(sent && { body: sent }),
  });
  return [
    step('provision', 'PUT', path, { ...body, context }),
    step('update', 'PATCH', path, named),
    step('bind', 'PUT', `${path}/service_bindings/b`, { ...named, bind_resource: { app_guid: 'app-9' } }),
    step('unbind', 'DELETE', `${path}/service_bindings/b`),
    step('deprovision', 'DELETE', path),
  ];
}

export interface Asker {
  readonly url: string;
  readonly logins: Readonly<Record<Stop['as'], string>>;
}

/** Waits for the end of what was accepted. @returns the mark of the page that follows, where there is one */
export async function ask(
  { url, logins }: Asker,
  { method, path, as, body }: Stop,
): Promise<string | undefined> {
  const headers = {
    authorization: `Basic ${Buffer.from(logins[as]).toString('base64')}`,
    'x-broker-api-version': '2.17',
    ...(body && { 'content-type': 'application/json' }),
  };
  const answer = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  if (answer.status === 202) await poll(url + path.replace(/\?.*/, ''), headers);
  return /"next":"([^"]+)"/.exec(text)?.[1];
}

/** The page that follows too. */
export async function askTwice(asker: Asker, look: Stop): Promise<void> {
  const next = await ask(asker, look);
  if (next === undefined) return;
  const [path, query] = look.path.split('?');
  const asked = new URLSearchParams(query);
  asked.set('after', next);
  await ask(asker, { ...look, path: `${path}?${asked.toString()}` });
}

async function poll(address: string, headers: Readonly<Record<string, string>>): Promise<void> {
  for (;;) {
    const polled = await fetch(`${address}/last_operation`, { headers });
    const text = await polled.text();
    if (polled.status === 410 || /"state":"succeeded"/.test(text)) return;
    if (/"state":"failed"/.test(text)) throw new Error(`${address}: ${text}`);
    await pause(20);
  }
}
