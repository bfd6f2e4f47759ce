import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Response } from 'supertest';
import type { Broker } from '../../src/broker/broker.ts';
import { osb } from '../../src/protocols/osb/index.ts';
import { tsuru, type TsuruSettings } from '../../src/protocols/tsuru/index.ts';
import { hashPassword } from '../../src/program/principals/password-hash.ts';
import { keysIn } from '../support/instance-key.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import {
  operatorPassword,
  startWholeBroker,
  testPassword,
  type WholeBroker,
} from '../support/whole-broker.ts';

/** Several platforms on one broker: what is one's, another one neither sees nor touches, by whichever protocol. */

const echo = { service_id: 'echo_service', plan_id: 'big_0001' };
const ticker = {
  service_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a10',
  plan_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a11',
};
const logins = {
  acme: 'acme:of acme',
  blue: 'blue-user:of blue',
  default: `broker:${testPassword}`,
} as const;
type Platform = keyof typeof logins;
const platforms = Object.keys(logins) as readonly Platform[];

let database: TestDatabase;
let broker: WholeBroker;
const nodeDir = scratchDirectory('apart');

beforeAll(async () => {
  database = await openTestDatabase();
  const file = join(scratchDirectory('principals'), 'principals.json');
  const content = {
    platforms: [
      { name: 'acme', passwords: [await hashPassword('of acme')] },
      { name: 'blue', username: 'blue-user', passwords: [await hashPassword('of blue')] },
    ],
  };
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  broker = await startWholeBroker(database, {
    CATALOG_DIR: 'catalog:test/support/node-catalog',
    NODE_PORTS: '26500-26599',
    NODE_DIR: nodeDir,
    PRINCIPALS_FILE: file,
    TSURU_PASSWORD: 'of tsuru',
    ASYNC_PATIENCE: '60s',
  });
}, 60_000);
afterAll(async () => {
  await broker.stop();
  await database.close();
});

type Method = Parameters<WholeBroker['ask']>[0];

function ask(as: Platform, method: Method, path: string, sold: object = echo): Promise<Response> {
  const isRead = method === 'get' || method === 'delete';
  const body = { ...sold, organization_guid: 'o', space_guid: 's' };
  return broker.ask(method, path, {
    login: logins[as],
    ...(isRead ? { query: { ...sold } as Record<string, string> } : { body }),
  });
}

const at = (id: string, rest = '') => `/v2/service_instances/${encodeURIComponent(id)}${rest}`;

/** All that is written down of an instance of acme, and of what belongs to it. */
async function rowsOfAcme(): Promise<string> {
  const tables = ['service_instances', 'service_bindings', 'operations', 'tsuru_apps', 'echo_messages'];
  const read = tables.map(async (table) => {
    const asked = `select to_json(t) as row from ${table} t where to_json(t)::text like '%"acme::%' order by 1::text`;
    return (await database.pool.query(asked)).rows;
  });
  return JSON.stringify(await Promise.all(read));
}

function told({ status, text }: Response, id: string): object {
  return { status, text: text.replaceAll(id, '<id>') };
}

