import { parse } from 'yaml';
import { openTestDatabase } from '../support/database.ts';
import { operatorPassword, startWholeBroker, testPassword } from '../support/whole-broker.ts';
import { tsuruCloud, tsuruPassword } from './tsuru-cloud.ts';

/** Who may ask, what tsuru is told to ask with, and what stays secret. */

const cloud = tsuruCloud({
  CATALOG_DIR: 'catalog:catalog/trial',
  PUBLIC_URL: 'https://broker.example.com/purveyor',
  TSURU_PASSWORDS: JSON.stringify({ invert: 'its own: "pässword"', withdrawn: 'x' }),
});
const { ask } = cloud;

test.each<[string, string | undefined]>([
  ['no login', undefined],
  ['a wrong password', 'echo:wrong'],
  ['the login of another service', `invert:its own: "pässword"`],
  ['the password of another service', `echo:its own: "pässword"`],
  ['the name of another service', `trial-timing:${tsuruPassword}`],
  ['the login of OSB platforms', `broker:${testPassword}`],
])('T16: with %s nothing is told, whatever the path.', async (_what, login) => {
  for (const [method, path] of [
    ['GET', 'echo/manifest.yaml'],
    ['POST', 'echo/resources'],
    ['GET', 'echo/resources/r1/status'],
    ['DELETE', 'echo/resources/r1'],
    ['GET', 'echo/nowhere'],
    ['PATCH', 'echo/resources/r1'],
  ] as const) {
    const answer = await ask(method, path, { login });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="tsuru service"/);
  }
});

test("T16: the operator's password opens all services but those with their own.", async () => {
  const own = 'invert:its own: "pässword"';
  expect(await ask('GET', 'echo/resources/plans')).toMatchObject({ status: 200 });
  expect(await ask('GET', 'trial-timing/resources/plans')).toMatchObject({ status: 200 });
  expect(await ask('GET', 'invert/resources/plans')).toMatchObject({ status: 401 });
  expect(await ask('GET', 'invert/resources/plans', { login: own })).toMatchObject({ status: 200 });
  expect(await ask('GET', 'inv%65rt/resources/plans', { login: own })).toMatchObject({ status: 200 });
  expect(await ask('GET', 'echo/nowhere')).toMatchObject({ status: 404 });
  expect(await ask('GET', '%ff/nowhere', { login: own })).toMatchObject({ status: 401 });
  expect(await ask('GET', 'withdrawn/resources/plans', { login: 'withdrawn:x' })).toMatchObject({
    status: 404,
  });
});

test('T19: the manifest is YAML that registers the service.', async () => {
  const answer = await ask('GET', 'echo/manifest.yaml?team=data');
  expect(answer).toMatchObject({ status: 200 });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(parse(answer.text)).toEqual({
    id: 'echo',
    username: 'echo',
    password: expect.stringMatching(/^[\w-]{32}$/),
    team: 'data',
    endpoint: { production: 'https://broker.example.com/purveyor/tsuru/echo' },
  });
  const other = await ask('GET', 'invert/manifest.yaml', { login: 'invert:its own: "pässword"' });
  expect(parse(other.text)).toMatchObject({ id: 'invert', password: 'its own: "pässword"' });
  expect(parse(other.text)).not.toHaveProperty('team');
});

test('T16: what a manifest holds opens its own service, and no route of another one.', async () => {
  const { text } = await ask('GET', 'echo/manifest.yaml');
  const { password } = parse(text) as { password: string };
  expect(await ask('GET', 'echo/resources/plans', { login: `echo:${password}` })).toMatchObject({
    status: 200,
  });
  for (const username of ['trial-timing', 'echo', 'invert']) {
    for (const [method, path] of [
      ['GET', 'resources/plans'],
      ['GET', 'manifest.yaml'],
      ['POST', 'resources'],
      ['GET', 'resources/r1/status'],
      ['DELETE', 'resources/r1'],
      ['POST', 'resources/r1/bind-app'],
    ] as const) {
      const service = username === 'invert' ? 'invert' : 'trial-timing';
      const answer = await ask(method, `${service}/${path}`, { login: `${username}:${password}` });
      expect({ username, path, status: answer.status }).toEqual({ username, path, status: 401 });
    }
  }
});

