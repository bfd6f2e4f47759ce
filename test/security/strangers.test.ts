import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { listen } from '../support/database-gate.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import {
  operatorPassword,
  startWholeBroker,
  testPassword,
  type Asked,
  type WholeBroker,
} from '../support/whole-broker.ts';

/** What strangers send leads the broker to no address, and to no file, of their choice; and what it answers is safe to show. */

let database: TestDatabase;
let broker: WholeBroker;
/** Nothing but the broker knows its address. */
let trap: Server;
let address: string;
let visitors = 0;
const nodeDir = scratchDirectory('strangers');

beforeAll(async () => {
  database = await openTestDatabase();
  trap = createServer((socket) => {
    visitors += 1;
    socket.destroy();
  });
  address = `http://127.0.0.1:${await listen(trap)}`;
  broker = await startWholeBroker(database, {
    NODE_ROLE: 'true',
    NODE_DIR: nodeDir,
    TSURU_PASSWORD: 'of-tsuru',
    TRUST_PROXY: '1',
  });
});
afterAll(async () => {
  await broker.stop();
  trap.close();
  await database.close();
});

const echo = { service_id: 'echo_service', plan_id: 'big_0001' };
const incomplete = { accepts_incomplete: 'true' };
const operator = { login: `operator:${operatorPassword}` };