describe('What acme has', () => {
  let uri: string;
  let before: string;

  beforeAll(async () => {
    expect(await ask('acme', 'put', at('box'))).toMatchObject({ status: 201 });
    const bound = await ask('acme', 'put', at('box', '/service_bindings/app'));
    expect(bound).toMatchObject({ status: 201 });
    uri = (bound.body as { credentials: { uri: string } }).credentials.uri;
    const made = await broker.ask('post', '/tsuru/echo/resources', {
      login: logins.acme,
      body: { name: 'crate' },
    });
    expect(made).toMatchObject({ status: 201 });
    before = await rowsOfAcme();
    expect(before).toContain('acme::tsuru.echo.crate');
  });
  afterEach(async () => expect(await rowsOfAcme()).toBe(before));

  const strangers = platforms.filter((one) => one !== 'acme');
  const osbRoutes = osb({} as Broker, { acceptMissingVersion: false })
    .routes.filter(({ path }) => path.includes(':instanceId'))
    // What makes something is of the other platform's own.
    .toSorted((a, b) => Number(a.method === 'PUT') - Number(b.method === 'PUT'))
    .map(({ method, path }) => [method, path] as const);
  const tsuruRoutes = tsuru({ logins: { passwords: {} } } as unknown as TsuruSettings)
    .routes.filter(({ path }) => path.includes(':name'))
    .map(({ method, path }) => [method, path] as const);

  test.each(strangers.flatMap((as) => osbRoutes.map((route) => [as, ...route] as const)))(
    'What acme has is for %s as if it were not: %s %s.',
    async (as, method, path) => {
      const answers = await Promise.all(
        ['box', 'nix', 'acme::box'].map(async (id) => {
          const url = path.replace(':instanceId', encodeURIComponent(id)).replace(':bindingId', 'app');
          const answer = await ask(as, method.toLowerCase() as Method, url);
          // Of what it makes for itself the answer has secrets.
          return answer.status === 201 ? { status: 201 } : told(answer, id);
        }),
      );
      const [stranger, unknown, guessed] = answers;
      expect([stranger, guessed]).toEqual([unknown, unknown]);
    },
  );

  test.each(strangers.flatMap((as) => tsuruRoutes.map((route) => [as, ...route] as const)))(
    'What acme has by tsuru is for %s as if it were not: %s %s.',
    async (as, method, path) => {
      const login = as === 'default' ? 'echo:of tsuru' : logins[as];
      const body = { 'app-name': 'myapp', 'app-host': 'myapp.example.com', 'unit-host': '10.0.0.1' };
      const [stranger, unknown] = await Promise.all(
        ['crate', 'crata'].map(async (name) => {
          const url = path.replace(':offering', 'echo').replace(':name', name).replace(/:\w+/, 'one');
          const sent = { login, ...(method === 'GET' ? {} : { body }) };
          return told(await broker.ask(method.toLowerCase() as Method, url, sent), name);
        }),
      );
      expect(stranger).toEqual(unknown);
    },
  );

  test('What acme has is reached by acme by both protocols, and by the addresses that it was given.', async () => {
    expect(await ask('acme', 'get', at('box'))).toMatchObject({ status: 200 });
    const info = await broker.ask('get', '/tsuru/echo/resources/crate', { login: logins.acme });
    expect({ status: info.status, text: info.text }).toEqual({
      status: 200,
      text: expect.stringContaining('"Plan"'),
    });
    expect(uri).toContain('/services/echo/acme%3A%3Abox/app?token=');
    const post = (address: string) =>
      fetch(address, {
        method: 'POST',
        body: '{"message":"x"}',
        headers: { 'content-type': 'application/json' },
      });
    expect((await post(uri.replace('acme%3A%3A', ''))).status).toBe(401);
    expect((await post(uri.replace('acme', 'blue'))).status).toBe(401);
    const login = logins.acme;
    const manifest = await broker.ask('get', '/tsuru/echo/manifest.yaml', { login });
    expect(manifest.text).toContain('username: "acme"\npassword: "of acme"');
  });

  test('What acme has is found by operators by the name of the platform, which acme cannot give itself.', async () => {
    const operate = async (path: string) => {
      const answer = await broker.ask('get', `/operator/${path}`, { login: `operator:${operatorPassword}` });
      return {
        status: answer.status,
        body: answer.body as { instances?: { id: string; platform: string }[] },
      };
    };
    const { body } = await operate('instances?platform=acme');
    expect(body.instances?.map(({ id, platform }) => [id, platform])).toEqual([
      ['acme::box', 'acme'],
      ['acme::tsuru.echo.crate', 'acme'],
    ]);
    expect(await operate('instances/acme::box')).toMatchObject({
      status: 200,
      body: { id: 'acme::box', state: 'ready' },
    });
  });

  test.each(['acme', 'blue'] as const)('Counts of everybody are not shown to %s.', async (as) => {
    expect(await broker.ask('get', '/metrics', { login: logins[as] })).toMatchObject({ status: 401 });
    expect(await broker.ask('get', '/operator/instances', { login: logins[as] })).toMatchObject({
      status: 401,
    });
  });
});

test('One id of three platforms is three instances, from the first request to the last.', async () => {
  const id = 'one::and/the same';
  const each = <Value>(deed: (as: Platform) => Promise<Value>) => Promise.all(platforms.map(deed));
  const statuses = async (method: Method, path: string) =>
    (await each((as) => ask(as, method, path, ticker))).map(({ status }) => status);
  const binding = at(id, '/service_bindings/b');
  expect(await statuses('put', at(id))).toEqual([201, 201, 201]);
  expect(await statuses('put', at(id))).toEqual([200, 200, 200]);
  const passwords = (await each((as) => ask(as, 'put', binding, ticker))).map(
    ({ body }) => (body as { credentials: { password: string } }).credentials.password,
  );
  expect(new Set(passwords).size).toBe(3);
  const names = [`acme::${id}`, `blue::${id}`, `default::${id}`];
  const parent = join(nodeDir, 'process');
  expect(names.map((name) => keysIn(parent, name).length)).toEqual([1, 1, 1]);
  expect(await ask('blue', 'delete', at(id), ticker)).toMatchObject({ status: 200 });
  expect(await statuses('get', at(id, '/last_operation'))).toEqual([200, 410, 200]);
  expect(names.map((name) => keysIn(parent, name).length)).toEqual([1, 0, 1]);
  expect(await statuses('delete', binding)).toEqual([200, 410, 200]);
  expect(await statuses('delete', at(id))).toEqual([200, 410, 200]);
  expect(names.map((name) => keysIn(parent, name).length)).toEqual([0, 0, 0]);
});

test('An id may be as long for a platform with a name as for any other.', async () => {
  for (const [length, made, gone] of [
    [255, 201, 200],
    [256, 400, 410],
  ] as const) {
    expect(await ask('acme', 'put', at('i'.repeat(length)))).toMatchObject({ status: made });
    expect(await ask('acme', 'delete', at('i'.repeat(length)))).toMatchObject({ status: gone });
  }
});
