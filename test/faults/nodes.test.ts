// Several brokers on one database, each a node with real processes: where things are made, and what becomes of them
// when a node is killed.
import { say } from '../provisioners/process/process-node.ts';
import type { Answer, BrokerProcess } from './broker-process.ts';
import {
  openSeveralNodes,
  idOf,
  needingId,
  offeringId,
  type NodeProcess,
  type SeveralNodes,
} from './node-brokers.ts';
import { until } from '../support/until.ts';

let severalNodes: SeveralNodes;
let first: NodeProcess;
let second: NodeProcess;
let gateway: NodeProcess;

const capacities = { n1: { NODE_CAPACITY: '8' }, n2: { NODE_CAPACITY: '12' } };

beforeAll(async () => {
  severalNodes = await openSeveralNodes();
  first = await severalNodes.node('n1', { ...capacities.n1, NODE_PORTS: '21000-21099' });
  [second, gateway] = await Promise.all([
    severalNodes.node('n2', { ...capacities.n2, NODE_PORTS: '21100-21199' }),
    severalNodes.gateway(),
  ]);
});
afterAll(() => severalNodes.close());

function idsOf(plan: string, offering = offeringId) {
  return { service_id: offering, plan_id: idOf(offering, plan) };
}

/** Asks for it as a platform does that waits for the end. */
function provision(broker: BrokerProcess, id: string, plan = 'small'): Promise<Answer> {
  const body = { ...idsOf(plan), organization_guid: 'o', space_guid: 's' };
  return broker.ask('PUT', `/v2/service_instances/${id}`, body);
}

function bind(broker: BrokerProcess, id: string, binding = 'b', plan = 'small'): Promise<Answer> {
  return broker.ask('PUT', `/v2/service_instances/${id}/service_bindings/${binding}`, idsOf(plan));
}

function deprovision(broker: BrokerProcess, id: string, plan = 'small'): Promise<Answer> {
  return broker.ask('DELETE', `/v2/service_instances/${id}?${new URLSearchParams(idsOf(plan)).toString()}`);
}

interface Told {
  readonly id: string;
  readonly node?: string;
  readonly parent?: string;
  readonly status: string;
  readonly reason: string;
  readonly state: string;
  readonly operation?: Readonly<Record<string, unknown>>;
}

async function instances(broker: NodeProcess = gateway): Promise<readonly Told[]> {
  const { body } = await broker.operate('GET', '/instances');
  return body['instances'] as readonly Told[];
}

async function told(id: string, broker?: NodeProcess): Promise<Told> {
  const one = (await instances(broker)).find((instance) => instance.id === id);
  if (!one) throw new Error(`There is no instance ${id}`);
  return one;
}

async function idsOn(node: string): Promise<readonly string[]> {
  return (await instances()).filter((one) => one.node === node).map(({ id }) => id);
}

async function nodes(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await gateway.operate('GET', '/nodes')).body['nodes'] as readonly Record<string, unknown>[];
}

interface Credentials {
  readonly host: string;
  readonly port: number;
  readonly node_id: string;
}

async function credentialsOf(id: string): Promise<Credentials> {
  const { body } = await bind(gateway, id, 'credentials');
  return body['credentials'] as Credentials;
}

async function ask(id: string, line: string): Promise<string> {
  const { host, port } = await credentialsOf(id);
  return say(Number(port), line, host);
}