test('No address in what a platform sends is gone to.', async () => {
  const url = `${address}/steal`;
  const headers = {
    'x-broker-api-originating-identity': `cloudfoundry ${Buffer.from(JSON.stringify({ user_id: url, iss: url, url })).toString('base64')}`,
    'x-forwarded-host': address.slice('http://'.length),
    'x-forwarded-proto': 'http',
    forwarded: `host=${address.slice('http://'.length)}`,
    referer: url,
    origin: address,
    'x-callback-url': url,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: `x=${url}`,
  };
  const context = {
    platform: url,
    endpoint: url,
    api_url: url,
    cluster_url: url,
    instance_name: url,
    clusterid: url,
  };
  const parameters = { url, host: url, webhook: url, callback_url: url, dashboard_url: url };
  const body = { ...echo, organization_guid: url, space_guid: url, context, parameters };
  const bind = {
    ...echo,
    context,
    parameters,
    bind_resource: { app_guid: url, route: url, credential_client_id: url },
    predecessor_binding_id: undefined,
  };
  const id = encodeURIComponent(url);
  const sent: readonly (readonly [
    method: 'get' | 'put' | 'patch' | 'post' | 'delete',
    path: string,
    asked: Asked,
  ])[] = [
    ['put', `/v2/service_instances/${id}`, { body, query: incomplete }],
    ['put', '/v2/service_instances/plain', { body: { ...body, parameters: undefined }, query: incomplete }],
    ['put', '/v2/service_instances/plain/service_bindings/b', { body: bind, query: incomplete }],
    [
      'put',
      `/v2/service_instances/plain/service_bindings/${id}`,
      { body: { ...bind, parameters: undefined } },
    ],
    ['patch', '/v2/service_instances/plain', { body: { ...echo, context, parameters }, query: incomplete }],
    ['get', '/v2/service_instances/plain', { query: { service_id: url, plan_id: url } }],
    ['get', `/dashboard/${id}`, { query: { url, next: url, redirect_uri: url, code: url, state: url } }],
    ['get', '/dashboard', { query: { code: url, state: url, iss: url } }],
    [
      'post',
      '/tsuru/echo/resources',
      {
        login: 'echo:of-tsuru',
        body: `name=${id}&plan=big&eventid=${id}&user=${id}&team=${id}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      },
    ],
    ['get', '/operator/instances', { ...operator, query: { node: url, after: url } }],
    ['get', `/operator/instances/${id}`, operator],
    ['post', `/operator/instances/${id}/restart`, { ...operator, body: { node: url, url } }],
    ['delete', '/v2/service_instances/plain', { query: { ...echo, ...incomplete } }],
  ];
  for (const [method, path, asked] of sent) {
    const { status } = await broker.ask(method, path, {
      ...asked,
      headers: { ...headers, ...asked.headers },
    });
    expect([path, status >= 500]).toEqual([path, false]);
  }
  expect(visitors).toBe(0);
});

test.each<[id: string, isTaken: boolean]>([
  ['..', false],
  ['.', false],
  ['escaped\0.txt', false],
  ['../../escaped', true],
  ['..%2f..%2fescaped', true],
  ['/etc/escaped', true],
  ['~/escaped', true],
  ['a/../../../escaped', true],
  ['..\\..\\escaped', true],
  ['%2e%2e%2fescaped', true],
  ['C:escaped', true],
])(
  'An instance whose id is %j has its files in a directory of its own name, and no other.',
  async (id, isTaken) => {
    const path = `/v2/service_instances/${id.startsWith('.') && id.length < 3 ? id.replaceAll('.', '%2E') : encodeURIComponent(id)}`;
    const plan = await planOf('filesystem');
    const body = { ...plan, organization_guid: 'o', space_guid: 's' };
    const { status } = await broker.ask('put', path, { body, query: incomplete });
    expect([200, 201, 202].includes(status)).toBe(isTaken);
    if (isTaken) await ended(path);
    const outside = [join(nodeDir, '..'), '/etc', '/', homedir()].flatMap((directory) =>
      readdirSync(directory),
    );
    const inside = readdirSync(nodeDir, { recursive: true }).map((name) => basename(String(name)));
    expect([...outside, ...inside].filter((name) => /^(?:C:)?escaped/.test(name))).toEqual([]);
    await broker.ask('delete', path, { query: { ...plan, ...incomplete } });
  },
);

async function planOf(name: string): Promise<{ readonly service_id: string; readonly plan_id: string }> {
  const { services } = (await broker.ask('get', '/v2/catalog')).body as {
    readonly services: readonly {
      readonly id: string;
      readonly name: string;
      readonly plans: readonly { readonly id: string }[];
    }[];
  };
  const offering = services.find((one) => one.name === name);
  if (!offering?.plans[0])
    throw new Error(`There is no ${name}: ${services.map((one) => one.name).join(', ')}`);
  return { service_id: offering.id, plan_id: offering.plans[0].id };
}

async function ended(path: string): Promise<void> {
  for (;;) {
    const { status, body } = await broker.ask('get', `${path}/last_operation`);
    if (status !== 200 || (body as { state?: string }).state !== 'in progress') return;
  }
}

test.each([
  '/../etc/passwd',
  '/..%2f..%2fetc%2fpasswd',
  '/operator/../../../etc/passwd',
  '/operator/pages/..%2f..%2fpackage.json',
  '/dashboard/..%2f..%2fpackage.json',
  '//etc/passwd',
  '/.env',
  '/package.json',
  '/src/main.ts',
])('There is no file behind %s.', async (path) => {
  for (const login of [undefined, `broker:${testPassword}`, operator.login]) {
    const { status, text } = await broker.ask('get', path, { login });
    expect([400, 401, 403, 404, 412]).toContain(status);
    expect(text).not.toMatch(/root:|"dependencies"|import /);
  }
});

const accept = { accept: 'text/html' };
test.each<[path: string, asked: Asked, status: number]>([
  ['/healthz', { login: undefined }, 200],
  ['/readyz', { login: undefined }, 200],
  ['/v2/catalog', {}, 200],
  ['/v2/catalog', { login: undefined }, 401],
  ['/v2/catalog', { login: 'broker:wrong' }, 401],
  ['/v2/catalog', { headers: { 'x-broker-api-version': '1.0' } }, 412],
  ['/v2/service_instances/none', {}, 404],
  ['/v2/nothing', {}, 404],
  ['/v2/service_instances/%zz', {}, 400],
  ['/metrics', operator, 200],
  ['/operator/instances', operator, 200],
  ['/operator/instances', { login: undefined }, 401],
  ['/operator', { ...operator, headers: accept }, 200],
  ['/operator/none', { ...operator, headers: accept }, 404],
  ['/dashboard/none', { headers: accept, login: undefined }, 404],
  ['/tsuru/echo/resources/plans', { login: 'echo:of-tsuru' }, 200],
])(
  'The answer of %s to %j is read as what it says it is, tells nothing of the software, and is kept by nobody else.',
  async (path, asked, status) => {
    const answer = await broker.ask('get', path, asked);
    const { headers } = answer;
    const type = String(headers['content-type']);
    expect([answer.status, headers['x-content-type-options']]).toEqual([status, 'nosniff']);
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-powered-by']));
    expect(headers['server']).toBeUndefined();
    expect(type).toMatch(/^(application\/json|text\/(html|plain)|application\/openmetrics-text)\b/);
    if (asked.login !== undefined || !('login' in asked))
      expect(headers['cache-control']).toMatch(/no-store|private|no-cache/);
    if (type.startsWith('text/html'))
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
  },
);
