// A broker stands still with a request that its caller gives up: by the time it goes on, others have gone on without it.
import { connect } from 'node:net';
import { chmodSync } from 'node:fs';
import { once } from 'node:events';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { call } from '../support/started-brokers.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { startBrokerProcess, type BrokerProcess, type LogLine } from './broker-process.ts';
import { offeringId, quick, writeOffering } from './offering.ts';

const scratch = scratchDirectory('hung-up');
const tsuruPassword = 'a-tsuru-password';
const logins = { osb: 'broker:p', tsuru: `faults:${tsuruPassword}` };

let database: TestDatabase;
/** The one that stands still, and the one that goes on. */
let still: BrokerProcess;
let other: BrokerProcess;

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  database = await openTestDatabase();
  const shared = { database, dataDir: scratch, catalogDir: writeOffering(scratch, []) };
  const env = { TSURU_PASSWORD: tsuruPassword };
  still = await startBrokerProcess('still', shared, env);
  other = await startBrokerProcess('other', shared, env);
});
afterAll(async () => {
  for (const broker of [still, other]) {
    broker?.signal('SIGKILL');
    await broker?.ended;
  }
  await database?.close();
});

interface Asked {
  readonly method: 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

const loginFor = (path: string) => (path.startsWith('/tsuru/') ? logins.tsuru : logins.osb);

async function ask({ method, path, body }: Asked): Promise<number> {
  const answer = await call(loginFor(path), `${other.address}${path}`, { method, ...(body ? { body } : {}) });
  await answer.text();
  return answer.status;
}

/**
 * What is asked of the broker that stands still, and given up before it goes on.
 * @param next what is asked of the other one meanwhile, and how that is answered
 * @returns the status of the answer that reaches nobody
 */
async function giveUp(asked: Asked, ...next: readonly (readonly [Asked, number])[]): Promise<unknown> {
  const before = answersTo(asked).length;
  still.signal('SIGSTOP');
  try {
    await sendAndHangUp(asked);
    for (const [one, status] of next) expect(await ask(one)).toBe(status);
  } finally {
    still.signal('SIGCONT');
  }
  await until('it has gone on', () => Promise.resolve(answersTo(asked).length > before));
  return answersTo(asked).at(-1)?.['status'];
}

function answersTo({ method, path }: Asked) {
  const lines = still.lines() as readonly (LogLine & Readonly<Record<string, unknown>>)[];
  return lines.filter((line) => line['method'] === method && line['path'] === path.split('?')[0]);
}

/** The system takes connections, and what is said on them, for a process that stands still. */
async function sendAndHangUp({ method, path, body = {} }: Asked): Promise<void> {
  const { hostname, port } = new URL(still.address);
  const text = JSON.stringify(body);
  const socket = connect(Number(port), hostname);
  socket.end(
    [
      `${method} ${path} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      `Authorization: Basic ${Buffer.from(loginFor(path)).toString('base64')}`,
      'X-Broker-API-Version: 2.17',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(text)}`,
      '',
      text,
    ].join('\r\n'),
  );
  await once(socket, 'finish');
  socket.destroy();
}

const ids = { service_id: offeringId, plan_id: quick };
const where = { organization_guid: 'o', space_guid: 's' };
const query = `?${new URLSearchParams(ids).toString()}`;
const made = (id: string): Asked => ({
  method: 'PUT',
  path: `/v2/service_instances/${id}`,
  body: { ...ids, ...where },
});
const bound = (id: string): Asked => ({
  method: 'PUT',
  path: `/v2/service_instances/${id}/service_bindings/b`,
  body: ids,
});
const gone = ({ path }: Asked): Asked => ({ method: 'DELETE', path: `${path}${query}` });

async function rowsOf(table: string, id: string): Promise<number> {
  const column = table === 'service_instances' ? 'id' : 'instance_id';
  return (await database.pool.query(`select from ${table} where ${column} = $1`, [id])).rows.length;
}

test('A create that its platform has given up, and removed, is not begun any more.', async () => {
  const create = made('given-up');
  expect(await giveUp(create, [gone(create), 410])).toBe(503);
  expect(await rowsOf('service_instances', 'given-up')).toBe(0);
  expect(await rowsOf('operations', 'given-up')).toBe(0);
});

test('A bind that its platform has given up, and removed, is not begun any more.', async () => {
  expect(await ask(made('bound'))).toBe(201);
  const bind = bound('bound');
  expect(await giveUp(bind, [gone(bind), 410])).toBe(503);
  expect(await rowsOf('service_bindings', 'bound')).toBe(0);
});

test('A bind that its platform has given up, and asked for again, is there once.', async () => {
  expect(await ask(made('again'))).toBe(201);
  expect(await giveUp(bound('again'), [bound('again'), 201])).toBe(200);
  expect(await rowsOf('service_bindings', 'again')).toBe(1);
});

test('A removal that its platform has given up does not hit what has been made since.', async () => {
  const create = made('anew');
  expect(await ask(create)).toBe(201);
  expect(await giveUp(gone(create), [gone(create), 200], [create, 201])).toBe(503);
  expect(await rowsOf('service_instances', 'anew')).toBe(1);
});

const app = { appName: 'a', appHosts: ['a.example.com'] };
const instanceOfTsuru = (name: string): Asked => ({
  method: 'POST',
  path: '/tsuru/faults/resources',
  body: { name, plan: quick },
});
const appOf = (name: string, method: 'POST' | 'DELETE'): Asked => ({
  method,
  path: `/tsuru/faults/resources/${name}/bind-app`,
  body: app,
});

async function madeForTsuru(name: string): Promise<string> {
  expect(await ask(instanceOfTsuru(name))).toBe(201);
  const path = `/tsuru/faults/resources/${name}/status`;
  const isUp = async () => (await call(logins.tsuru, `${other.address}${path}`)).status === 204;
  await until('it is up', isUp);
  return `tsuru.faults.${name}`;
}

test('A bind that tsuru has given up, and taken back, leaves no binding that it does not know of.', async () => {
  const id = await madeForTsuru('t1');
  expect(await giveUp(appOf('t1', 'POST'), [appOf('t1', 'DELETE'), 404])).toBe(503);
  expect(await rowsOf('service_bindings', id)).toBe(0);
  expect(await rowsOf('tsuru_apps', id)).toBe(0);
});

test('An unbind that tsuru has given up does not take away what its user has bound since.', async () => {
  const id = await madeForTsuru('t2');
  const [bind, unbind] = [appOf('t2', 'POST'), appOf('t2', 'DELETE')];
  expect(await giveUp(unbind, [bind, 201])).toBe(503);
  expect(await rowsOf('service_bindings', id)).toBe(1);
  expect(await ask(unbind)).toBe(200);
  expect(await rowsOf('service_bindings', id)).toBe(0);
});
