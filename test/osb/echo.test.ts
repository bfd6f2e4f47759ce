import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Response } from 'supertest';
import { listen, openGate, type DatabaseGate } from '../support/database-gate.ts';
import { startedBrokers, addressOf, stop } from '../support/started-brokers.ts';
import { runInGroup } from '../support/run-program.ts';
import { bindingPath, instancePath, trialPlatform, unknownInstance } from '../support/trial-platform.ts';
import { startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import { post, postTo, dashboard, dashboardOf } from './echo-client.ts';
import { until } from '../support/until.ts';

/**
 * Echo and invert, the two services of the oldest public Python broker, as its platform and its users meet them:
 * through the broker, over HTTP, for real.
 */

const login = 'user:pass';

const platform = trialPlatform({
  CATALOG_DIR: 'catalog',
  BROKER_USERNAME_2: 'user',
  BROKER_PASSWORD_2: 'pass',
});

const { ask, bind, binding, broker, deprovision, instance, provision, refused, unbind } = platform;
const asThen = { login, headers: { 'x-broker-api-version': '2.3' } };

test('The catalog sells echo and invert, with the ids that they have always had, to a client of version 2.3 [E1, CAT-01]', async () => {
  const { status, body } = await ask('get', '/v2/catalog', asThen);
  expect(status).toBe(200);
  const { services } = body as {
    services: { id: string; name: string; plans: { id: string; name: string; free: boolean }[] }[];
  };
  const old = services.filter(({ name }) => ['echo', 'invert'].includes(name));
  expect(
    old.map(({ id, name, plans }) => [id, name, plans.map((plan) => [plan.id, plan.name, plan.free])]),
  ).toEqual([
    ['echo_service', 'echo', [['big_0001', 'large', true]]],
    ['invert_service', 'invert', [['small_0001', 'small', true]]],
  ]);
});

test.each<[string, object, number]>([
  ['a wrong password', { login: 'user:wrong' }, 401],
  ['a wrong user', { login: 'nobody:pass' }, 401],
  ['no login', { login: undefined }, 401],
  ['no version', { headers: { 'x-broker-api-version': undefined } }, 400],
  ['version 2.2', { headers: { 'x-broker-api-version': '2.2' } }, 412],
  ['version 2', { headers: { 'x-broker-api-version': '2' } }, 400],
  ['version abc', { headers: { 'x-broker-api-version': 'abc' } }, 400],
])(
  'With %s every route answers the same, in JSON [E2, AUT-01, HDR-01, HDR-02, HDR-03]',
  async (_what, sent, status) => {
    const on = await instance('echo/large');
    const { path } = await binding(on);
    const requests = [
      () => ask('get', '/v2/catalog', { ...asThen, ...sent }),
      () => provision('echo/large', { ...asThen, ...sent }),
      () => provision('echo/large', { id: on.id, ...asThen, ...sent }),
      () => bind(on, { ...asThen, ...sent }),
      () => ask('get', path, { ...asThen, ...sent }),
      () => unbind({ path, instance: on }, { ...asThen, ...sent }),
      () => deprovision(on, { ...asThen, ...sent }),
    ];
    for (const one of requests) {
      const answer = await refused(one);
      expect(answer.status).toBe(status);
      expect(answer.body).toMatchObject({ description: expect.stringMatching(/./) as string });
    }
  },
);

test('A plan of the other service is refused with a sentence, the right one gives a dashboard [E3, PRV-14, PRV-15, PRV-23]', async () => {
  const wrong = await refused(() => provision('echo/large', { ...asThen, body: { plan_id: 'small_0001' } }));
  expect(wrong).toMatchObject({
    status: 400,
    body: { description: "The plan_id 'small_0001' is not a plan of service 'echo'." },
  });
  const { status, body } = await provision('echo/large', asThen);
  expect({ status, body: body as object }).toEqual({
    status: 201,
    body: { dashboard_url: expect.stringContaining(`${broker().url}/dashboard/`) as string },
  });
});

test('The dashboard shows the instance, how many bindings it has, and how many messages have come [E4]', async () => {
  const on = await instance('echo/large');
  const url = await dashboardOf(platform, on);
  const before = await dashboard(url);
  expect(before).toMatchObject({ status: 200, type: 'text/html; charset=utf-8', counts: [0, 0] });
  expect(before.text).toContain(on.id);
  const one = await binding(on);
  await post(one, { message: 'first' });
  await post(one, { message: 'second' });
  const after = await dashboard(url);
  expect(after.counts).toEqual([1, 2]);
  expect(after.text).toContain('second');
});

test('The dashboard needs its token, and is gone with its instance [E4, E12]', async () => {
  const [on, other] = [await instance('echo/large'), await instance('invert/small')];
  const url = await dashboardOf(platform, on);
  const foreign = new URL(await dashboardOf(platform, other)).searchParams.get('token') ?? '';
  const closed = [url.replace(/\?.*/, ''), url.slice(0, -1), url.replace(/token=.*/, `token=${foreign}`)];
  for (const address of closed) {
    const { status, text } = await dashboard(address);
    expect(status).toBe(404);
    expect(text).not.toContain(on.id);
  }
  await deprovision(on);
  expect((await dashboard(url)).status).toBe(404);
});

test('A provision once more is 200 with the same dashboard, with another body 409 [E5, PRV-05, PRV-07, PRV-08]', async () => {
  const id = randomUUID();
  const first = await provision('echo/large', { id, ...asThen });
  const { status, body } = await provision('echo/large', { id, ...asThen });
  expect({ status, body: body as object }).toEqual({ status: 200, body: first.body as object });
  for (const other of [
    { space_guid: 'another' },
    { organization_guid: 'another' },
    { parameters: { a: 1 } },
  ]) {
    expect((await refused(() => provision('echo/large', { id, ...asThen, body: other }))).status).toBe(409);
  }
  expect((await refused(() => provision('invert/small', { id, ...asThen }))).status).toBe(409);
});

test('A bind on an unknown instance is 404, an unbind there 410 [E7, BND-11, UNB-02]', async () => {
  const never = unknownInstance('unheard-of', 'echo/large');
  expect((await refused(() => bind(never, asThen))).status).toBe(404);
  const gone = await refused(() => unbind({ path: bindingPath(never, 'b'), instance: never }, asThen));
  expect(gone.status).toBe(410);
});

test('Unbind and deprovision are 200 once and then 410; a binding that is left does not hinder [E12, UNB-01, UNB-02, DEP-01, DEP-02, DEP-10]', async () => {
  const before = present(await platform.traces());
  const on = await instance('echo/large');
  const [one, left] = [await binding(on), await binding(on)];
  await post(left, { message: 'x' });
  const answers = [
    await unbind(one, asThen),
    await unbind(one, asThen),
    await deprovision(on, asThen),
    await deprovision(on, asThen),
    await unbind(left, asThen),
  ];
  expect(answers.map(({ status, body }) => [status, body as object])).toEqual([
    [200, {}],
    [410, {}],
    [200, {}],
    [410, {}],
    [410, {}],
  ]);
  expect(present(await platform.traces())).toEqual(before);
});

/** Without the operations, which are history. */
function present(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !line.startsWith('operations '));
}

