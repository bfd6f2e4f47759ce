// Every status from a real cause, as the operator sees it.
import { Client } from 'pg';
import { address, say } from '../../provisioners/process/process-node.ts';
import { administratorUrl } from '../../provisioners/postgres/databases.ts';
import { openGate, type DatabaseGate } from '../../support/database-gate.ts';
import { common, planOf, tiny } from './offerings.ts';
import { openOneNode, processesOf, type Details, type Maker, type OneNode } from './one-node.ts';
import { until } from '../../support/until.ts';

const small = { offering: 'tiny', plan: 'small' };
const brief = { offering: 'brief', plan: 'small' };
const databases = { offering: 'databases', plan: 'small' };
const own = (name: string) => `${name}-${process.pid}`;
const monitor = { every: '1s', restart: 0 };
const unit = (script: string, ready = 'true') => ({
  run: ['/bin/sh', '-c', script],
  ready: { command: ['/bin/sh', '-c', ready] },
});

let oneNode: OneNode;
let broker: Maker;
let gate: DatabaseGate;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  gate = await openGate();
  gate.open();
  oneNode = await openOneNode([
    tiny('tiny', { monitor, timeouts: { monitor: '1s' } }),
    {
      ...common('brief', [planOf('brief', 'small')]),
      monitor,
      config: {
        processes: { server: unit('while [ ! -e end ]; do sleep 0.05; done; echo the end has come; exit 1') },
      },
      credentials: { name: '{{instance.key}}' },
    },
    {
      ...common('databases', [planOf('databases', 'small')], 'postgres'),
      monitor,
      secrets: { password: { per: 'binding', length: 24 } },
      config: { server: 'SHARED_POSTGRES_URL' },
      credentials: { name: '{{db.name}}', user: '{{db.user}}', password: '{{secrets.password}}' },
    },
  ]);
  env = { NODE_PORTS: '21700-21799', SHARED_POSTGRES_URL: administratorThrough(gate) };
  broker = await oneNode.start(env);
});
afterAll(async () => {
  gate.open();
  for (const id of [own('database')]) await broker.deprovision(id, databases);
  await oneNode.close();
  await gate.close();
});

/** The administrator's address, by way of the gate. */
function administratorThrough({ url }: DatabaseGate): string {
  const { user, password, database } = new Client(administratorUrl());
  return `postgres://${user}:${encodeURIComponent(String(password))}@${url.host}/${database}`;
}

async function make(id: string, bought = small): Promise<Details> {
  expect((await broker.provision(id, bought)).status).toBe(201);
  return broker.shows(id, 'started');
}

async function portOf(id: string, bought = small): Promise<number> {
  const { body } = await broker.bind(id, bought, 'port');
  return Number((body['credentials'] as { port: number }).port);
}

async function act(id: string, action: 'start' | 'stop' | 'restart'): Promise<void> {
  expect((await broker.operate('POST', `/instances/${id}/actions/${action}`)).status).toBeLessThan(300);
}

function pidOf({ units }: Details): number {
  const { pid } = units[0] ?? {};
  if (!pid) throw new Error('There is no process.');
  return pid;
}