/** Some of the statements build on what those before them have made. */
describe('Two nodes and a broker that is none', () => {
  const ten = Array.from({ length: 10 }, (_, n) => `i${n}`);

  test('Two nodes and a broker that is none spread ten instances by free capacity, whoever is asked [S1]', async () => {
    const answers = await Promise.all(ten.map((id, n) => provision([gateway, first, second][n % 3]!, id)));
    expect(answers.map(({ status }) => status)).toEqual(ten.map(() => 201));
    expect(await nodes()).toMatchObject([
      { name: 'n1', state: 'up', used: 3, instances: 3, ports_free: 97 },
      { name: 'n2', state: 'up', used: 7, instances: 7, ports_free: 93 },
    ]);
    const bound = await Promise.all(ten.map((id) => bind(gateway, id)));
    const all = bound.map(({ body }) => body['credentials'] as Credentials);
    expect(all.filter(({ node_id }) => node_id === 'n1')).toHaveLength(3);
    expect(new Set(all.map(({ port }) => port)).size).toBe(10);
    for (const one of all)
      expect(Object.keys(one).toSorted()).toEqual([
        'host',
        'hostname',
        'name',
        'node_id',
        'password',
        'port',
      ]);
    for (const { host, port } of all) expect(await say(Number(port), 'PING', host)).toBe('PONG');
  });

  test('Two nodes and a broker that is none do for each other what only one of them can do', async () => {
    const [here = ''] = await idsOn('n2');
    expect((await bind(first, here, 'c')).body).toMatchObject({ credentials: { node_id: 'n2' } });
    const before = await ask(here, 'PID');
    for (const [broker, action, status] of [
      [first, 'stop', 'stopped'],
      [gateway, 'start', 'started'],
    ] as const) {
      expect((await broker.operate('POST', `/instances/${here}/actions/${action}`)).status).toBeLessThan(300);
      await until(status, async () => (await told(here)).status === status);
    }
    expect(await ask(here, 'PID')).not.toBe(before);
    for (const broker of [gateway, first, second]) {
      const command = { command: ['pwd'], timeout: 30_000 };
      const { status, body } = await broker.operate('POST', `/instances/${here}/exec`, command);
      expect([status, body]).toMatchObject([200, { results: [{ unit: 'server', code: 0 }] }]);
      expect((await broker.operate('GET', `/instances/${here}/log`)).status).toBe(200);
    }
  });

  test('Two nodes and a broker that is none sell no more than they have to many who ask at once, and lose nothing of it [S2]', async () => {
    const many = Array.from({ length: 6 }, (_, n) => `large-${n}`);
    const answers = await Promise.all(
      many.map((id, n) => provision([gateway, first, second][n % 3]!, id, 'large')),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201, 201, 400, 400, 400, 400,
    ]);
    const refused = answers.find(({ status }) => status === 400);
    expect(refused?.body['description']).toMatch(
      /^No node has room for this: it takes 5 of a node's capacity/,
    );
    expect(await nodes()).toMatchObject([{ used: 8 }, { used: 12 }]);
    const removed = await Promise.all(many.map((id) => deprovision(gateway, id, 'large')));
    expect(removed.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 410, 410, 410, 410,
    ]);
    expect(await nodes()).toMatchObject([{ used: 3 }, { used: 7 }]);
  });

  test('Two nodes and a broker that is none give nothing new to one that is draining, and serve what it has [S6]', async () => {
    expect((await gateway.operate('POST', '/nodes/n2/drain')).status).toBe(200);
    const [old = ''] = await idsOn('n2');
    const made = await Promise.all(['d1', 'd2', 'd3'].map((id) => provision(second, id)));
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(await idsOn('n1')).toEqual(expect.arrayContaining(['d1', 'd2', 'd3']));
    expect((await bind(first, old, 'drained')).status).toBe(201);
    expect((await gateway.operate('POST', `/instances/${old}/actions/stop`)).status).toBeLessThan(300);
    await until('it is at rest', async () => (await told(old)).status === 'stopped');
    expect((await bind(first, old, 'late')).body).toMatchObject({
      description: 'The service instance is stopped. Start it and bind again.',
    });
    expect((await deprovision(first, old)).status).toBe(200);
    expect((await gateway.operate('POST', '/nodes/n2/undrain')).status).toBe(200);
  });
});