test('A broker that is started again knows instances, bindings and counts, and its addresses go on working [E11]', async () => {
  const port = await freePort();
  const start = () =>
    startWholeBroker(platform.database(), {
      PORT: `${port}`,
      CATALOG_DIR: 'catalog',
      DATA_DIR: platform.dataDir,
    });
  const first = await start();
  const on = await instance('echo/large', { id: 'kept' });
  const other = await first.ask('put', instancePath('kept-too'), { body: provisionOf() });
  const { dashboard_url: page } = other.body as { dashboard_url: string };
  const path = bindingPath({ path: instancePath('kept-too') }, 'b');
  const bound = await first.ask('put', path, { body: on.ids });
  const { credentials } = bound.body as { credentials: { uri: string } };
  await postTo(credentials.uri, { message: 'before' });
  await first.stop();

  const second = await start();
  try {
    expect((await second.ask('get', path)).body).toMatchObject({ credentials });
    expect((await postTo(credentials.uri, { message: 'after' })).body).toEqual({ response: 'after' });
    expect((await dashboard(page)).counts).toEqual([1, 2]);
    expect((await second.ask('put', instancePath('kept-too'), { body: provisionOf() })).status).toBe(200);
    expect((await second.ask('get', on.path)).status).toBe(200);
  } finally {
    await second.stop();
  }
});

