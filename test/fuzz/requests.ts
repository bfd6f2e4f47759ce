// Requests as platforms, tsuru and operators send them, to what there is and to what there is not.
import { operatorPassword } from '../support/whole-broker.ts';
import type { Chance } from './random.ts';
import type { Stock } from './stock.ts';

export type Pairs = readonly (readonly [name: string, value: string])[];

export interface FuzzRequest {
  readonly method: string;
  /** Each as it stands between two slashes. */
  readonly parts: readonly string[];
  readonly query: Pairs;
  readonly headers: Pairs;
  /** Its text. */
  readonly body?: string | Uint8Array | undefined;
  /** What the model answers; undefined: it has no opinion. Only of a request that nobody has changed. */
  readonly expected?: readonly number[] | undefined;
}

export const tsuruPassword = 'a-tsuru-password';
export const offerings = {
  thing: { id: 'thing-id', plans: ['plain', 'other', 'rotatable', 'gated', 'old'] },
  folder: { id: 'folder-id', plans: ['small'] },
  echo: { id: 'echo-id', plans: ['large'] },
} as const;

/** @param secret may stand in parameters and passwords, and nowhere else */
export function validRequest(chance: Chance, stock: Stock, secret: string): FuzzRequest {
  const kind = chance.below(20);
  if (kind < 12) return platformRequest(chance, stock, secret);
  if (kind < 16) return tsuruRequest(chance, stock, secret);
  if (kind < 19) return operatorRequest(chance, stock);
  return openRequest(chance, stock, secret);
}

function basic(user: string, password: string): readonly [string, string] {
  return ['authorization', `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`];
}

const json = ['content-type', 'application/json'] as const;
const ids = ['i-1', 'i-2', 'i-3', 'i-4'];

function platformRequest(chance: Chance, stock: Stock, secret: string): FuzzRequest {
  const id = chance.of(ids);
  const bindingId = chance.of(['b-1', 'b-2']);
  const there = stock.instances.get(id);
  const offering = there?.offering ?? chance.of(Object.values(offerings)).id;
  const known = Object.values(offerings).find((one) => one.id === offering) ?? offerings.thing;
  const plan = there?.plan ?? chance.of(known.plans);
  const named = { service_id: offering, plan_id: plan };
  const bound = there !== undefined && stock.bindings.has(`${id}/${bindingId}`);
  const instance = ['v2', 'service_instances', id];
  const binding = [...instance, 'service_bindings', bindingId];
  const common: Pairs = [['x-broker-api-version', '2.17']];
  const body = (value: object) => ({ headers: [...common, json], body: JSON.stringify(value) });
  const query: Pairs = chance.once(2) ? [['accepts_incomplete', 'true']] : [];
  const ofThing = offering === offerings.thing.id;
  const parameters = ofThing ? { parameters: { size: 1 + chance.below(9), token: secret } } : {};
  const asked = { headers: common, query };
  const at = (parts: readonly string[], status: number) => ({ ...asked, parts, expected: [status] });
  const removing = { headers: common, query: [...query, ...Object.entries(named)] };
  const version = plan === 'old' ? { maintenance_info: { version: '1.0.0' } } : {};
  const where = { organization_guid: 'o', space_guid: 's', context: { platform: 'fuzz', instance_name: id } };
  switch (chance.below(12)) {
    case 0:
      return { ...at(chance.of([['v2', 'catalog'], ['metrics']]), 200), method: 'GET' };
    case 1:
    case 2:
      return {
        ...at(instance, 201),
        method: 'PUT',
        ...body({ ...named, ...where, ...parameters, ...version }),
        expected: there ? [200, 409] : [201],
      };
    case 3:
      return {
        ...at(instance, 200),
        method: 'PATCH',
        ...body({ service_id: offering, ...parameters }),
        expected: !there ? [404] : ofThing ? [200] : [200, 422],
      };
    case 4:
      return { ...at(instance, there ? 200 : 410), method: 'DELETE', ...removing };
    case 5:
      return { ...at(instance, there ? 200 : 404), method: 'GET' };
    case 6:
      return {
        ...at([...instance, 'last_operation'], 200),
        method: 'GET',
        expected: there ? [200] : [404, 410],
      };
    case 7:
    case 8:
      return {
        ...at(binding, 201),
        method: 'PUT',
        ...body({
          ...named,
          bind_resource: { app_guid: 'app' },
          ...(ofThing ? { parameters: { key: secret } } : {}),
        }),
        expected: !there ? [404] : bound ? [200, 409] : [201],
      };
    case 9:
      return { ...at(binding, bound ? 200 : 410), method: 'DELETE', ...removing };
    case 10:
      return { ...at(binding, bound ? 200 : 404), method: 'GET' };
    default:
      return {
        ...at([...binding, 'last_operation'], 200),
        method: 'GET',
        expected: bound ? [200] : [404, 410],
      };
  }
}

const names = ['one', 'two', 'three'];