describe('A second broker', () => {
  test('A second broker cannot have the directory of a node that lives', async () => {
    const { code, said } = await severalNodes.refused('n2');
    expect(code).toBe(1);
    expect(said).toMatch(/cannot be this node's directory\. It is in use by another broker, process \d+/);
  });

  test('A second broker cannot have its name with another directory', async () => {
    const hear = () =>
      severalNodes.database.pool.query('update nodes set beat_at = now()').catch(() => undefined);
    const heard = setInterval(() => void hear(), 500);
    const { code, said } = await severalNodes.refused('n2', 'other').finally(() => clearInterval(heard));
    expect(code).toBe(1);
    expect(said).toContain("Another broker is the node 'n2'.");
  });
});

describe('A node is killed', () => {
  test('A node is killed: its instances are down, nothing new goes there, and when it is back all of it is as it was [S7]', async () => {
    const [id = '', other = ''] = await idsOn('n1');
    expect(await ask(id, 'SET something')).toBe('OK');
    const pids = [await ask(id, 'PID'), await ask(other, 'PID')];
    await first.kill();
    await severalNodes.fallSilent('n1');
    for (const broker of [gateway, second])
      expect(await told(id, broker)).toMatchObject({
        status: 'down',
        reason: expect.stringMatching(/^its node n1 has not been heard of since /),
      });
    const details = (await gateway.operate('GET', `/instances/${id}`)).body;
    expect(details['units']).toMatchObject([{ unit: 'server', status: 'down' }]);
    const silent = await gateway.operate('POST', `/instances/${id}/exec`, {
      command: ['pwd'],
      timeout: 1000,
    });
    expect([silent.status, silent.body['description']]).toEqual([
      503,
      "The node 'n1' of the service instance does not answer.",
    ]);
    expect((await provision(gateway, 'elsewhere')).status).toBe(201);
    expect(await told('elsewhere')).toMatchObject({ node: 'n2' });

    first = await severalNodes.node('n1', capacities.n1);
    await until('it is back', async () => (await told(id)).status === 'started');
    expect([await ask(id, 'PID'), await ask(other, 'PID')]).toEqual(pids);
    expect(await ask(id, 'GET')).toBe('something');
    expect(severalNodes.processesOf('n1', id).started).toEqual([Number(pids[0])]);
  });

  test('A node is killed: what ended while it was away is started again, with its data [S7]', async () => {
    const [id = ''] = await idsOn('n1');
    await ask(id, 'SET kept');
    await first.kill();
    const [pid] = severalNodes.processesOf('n1', id).alive;
    if (pid === undefined) throw new Error('It does not run.');
    process.kill(pid, 'SIGKILL');
    first = await severalNodes.node('n1', capacities.n1);
    await until('it runs again', async () => {
      const { alive } = severalNodes.processesOf('n1', id);
      return alive.length === 1 && alive[0] !== pid && (await told(id)).status === 'started';
    });
    expect(await ask(id, 'GET')).toBe('kept');
  });

  test('A node is killed: what is asked of its instances waits for it, is seen to wait, and is done when it is back [S8]', async () => {
    const [id = '', gone = ''] = await idsOn('n1');
    await first.kill();
    await severalNodes.fallSilent('n1');
    const path = `/v2/service_instances/${gone}`;
    const query = new URLSearchParams({ ...idsOf('small'), accepts_incomplete: 'true' }).toString();
    expect((await gateway.ask('DELETE', `${path}?${query}`)).status).toBe(202);
    const stop = await gateway.operate('POST', `/instances/${id}/actions/stop`);
    expect(stop.status).toBe(202);
    expect(await told(gone)).toMatchObject({
      status: 'down',
      state: 'deprovisioning',
      operation: { kind: 'deprovision', state: 'in progress', attempt: 0, node: 'n1' },
    });
    first = await severalNodes.node('n1', capacities.n1);
    await until(
      'it is gone',
      async () => (await gateway.ask('GET', `${path}/last_operation`)).status === 410,
    );
    await until('it is at rest', async () => (await told(id)).status === 'stopped');
    expect(severalNodes.processesOf('n1', id).alive).toEqual([]);
  });

  test('A node is killed in the middle of a provision: that ends when it is back, and nothing is there twice [S8]', async () => {
    await gateway.operate('POST', '/nodes/n2/drain');
    const id = 'interrupted';
    const body = { ...idsOf('slow'), organization_guid: 'o', space_guid: 's' };
    const path = `/v2/service_instances/${id}`;
    expect((await gateway.ask('PUT', `${path}?accepts_incomplete=true`, body)).status).toBe(202);
    await until('its process has begun', () => severalNodes.processesOf('n1', id).started.length > 0);
    await first.kill();
    await severalNodes.fallSilent('n1');
    expect((await gateway.ask('GET', `${path}/last_operation`)).body).toMatchObject({ state: 'in progress' });
    expect(await told(id)).toMatchObject({ status: 'down', operation: { kind: 'provision', node: 'n1' } });
    first = await severalNodes.node('n1', capacities.n1);
    await until(
      'the provision has ended',
      async () => (await gateway.ask('GET', `${path}/last_operation`)).body['state'] === 'succeeded',
    );
    const { started, alive } = severalNodes.processesOf('n1', id);
    expect([started, alive]).toEqual([alive, alive]);
    expect(alive).toHaveLength(1);
    const text =
      'select count(*)::integer as ports from node_ports where instance_id = (select key from service_instances where id = $1)';
    expect((await severalNodes.database.pool.query(text, [id])).rows).toEqual([{ ports: 1 }]);
    await until('it is started', async () => (await told(id)).status === 'started');
    expect((await deprovision(gateway, id, 'slow')).status).toBe(200);
    expect(severalNodes.processesOf('n1', id).alive).toEqual([]);
    await gateway.operate('POST', '/nodes/n2/undrain');
  });
});

test('What an instance needs is made first, wherever there is room, and goes after it [A13].', async () => {
  const path = '/v2/service_instances/reader';
  const ids = idsOf('small', needingId);
  const before = (await instances()).length;
  expect((await gateway.ask('PUT', path, { ...ids, organization_guid: 'o', space_guid: 's' })).status).toBe(
    201,
  );
  const all = await instances();
  expect(all).toHaveLength(before + 2);
  const child = all.find(({ parent }) => parent === 'reader');
  if (!child) throw new Error('It has no child.');
  const { body } = await gateway.ask('PUT', `${path}/service_bindings/b`, ids);
  const { host, port } = body['credentials'] as Credentials;
  const env = JSON.parse(await say(Number(port), 'ENV', host)) as { SOURCE: string };
  const [node, source] = env.SOURCE.split(' ');
  expect(node).toBe(child.node);
  expect(await say(Number(source), 'PING', host)).toBe('PONG');

  const actions = '/instances/reader/actions';
  for (const [action, status] of [
    ['stop', 'stopped'],
    ['start', 'started'],
  ] as const) {
    expect((await gateway.operate('POST', `${actions}/${action}`)).status).toBeLessThan(300);
    for (const id of ['reader', child.id])
      await until(`${id} is ${status}`, async () => (await told(id)).status === status);
  }
  const removal = `${path}?${new URLSearchParams(ids).toString()}`;
  expect((await second.ask('DELETE', removal)).status).toBe(200);
  expect(await instances()).toHaveLength(before);
  expect(severalNodes.processesOf(child.node ?? '', child.id).alive).toEqual([]);
});

test('At the end all is given back, and no process is left.', async () => {
  const left = await instances();
  const removed = await Promise.all(left.map(({ id }) => deprovision(gateway, id)));
  expect(removed.map(({ status }) => status)).toEqual(left.map(() => 200));
  expect(await nodes()).toMatchObject([
    { used: 0, instances: 0 },
    { used: 0, instances: 0 },
  ]);
  for (const { id, node = '' } of left) expect(severalNodes.processesOf(node, id).alive).toEqual([]);
});