describe('An instance is', () => {
  const id = own('statuses');
  const late = { offering: 'tiny', plan: 'late', incomplete: true };
  const database = own('database');

  test('An instance is building as long as it is being made [P2].', async () => {
    expect((await broker.provision(id, late)).status).toBe(202);
    await until('its process is there', () => processesOf(id).length === 1);
    expect(await broker.details(id)).toMatchObject({
      status: 'building',
      reason: 'it is being made',
      state: 'provisioning',
      units: [{ status: 'building' }],
    });
  });

  test('An instance is started when it is ready [P2].', async () => {
    const seen = await broker.shows(id, 'started');
    expect(seen).toMatchObject({ reason: 'it runs and answers', units: [{ unit: 'server' }] });
    expect(seen.addresses).toEqual([`${address}:${await portOf(id, late)}`]);
  });

  test('An instance is stopped when somebody has stopped it; started again it is building until it is ready, and has its data and port [P2, P6].', async () => {
    const port = await portOf(id, late);
    expect(await say(port, 'SET kept')).toBe('OK');
    const before = pidOf(await broker.shows(id, 'started'));
    await act(id, 'stop');
    expect(await broker.shows(id, 'stopped')).toMatchObject({ reason: 'it has been stopped' });
    expect(processesOf(id)).toEqual([]);
    await act(id, 'start');
    expect(await broker.details(id)).toMatchObject({ status: 'building', reason: 'it is being started' });
    expect(pidOf(await broker.shows(id, 'started'))).not.toBe(before);
    expect(await say(port, 'GET')).toBe('kept');
  });

  describe('from a cause that comes and goes:', () => {
    const [still, killed, ending] = [own('still'), own('killed'), own('ending')];
    let killedAt: number;
    let seen: Readonly<Record<'still' | 'killed' | 'ending' | 'database', Details>>;
    beforeAll(async () => {
      const [running, mortal] = await Promise.all([
        make(still),
        make(killed),
        make(ending, brief),
        make(database, databases),
      ]);
      process.kill(pidOf(running), 'SIGSTOP');
      process.kill(pidOf(mortal), 'SIGKILL');
      killedAt = Date.now();
      gate.shut();
      await broker.operate('POST', `/instances/${ending}/exec`, {
        command: ['touch', 'end'],
        timeout: 30_000,
      });
      const all = await Promise.all([
        broker.shows(still, 'unreachable'),
        broker.shows(killed, 'error'),
        broker.shows(ending, 'error'),
        broker.shows(database, 'down'),
      ]);
      seen = { still: all[0], killed: all[1], ending: all[2], database: all[3] };
      expect(all.map(({ units }) => units.length)).toEqual([1, 1, 1, 1]);
      process.kill(pidOf(running), 'SIGCONT');
      gate.open();
      await act(killed, 'start');
      await Promise.all([still, killed, database].map((one) => broker.shows(one, 'started')));
      const removed = [still, killed].map((one) => broker.deprovision(one, small));
      const all200 = await Promise.all([...removed, broker.deprovision(ending, brief)]);
      expect(all200.map(({ status }) => status)).toEqual([200, 200, 200]);
    });

    test('From a cause that comes and goes an instance is unreachable while its process stands still, though connections to it succeed [P2, P4]', () => {
      expect(seen.still.units).toMatchObject([{ unit: 'server', pid: expect.any(Number) }]);
      expect(seen.still.reason).toMatch(/answer/);
    });

    test('From a cause that comes and goes an instance is error within two intervals when its process was killed, and nobody may heal it [P2, A18]', () => {
      const [unit] = seen.killed.units;
      expect(unit).toMatchObject({ unit: 'server', status: 'error' });
      // The rest is for a busy machine.
      expect(Date.parse(unit?.since ?? '') - killedAt).toBeLessThan(2 * 1000 + 20_000);
    });

    test('From a cause that comes and goes an instance is error when its program has ended by itself, with the last that it said [P2]', () => {
      expect(seen.ending.reason).toContain('the end has come');
    });

    test('From a cause that comes and goes an instance is down while the administrator cannot reach the server [P2]', () => {
      expect(seen.database.reason).toMatch(/server|reach|connect/);
    });
  });

  test('An instance is unreachable when it listens elsewhere than is told to applications [P2].', async () => {
    const [running] = processesOf(id);
    await broker.kill();
    broker = await oneNode.start({ ...env, NODE_HOST: '127.0.0.2', NODE_BIND: address });
    expect(pidOf(await broker.shows(id, 'unreachable'))).toBe(running);
    await broker.kill();
    broker = await oneNode.start(env);
    await broker.shows(id, 'started');
  });

  test('An instance is down when its node is gone, and started when that is back, with the same process [P2, P13].', async () => {
    const [running] = processesOf(id);
    const gateway = await oneNode.start({ NODE_ROLE: 'false' });
    await broker.kill();
    await oneNode.database.pool.query("update nodes set beat_at = beat_at - interval '31 seconds'");
    expect(await gateway.details(id)).toMatchObject({ status: 'down', units: [{ status: 'down' }] });
    const listed = (await gateway.operate('GET', '/instances')).body['instances'] as readonly object[];
    expect(listed).toContainEqual(expect.objectContaining({ id, status: 'down' }));
    broker = await oneNode.start(env);
    expect(pidOf(await broker.shows(id, 'started'))).toBe(running);
    await gateway.kill();
    expect((await broker.deprovision(id, { ...late, incomplete: false })).status).toBe(200);
  });
});