function provisionOf(): object {
  const ids = { service_id: 'echo_service', plan_id: 'big_0001' };
  return { ...ids, organization_guid: 'an-organization', space_guid: 'a-space' };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('Without its database', () => {
  let gate: DatabaseGate;
  let cut: WholeBroker;
  beforeAll(async () => {
    gate = await openGate();
    gate.open();
    const env = { DATABASE_URL: gate.url.href, CATALOG_DIR: 'catalog', DATA_DIR: platform.dataDir };
    cut = await startWholeBroker(platform.database(), env);
  });
  afterAll(async () => {
    await cut.stop();
    await gate.close();
  });

  test('Without the database of echo, every request that needs it is answered 503 with a sentence, nothing is half done, and then the same requests succeed [E13, ERR-08]', async () => {
    const ids = { service_id: 'echo_service', plan_id: 'big_0001' };
    const there = instancePath('there');
    expect((await cut.ask('put', there, { body: provisionOf() })).status).toBe(201);
    const bound = await cut.ask('put', bindingPath({ path: there }, 'b'), { body: ids });
    const { credentials } = bound.body as { credentials: { uri: string } };
    const requests: readonly (readonly [() => Promise<Response>, number])[] = [
      [() => cut.ask('put', instancePath('new'), { body: provisionOf() }), 201],
      [() => cut.ask('get', there), 200],
      [() => cut.ask('get', `${there}/last_operation`), 200],
      [() => cut.ask('patch', there, { body: { ...ids, context: { instance_name: 'renamed' } } }), 200],
      [() => cut.ask('put', bindingPath({ path: there }, 'new'), { body: ids }), 201],
      [() => postTo(credentials.uri, { message: 'x' }), 200],
      [() => cut.ask('delete', bindingPath({ path: there }, 'b'), { query: ids }), 200],
      [() => cut.ask('delete', there, { query: ids }), 200],
    ];
    gate.shut();
    for (const [send] of requests) {
      const { status, body, headers } = await send();
      expect({ status, headers }).toMatchObject({
        status: 503,
        headers: { 'content-type': 'application/json' },
      });
      expect(body).toMatchObject({ description: expect.stringMatching(/^[A-Z].*\.$/) as string });
    }
    expect((await cut.ask('get', '/v2/catalog')).status).toBe(200);
    gate.open();
    await until('the broker is ready', async () => (await cut.ask('get', '/readyz')).status === 200);
    expect((await cut.ask('get', instancePath('new'))).status).toBe(404);
    expect((await cut.ask('get', bindingPath({ path: there }, 'new'))).status).toBe(404);
    for (const [send, status] of requests) expect((await send()).status).toBe(status);
  });
});

test('The calls of the first broker’s README, one after the other, are answered as it says, with the plan that is right [E14]', async () => {
  const org = { organization_guid: 'org-guid-here', space_guid: 'space-guid-here' };
  const script = [
    ['echo_service', 'big_0001', 'Hello World', 'Hello World'],
    ['invert_service', 'small_0001', 'Hello World', 'dlroW olleH'],
  ] as const;
  for (const [service_id, plan_id, message, response] of script) {
    const path = instancePath(`readme-${service_id}`);
    const bound = bindingPath({ path }, 'mynewbinding');
    const ids = { service_id, plan_id };
    const headers = { ...asThen.headers, 'content-type': 'application/json' };
    expect((await ask('get', '/v2/catalog', asThen)).status).toBe(200);
    const made = await ask('put', path, { ...asThen, headers, body: { ...ids, ...org } });
    const { dashboard_url: page } = made.body as { dashboard_url: string };
    expect({ status: made.status, page: (await dashboard(page)).status }).toEqual({ status: 201, page: 200 });
    const told = await ask('put', bound, { ...asThen, headers, body: { ...ids, app_guid: 'app-guid-here' } });
    const { credentials } = told.body as { credentials: { uri: string } };
    expect(told.status).toBe(201);
    const { body } = await postTo(credentials.uri, { message });
    expect(body).toEqual({ response });
    expect(await ask('delete', bound, { ...asThen, query: ids })).toMatchObject({ status: 200, body: {} });
    expect((await postTo(credentials.uri, { message })).status).toBe(401);
    expect(await ask('delete', path, { ...asThen, query: ids })).toMatchObject({ status: 200, body: {} });
    expect((await dashboard(page)).status).toBe(404);
  }
});

describe('As a platform starts it', () => {
  const brokers = startedBrokers();
  test('The broker that a platform starts by its Procfile, with a PORT, listens there [E15]', async () => {
    const [, command = ''] = /^web: (.+)\n$/.exec(readFileSync('Procfile', 'utf8')) ?? [];
    const [program = '', ...args] = command.split(' ');
    const port = await freePort();
    const running = runInGroup(program, args, {
      PORT: `${port}`,
      HOST: '127.0.0.1',
      LOG_FORMAT: 'text',
      BROKER_USERNAME: 'user',
      BROKER_PASSWORD: 'pass',
      DATA_DIR: brokers.scratch,
    });
    try {
      const address = await addressOf(running);
      expect(address).toBe(`http://127.0.0.1:${port}`);
      const headers = { authorization: `Basic ${btoa(login)}`, 'x-broker-api-version': '2.3' };
      expect((await fetch(`${address}/v2/catalog`, { headers })).status).toBe(200);
    } finally {
      expect((await stop(running)).code).toBe(0);
    }
  });
});