function tsuruRequest(chance: Chance, stock: Stock, secret: string): FuzzRequest {
  const name = chance.of(names);
  const offering = chance.of(['thing', 'echo']);
  const there = stock.instances.has(`tsuru.${offering}.${name}`);
  const headers: Pairs = [basic(offering, tsuruPassword), ['x-tsuru-user', 'u@example.com']];
  const resources = ['tsuru', offering, 'resources'];
  const at = [...resources, name];
  const form = (fields: Readonly<Record<string, string>>) => ({
    headers: [...headers, ['content-type', 'application/x-www-form-urlencoded']] as Pairs,
    body: new URLSearchParams(fields).toString(),
  });
  const asJson = (fields: object) => ({ headers: [...headers, json] as Pairs, body: JSON.stringify(fields) });
  const app = { 'app-name': 'app', 'app-host': 'app.example.com' };
  const of = (method: string, parts: readonly string[], more: Partial<FuzzRequest> = {}): FuzzRequest => ({
    method,
    parts,
    query: [],
    headers,
    ...more,
  });
  const found = (status: number) => ({ expected: [there ? status : 404] });
  const parameters: Readonly<Record<string, string>> =
    offering === 'thing' ? { 'parameters.size': `${1 + chance.below(9)}`, 'parameters.token': secret } : {};
  switch (chance.below(16)) {
    case 0:
      return of('GET', ['tsuru', offering, 'manifest.yaml']);
    case 1:
    case 2:
    case 3:
      return of('POST', resources, {
        ...form({ name, team: 't', user: 'u', ...parameters }),
        expected: [there ? 409 : 201],
      });
    case 4:
      return of('POST', resources, {
        ...asJson({
          name,
          team: 't',
          user: 'u',
          tags: ['a'],
          ...(parameters['parameters.size'] ? { parameters: { size: 2 } } : {}),
        }),
        expected: [there ? 409 : 201],
      });
    case 5:
      return of('GET', [...resources, 'plans'], { expected: [200] });
    case 6:
      return of('GET', at, found(200));
    case 7:
      return of('PUT', at, form({ team: 't', user: 'u', plan: '', ...parameters }));
    case 8:
      return of('DELETE', at, { expected: there ? [200, 409] : [404] });
    case 9:
      return of('GET', [...at, 'status'], found(204));
    case 10:
      // Who is bound with other parameters is refused.
      return of('POST', [...at, 'bind-app'], { ...form(app), expected: there ? [201, 409] : [404] });
    case 11:
      return of('DELETE', [...at, 'bind-app'], form(app));
    case 12:
      return of('POST', [...at, 'bind'], form({ ...app, 'unit-host': '10.0.0.1' }));
    case 13:
      return of('DELETE', [...at, 'bind'], form({ ...app, 'unit-host': '10.0.0.1' }));
    case 14:
      return of(chance.of(['PUT', 'DELETE']), [...at, 'binds', 'jobs', 'job']);
    default:
      return of('GET', [...at, chance.of(['units', 'log'])]);
  }
}

function operatorRequest(chance: Chance, stock: Stock): FuzzRequest {
  const id = chance.of([...stock.instances.keys(), 'i-1', 'none']);
  const headers: Pairs = [basic('operator', operatorPassword)];
  const of = (method: string, path: string, more: Partial<FuzzRequest> = {}): FuzzRequest => ({
    method,
    parts: path.split('/'),
    query: [],
    headers,
    ...more,
  });
  const posted = (value: object) => ({ headers: [...headers, json], body: JSON.stringify(value) });
  const at = `operator/instances/${encodeURIComponent(id)}`;
  const found = { expected: [stock.instances.has(id) ? 200 : 404] };
  const listed: Pairs = [
    ['limit', '10'],
    chance.of([
      ['state', 'ready'],
      ['plan', 'plain'],
      ['older_than', '1s'],
      ['drifted', 'true'],
      ['after', 'i'],
    ]),
  ];
  switch (chance.below(14)) {
    case 0:
      return of('GET', 'operator/nodes', { expected: [200] });
    case 1:
      return of('POST', `operator/nodes/nowhere/${chance.of(['drain', 'undrain', 'forget', 'abandon'])}`, {
        expected: [404],
      });
    case 2:
      return of('GET', 'operator/offerings', { expected: [200] });
    case 3:
    case 4:
      return of('GET', 'operator/instances', { query: listed, expected: [200] });
    case 5:
      return of('GET', 'operator/operations', {
        query: [
          ['limit', '10'],
          ['kind', 'bind'],
        ],
        expected: [200],
      });
    case 6:
      return of('GET', at, found);
    case 7:
      return of(
        'POST',
        `${at}/actions/${chance.of(['start', 'stop', 'restart', 'recreate', 'upgrade'])}`,
        posted({}),
      );
    case 8:
      return of('DELETE', at, { query: [['confirm', id]] });
    case 9:
      return of('DELETE', `${at}/bindings/b-1`);
    case 10:
      return of('POST', `${at}/exec`, posted({ command: ['true'], timeout: 1000 }));
    case 11:
      return of('GET', `${at}/log`, { query: [['lines', '5']] });
    case 12:
      return of('POST', 'operator/orphans/remove', posted({ provisioner: 'directory', name: 'none' }));
    default:
      return of('GET', 'operator/audit', { query: [['limit', '10']], expected: [200] });
  }
}

/** To what needs no login, or has its own. */
function openRequest(chance: Chance, stock: Stock, secret: string): FuzzRequest {
  const id = chance.of([...stock.bindings, 'i-1/b-1']);
  const of = (method: string, path: string, more: Partial<FuzzRequest> = {}): FuzzRequest => ({
    method,
    parts: path.split('/'),
    query: [],
    headers: [['authorization', '']],
    ...more,
  });
  switch (chance.below(5)) {
    case 0:
      return of('GET', chance.of(['healthz', 'readyz']), { expected: [200] });
    case 1:
      return of('GET', 'dashboard/i-1', { query: [['token', secret]] });
    case 2:
      return of('POST', `services/echo/${id}`, {
        headers: [['authorization', `Bearer ${secret}`], json],
        body: '{"message": "hello"}',
      });
    case 3:
      return of('GET', 'v2/catalog', { headers: [basic('broker', secret)], expected: [401] });
    default:
      return of('GET', 'operator/nodes', { headers: [basic('operator', secret)], expected: [401] });
  }
}
