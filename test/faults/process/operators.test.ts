// What operators and probes see and do: commands beside units, a machine that is started again, metrics.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../../provisioners/process/process-node.ts';
import { call } from '../../support/started-brokers.ts';
import { keyIn } from '../../support/instance-key.ts';
import { common, planOf, tiny } from './offerings.ts';
import { openOneNode, processesOf, type Details, type Maker, type OneNode } from './one-node.ts';
import { until } from '../../support/until.ts';

const small = { offering: 'tiny', plan: 'small' };
const pair = { offering: 'pair', plan: 'small' };
const own = (name: string) => `${name}-${process.pid}`;
const monitor = { every: '1s', restart: 0 };
const env = { NODE_PORTS: '22600-22699', NODE_CAPACITY: '77' };
const sleeping = { run: ['/bin/sh', '-c', 'sleep 600'], ready: { command: ['true'] } };

let oneNode: OneNode;
let broker: Maker;
beforeAll(async () => {
  oneNode = await openOneNode([
    tiny('tiny', { monitor }),
    tiny('healed', { monitor: { every: '1s' } }),
    {
      ...common('pair', [planOf('pair', 'small')]),
      monitor,
      config: { processes: { a: sleeping, b: sleeping } },
      credentials: { name: '{{instance.key}}' },
    },
    { ...common('none', [planOf('none', 'small')], 'faulty'), credentials: { name: '{{thing.name}}' } },
  ]);
  broker = await oneNode.start(env);
});
afterAll(() => oneNode.close());

async function make(id: string, bought = small): Promise<Details> {
  expect((await broker.provision(id, bought)).status).toBe(201);
  return broker.shows(id, 'started');
}

async function portOf(id: string, bought = small): Promise<number> {
  const { body } = await broker.bind(id, bought, 'port');
  return Number((body['credentials'] as { port: number }).port);
}

function pidOf({ units }: Details): number {
  const { pid } = units[0] ?? {};
  if (!pid) throw new Error('There is no process.');
  return pid;
}

describe('A command beside units', () => {
  const exec = (id: string, body: object) =>
    broker.operate('POST', `/instances/${id}/exec`, { timeout: 30_000, ...body });

  test('A command beside units is run beside one or all, and its output and exit code are told for each [P7].', async () => {
    const id = own('pair');
    await make(id, pair);
    const command = ['/bin/sh', '-c', 'echo said; echo also >&2; exit 3'];
    const said = (unitName: string) => expect.objectContaining({ unit: unitName, code: 3 });
    const all = await exec(id, { command });
    expect([all.status, all.body['results']]).toEqual([200, [said('a'), said('b')]]);
    expect(JSON.stringify(all.body)).toMatch(/said.*also|also.*said/);
    expect((await exec(id, { command, unit: 'b' })).body['results']).toEqual([said('b')]);
    expect(await exec(id, { command: ['true'] })).toMatchObject({
      body: { results: [{ code: 0 }, { code: 0 }] },
    });
    expect(await exec(id, { command, unit: 'c' })).toMatchObject({ status: 400 });

    // One that ends makes the whole an error, and the other one goes on.
    const { units } = await broker.details(id);
    process.kill(units[0]?.pid ?? 0, 'SIGKILL');
    const seen = await broker.shows(id, 'error');
    expect(seen.units.map(({ unit: name, status }) => [name, status])).toEqual([
      ['a', 'error'],
      ['b', expect.stringMatching(/^(started|unreachable)$/)],
    ]);
    expect((await broker.deprovision(id, pair)).status).toBe(200);
  });

  test('A command beside units is refused where there are no units [P7].', async () => {
    const id = own('none');
    const none = { offering: 'none', plan: 'small' };
    expect((await broker.provision(id, none)).status).toBe(201);
    const { status, body } = await exec(id, { command: ['true'] });
    expect([status >= 400 && status < 500, body['description']]).toEqual([
      true,
      expect.stringMatching(/\S+ \S+/),
    ]);
    expect((await broker.deprovision(id, none)).status).toBe(200);
  });
});

describe('A machine is started again with five instances', () => {
  const healed = { offering: 'healed', plan: 'small' };
  const five = [1, 2, 3, 4, 5].map((n) => own(`five-${n}`));
  const [broken = '', ...sound] = five;

  test('A machine is started again with five instances, of which one cannot start: four run, one is an error, and its data is there [S13].', async () => {
    await Promise.all(five.map((id) => make(id, healed)));
    const ports = await Promise.all(five.map((id) => portOf(id, healed)));
    await Promise.all(ports.map((port, n) => say(port, `SET value-${n}`)));
    await broker.kill();
    const before = processesOf(...five);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await until('none runs', () => processesOf(...five).length === 0);
    // It cannot write there what it writes first, and ends.
    const data = join(
      oneNode.directory,
      'process',
      keyIn(join(oneNode.directory, 'process'), broken),
      'data',
    );
    rmSync(join(data, 'starts'));
    mkdirSync(join(data, 'starts'));

    broker = await oneNode.start(env);
    const runsAgain = async (id: string) => !before.includes(pidOf(await broker.shows(id, 'started')));
    for (const id of sound) await until(`${id} runs again`, () => runsAgain(id));
    expect((await broker.shows(broken, 'error')).reason).toMatch(/EISDIR|ended|run/);
    const values = await Promise.all(ports.slice(1).map((port) => say(port, 'GET')));
    expect(values).toEqual(['value-1', 'value-2', 'value-3', 'value-4']);
    expect(oneNode.read(broken, 'value')).toBe('value-0');

    rmSync(join(data, 'starts'), { recursive: true });
    await until('it runs', () => say(ports[0] ?? 0, 'GET').catch(() => undefined));
    expect(await say(ports[0] ?? 0, 'GET')).toBe('value-0');
  });

  test('Metrics and probes show what is there after a machine is started again, and no password [S15].', async () => {
    const failed = own('counted');
    process.kill(pidOf(await make(failed)), 'SIGKILL');
    await broker.shows(failed, 'error');
    const lines = ['nodes{state="up"} 1', 'node_capacity{node="n1"} 77', 'node_used{node="n1"} 6'];
    lines.push('node_instances{node="n1"} 6', 'node_ports_free{node="n1"} ');
    lines.push('instances{offering="tiny",plan="small",status="error"} 1');
    // What is counted holds for ten seconds, and nobody waits for a count that takes long.
    let text = '';
    await until('all is counted', async () => {
      text = await (await call('broker:p', `${broker.address}/metrics`)).text();
      return lines.every((line) => text.includes(`purveyor_${line}`));
    });
    const nodes = JSON.stringify((await broker.operate('GET', '/nodes')).body);
    expect(JSON.parse(nodes)).toMatchObject({
      nodes: [{ capacity: 77, used: 6, instances: 6, state: 'up' }],
    });
    const probes = await Promise.all(['healthz', 'readyz'].map((path) => fetch(`${broker.address}/${path}`)));
    expect(probes.map(({ status }) => status)).toEqual([200, 200]);

    const listed = JSON.stringify((await broker.operate('GET', '/instances')).body);
    const bound = await Promise.all(sound.map((id) => broker.bind(id, healed, 'port')));
    for (const { body } of bound) {
      const { password } = body['credentials'] as { password: string };
      expect(password).toHaveLength(24);
      for (const told of [text, nodes, listed]) expect(told).not.toContain(password);
    }
    await Promise.all([
      ...five.map((id) => broker.deprovision(id, healed)),
      broker.deprovision(failed, small),
    ]);
    expect([processesOf(failed, ...five), oneNode.keys()]).toEqual([[], []]);
  });
});
