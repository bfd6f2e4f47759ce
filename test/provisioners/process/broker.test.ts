import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';
import { until } from '../../support/until.ts';
import { address, isThere, say } from './process-node.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

/** A service nobody knew before, from one new file, through the whole broker. */

const service = {
  service_id: '1c5a7f3e-20f4-4a07-8a70-000000000001',
  plan_id: '1c5a7f3e-20f4-4a07-8a70-000000000002',
};
const file = `
id: ${service.service_id}
name: tiny
description: Lines in, lines out
plan_updateable: true
provisioner: process
plans:
  - {id: ${service.plan_id}, name: small, description: One process}
parameters:
  says: {type: string, default: hello}
  dies: {type: boolean, default: false}
secrets:
  password: {length: 32}
config:
  ports: [main]
  files:
    server.json: |
      {"host": "{{node.bind}}", "port": {{ports.main}}, "data": {{dir.data | json}},
       "password": {{secrets.password | json}}, "says": {{params.says | json}}, "dies": {{params.dies}}}
  processes:
    server:
      run: [${process.execPath}, ${join(import.meta.dirname, 'server.mjs')}, "{{dir.conf}}/server.json"]
      ready: {port: main, send: "PING\\n", expect: PONG}
credentials: {host: "{{node.host}}", port: "{{ports.main}}", password: "{{secrets.password}}"}
monitor: {every: 1s, restart: 3, within: 10m}
`;

interface Unit {
  readonly status: string;
  readonly pid?: number;
  readonly reason: string;
}

interface Details {
  readonly status: string;
  readonly units: readonly Unit[];
  readonly operations: readonly {
    readonly failure?: { readonly detail?: string };
    readonly timeline: readonly { readonly step: string; readonly undo: boolean }[];
  }[];
}

let database: TestDatabase;
let broker: WholeBroker;
let folder: string;
const env = () => ({
  CATALOG_DIR: `catalog:${join(folder, 'catalog')}`,
  NODE_NAME: 'here',
  NODE_DIR: join(folder, 'node'),
  NODE_HOST: address,
  NODE_PORTS: '23000-23099',
  // The program tells its own pid, which is another one inside.
  NODE_SANDBOX: 'off',
});
beforeAll(async () => {
  folder = scratchDirectory('tiny');
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'catalog'));
  writeFileSync(join(folder, 'catalog', 'tiny.yaml'), file);
  database = await openTestDatabase();
  broker = await startWholeBroker(database, env());
});
// Also what a test that failed has left.
afterEach(async () => {
  for (const [id, of] of made) await remove(instancePath(id), of);
  made.clear();
});
afterAll(async () => {
  for (const pid of pids) if (isThere(pid)) process.kill(pid, 'SIGKILL');
  await broker.stop();
  await database.close();
});

const where = { organization_guid: 'org', space_guid: 'space' };
const put = (path: string, body: object) => broker.ask('put', path, { body });
const made = new Map<string, typeof service>();
/** Processes that run while no broker does. */
const pids: number[] = [];

function make(id: string, body: typeof service & { parameters?: object } = service) {
  const { service_id, plan_id } = body;
  made.set(id, { service_id, plan_id });
  return put(instancePath(id), { ...body, ...where });
}

const patch = (path: string, body: object) => broker.ask('patch', path, { body });
const remove = (path: string, query = service) => broker.ask('delete', path, { query });
const instancePath = (id: string) => `/v2/service_instances/${id}`;

async function details(id: string): Promise<Details> {
  const login = `operator:${operatorPassword}`;
  return (await broker.ask('get', `/operator/instances/${id}`, { login })).body as Details;
}

async function bound(id: string, of = service) {
  const path = `${instancePath(id)}/service_bindings/${randomUUID()}`;
  const { status, body } = await put(path, of);
  expect(status).toBe(201);
  return { path, credentials: (body as { credentials: Record<string, string | number> }).credentials };
}

test('A1: One new file in the catalog is a service that can be bought, bound, changed and returned.', async () => {
  const id = randomUUID();
  expect((await make(id)).status).toBe(201);
  const { path, credentials } = await bound(id);
  const port = Number(credentials['port']);
  expect(await say(port, 'SAY', String(credentials['host']))).toBe('hello');
  expect((await patch(instancePath(id), { ...service, parameters: { says: 'changed' } })).status).toBe(200);
  expect(await say(port, 'SAY')).toBe('changed');
  const { operations } = await details(id);
  const steps = operations.map(({ timeline }) => timeline.map(({ step }) => step));
  expect(steps).toContainEqual(['init', 'prepare', 'configure', 'check_up', 'start', 'check_up']);
  expect((await remove(path)).status).toBe(200);
  expect((await remove(instancePath(id))).status).toBe(200);
  await expect(say(port, 'PING')).rejects.toThrow();
});

test('A8: What cannot run is told with the tail of its log, without its secrets, and is removed.', async () => {
  const id = randomUUID();
  const { status, body } = await make(id, { ...service, parameters: { dies: true } });
  expect(status).toBe(500);
  expect((body as { description: string }).description).toContain('ended before it was ready');
  const [operation] = (await details(id)).operations;
  expect(JSON.stringify(operation)).toContain('the disk is made of cheese');
  expect(JSON.stringify(operation)).toContain('begins with ***');
  expect(operation?.timeline.map(({ step, undo }) => (undo ? `undo ${step}` : step))).toEqual([
    'init',
    'prepare',
    'configure',
    'check_up',
    'start',
    'undo remove',
    'undo release',
  ]);
});

test('A18: What is killed is seen and started again, with its port.', async () => {
  const id = randomUUID();
  await make(id);
  const { credentials } = await bound(id);
  const unit = async () => (await details(id)).units[0];
  await until('it is seen', async () => (await unit())?.pid !== undefined);
  const pid = (await unit())?.pid;
  if (pid === undefined) throw new Error('It does not run.');
  process.kill(pid, 'SIGKILL');
  await until('it is started again', async () => {
    const now = await unit();
    return now?.status === 'started' && now.pid !== pid;
  });
  expect(await say(Number(credentials['port']), 'PING')).toBe('PONG');
  await remove(instancePath(id));
});

test('A19: When the broker ends, what it made runs on, and the next one has it.', async () => {
  const id = randomUUID();
  await make(id);
  const { credentials } = await bound(id);
  const port = Number(credentials['port']);
  const pid = Number(await say(port, 'PID'));
  pids.push(pid);
  await broker.stop();
  expect(isThere(pid)).toBe(true);
  broker = await startWholeBroker(database, env());
  await until('it is watched again', async () => (await details(id)).units[0]?.pid === pid);
  expect(await say(port, 'PID')).toBe(String(pid));
  await remove(instancePath(id));
  expect(isThere(pid)).toBe(false);
});
