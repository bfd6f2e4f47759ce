import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { address } from '../provisioners/process/process-node.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';

/** Dashboards whose address is known only when the instance is made, through the whole broker. */

const server =
  'require("http").createServer((asked, answer) => answer.end(`console ${asked.url}`)).listen(process.env.PORT, process.env.HOST)';
const plans = ['small', 'large'].map((name) => ({ id: `console-${name}`, name, description: name }));

/** Once it runs, its hook waits for the gate before it tells the page. */
function consoleOffering(name: string, gate: string, changes: object = {}) {
  const ids = plans.map((plan) => ({ ...plan, id: `${name}-${plan.name}` }));
  return {
    id: name,
    name,
    description: 'Something with a page of its own',
    plan_updateable: true,
    instances_retrievable: true,
    provisioner: 'process',
    plans: ids,
    config: {
      ports: ['web'],
      processes: {
        web: {
          run: [process.execPath, '-e', server],
          env: { PORT: '{{ports.web}}', HOST: '{{node.bind}}' },
          ready: { port: 'web', http: '/' },
        },
      },
    },
    hooks: { once_ready: { run: ['./hooks/console/tell'], env: { GATE: gate } } },
    credentials: { uri: 'http://{{node.host}}:{{ports.web}}' },
    dashboard: 'http://{{node.host}}:{{ports.web}}/{{outputs.once_ready.page}}?plan={{instance.plan}}',
    ...changes,
  };
}

let database: TestDatabase;
let broker: WholeBroker;
let folder: string;
const made: [id: string, offering: string][] = [];
const env = () => ({
  CATALOG_DIR: `catalog:${join(folder, 'catalog')}`,
  NODE_NAME: 'here',
  NODE_DIR: join(folder, 'node'),
  NODE_HOST: address,
  NODE_PORTS: '23200-23249',
  // The gate is outside.
  NODE_SANDBOX: 'off',
});
beforeAll(async () => {
  folder = scratchDirectory('dashboards');
  chmodSync(folder, 0o755);
  const hooks = join(folder, 'catalog', 'hooks', 'console');
  mkdirSync(hooks, { recursive: true });
  const script = 'until [ -e "$GATE" ]; do sleep 0.05; done; echo \'{"page": "page"}\'';
  writeFileSync(join(hooks, 'tell'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const gate = join(folder, 'gate');
  const offerings = [
    consoleOffering('console', gate),
    consoleOffering('nowhere', gate, { dashboard: 'javascript:{{ports.web}}' }),
    consoleOffering('known', gate, { dashboard: 'https://known.example.com/{{instance.id}}' }),
  ];
  for (const one of offerings) writeFileSync(join(folder, 'catalog', `${one.name}.yaml`), stringify(one));
  database = await openTestDatabase();
  broker = await startWholeBroker(database, env());
});
afterAll(async () => {
  for (const [id, offering] of made) await remove(id, offering);
  await broker.stop();
  await database.close();
});

const pathOf = (id: string) => `/v2/service_instances/${id}`;
const openGate = () => writeFileSync(join(folder, 'gate'), '');
/** As a browser that has no login and does not go where it is sent. */
const open = (id: string, init: RequestInit = {}) =>
  fetch(`${broker.url}/dashboard/${id}`, { redirect: 'manual', ...init });
const whereTo = async (id: string) => (await open(id)).headers.get('location');

async function make(offering = 'console', id: string = randomUUID()) {
  made.push([id, offering]);
  const ids = { service_id: offering, plan_id: `${offering}-small` };
  const body = { ...ids, organization_guid: 'o', space_guid: 's' };
  const { status, body: told } = await broker.ask('put', pathOf(id), {
    query: { accepts_incomplete: 'true' },
    body,
  });
  return { id, status, url: (told as { dashboard_url?: string }).dashboard_url };
}

async function isOver(id: string) {
  await until('the operation is over', async () => {
    const { body } = await broker.ask('get', `${pathOf(id)}/last_operation`);
    return (body as { state?: string }).state === 'succeeded';
  });
}

const remove = (id: string, offering = 'console') =>
  broker.ask('delete', pathOf(id), {
    query: { service_id: offering, plan_id: `${offering}-small` },
  });

test('A dashboard is told with the first answer, says that it is not there yet, and leads there when it is.', async () => {
  const { id, status, url } = await make();
  expect([status, url]).toEqual([202, `${broker.url}/dashboard/${id}`]);
  const early = await open(id);
  expect([early.status, early.headers.get('location'), early.headers.get('refresh')]).toEqual([
    404,
    null,
    '5',
  ]);
  expect(await early.text()).toContain('The dashboard is not there at the moment');
  openGate();
  await isOver(id);
  const there = await open(id);
  expect([there.status, await there.text()]).toEqual([302, '']);
  expect(there.headers.get('cache-control')).toBe('no-store');
  expect(there.headers.get('location')).toMatch(new RegExp(`^http://${address}:\\d+/page\\?plan=small$`));
  expect(await (await fetch(url ?? '')).text()).toBe('console /page?plan=small');
  const { body } = await broker.ask('get', pathOf(id));
  expect(body).toMatchObject({ dashboard_url: url });
});

test('A dashboard keeps its address when the broker starts anew and when its instance changes.', async () => {
  openGate();
  const { id, url } = await make();
  await isOver(id);
  await broker.stop();
  broker = await startWholeBroker(database, env());
  expect(await whereTo(id)).toContain('plan=small');
  const { status } = await broker.ask('patch', pathOf(id), {
    body: { service_id: 'console', plan_id: 'console-large' },
  });
  expect(status).toBe(200);
  expect(await whereTo(id)).toContain('plan=large');
  expect(new URL(url ?? '').pathname).toBe(`/dashboard/${id}`);
  await broker.ask('delete', pathOf(id), { query: { service_id: 'console', plan_id: 'console-large' } });
});

test('A dashboard is not there while its instance is at rest, and gone with it.', async () => {
  openGate();
  const { id } = await make();
  await isOver(id);
  const login = `operator:${operatorPassword}`;
  const act = async (action: string) => {
    await broker.ask('post', `/operator/instances/${id}/actions/${action}`, { login, body: {} });
    await until('it has been done', async () => {
      const { body } = await broker.ask('get', `/operator/instances/${id}`, { login });
      return (body as { state: string }).state === 'ready';
    });
  };
  await act('stop');
  expect(await (await open(id)).text()).toContain('is at rest');
  await act('start');
  expect(await whereTo(id)).toContain('/page');
  await remove(id);
  const [gone, never] = [await open(id), await open(randomUUID())];
  expect([gone.status, never.status]).toEqual([404, 404]);
  expect(await gone.text()).toBe(await never.text());
});

test('A dashboard that would lead a browser to anything but a page of the web leads nowhere.', async () => {
  openGate();
  const { id } = await make('nowhere');
  await isOver(id);
  expect(await whereTo(id)).toBeNull();
});

test('A dashboard that is known from the first is told as it is, and nothing of its instance at the broker.', async () => {
  openGate();
  const { id, url } = await make('known');
  expect(url).toBe(`https://known.example.com/${id}`);
  await isOver(id);
  const [known, never] = [await open(id), await open(randomUUID())];
  expect([known.status, await known.text()]).toEqual([404, await never.text()]);
});

test('A dashboard is opened by GET alone, and its page may load and run nothing.', async () => {
  const refused = await open('x', { method: 'POST' });
  expect([refused.status, refused.headers.get('allow')]).toEqual([405, expect.stringContaining('GET')]);
  const { headers } = await open('x');
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(headers.get('x-frame-options')).toBe('DENY');
});