test('One user name may be set for all services; without a password there is nothing.', async () => {
  const database = await openTestDatabase();
  const named = await startWholeBroker(database, {
    CATALOG_DIR: 'catalog/trial',
    TSURU_USERNAME: 'tsuru',
    TSURU_PASSWORDS: '{"trial-timing":"p"}',
  });
  const off = await startWholeBroker(database, { CATALOG_DIR: 'catalog/trial' });
  try {
    const asked = (path: string, login: string) => named.ask('get', `/tsuru/${path}`, { login });
    expect(await asked('trial-timing/resources/plans', 'tsuru:p')).toMatchObject({ status: 200 });
    expect(await asked('trial-timing/resources/plans', 'trial-timing:p')).toMatchObject({ status: 401 });
    expect(await asked('trial-failing/resources/plans', 'tsuru:p')).toMatchObject({ status: 401 });
    expect(parse((await asked('trial-timing/manifest.yaml', 'tsuru:p')).text)).toMatchObject({
      username: 'tsuru',
    });
    expect(await off.ask('get', '/tsuru/trial-timing/resources/plans')).toMatchObject({ status: 404 });
  } finally {
    await Promise.all([named.stop(), off.stop()]);
    await database.close();
  }
});

test('Who asked is recorded; what lies in headers and fields of clusters is neither logged nor kept.', async () => {
  const canary = 'canary-8d1f';
  const headers = {
    'X-Tsuru-User': 'someone@example.com',
    'X-Tsuru-Eventid': 'event-1',
    'X-Tsuru-Cluster-Kube-Config': `${canary}-config`,
    'X-Tsuru-Cluster-Addresses': `https://${canary}`,
    'X-Tsuru-Cluster-Name': 'a-cluster',
    'X-Tsuru-Pool-Name': 'a-pool',
    'X-Request-ID': `${canary}-request`,
  };
  const form = { 'app-name': 'a', 'app-cluster-addresses': `https://${canary}` };
  await ask('POST', 'echo/resources', { headers, form: { name: 'kept', team: 'data' } });
  const bound = await ask('POST', 'echo/resources/kept/bind-app', { headers, form });
  expect(bound.status).toBe(201);
  await ask('POST', 'echo/resources/kept/bind-app', { headers, body: '%ff=1' });
  await ask('POST', 'echo/resources', { headers, json: { name: 1, x: canary } });
  const { pool, schema } = cloud.database();
  const tables = await pool.query<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = $1',
    [schema],
  );
  const rows = await Promise.all(
    tables.rows.map(async ({ name }) => (await pool.query<object>(`select * from "${name}"`)).rows),
  );
  const kept = JSON.stringify(rows);
  // Operators see who it was; the tables hold it sealed.
  const asked = await cloud.brokers()[0]?.ask('get', '/operator/instances/tsuru.echo.kept', {
    login: `operator:${operatorPassword}`,
  });
  expect(JSON.stringify(asked?.body)).toContain('someone@example.com');
  expect(JSON.stringify(asked?.body)).toContain('event-1');
  expect(kept).not.toContain('someone@example.com');
  expect(kept).toContain('"team":"data"');
  expect(kept).toMatch(/"cluster":"a-cluster".*"pool":"a-pool"|"pool":"a-pool".*"cluster":"a-cluster"/);
  const output = cloud.brokers()[0]?.output() ?? '';
  expect(output).toContain('/tsuru/echo/resources/kept/bind-app');
  const { ECHO_TOKEN: token = '' } = JSON.parse(bound.text) as Record<string, string>;
  for (const secret of [canary, tsuruPassword, token]) {
    expect(kept).not.toContain(secret);
    expect(output).not.toContain(secret);
  }
});
