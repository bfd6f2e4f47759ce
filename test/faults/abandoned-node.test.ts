// A node that was given up and comes back, by two brokers on one database: what was on it is made anew elsewhere or
// under its own name, and nothing of before is used, watched or removed by itself.
import { isThere, say } from '../provisioners/process/process-node.ts';
import { runProgram } from '../support/run-program.ts';
import { openSeveralNodes, idOf, offeringId, type NodeProcess, type SeveralNodes } from './node-brokers.ts';
import { until } from '../support/until.ts';

const ids = { service_id: offeringId, plan_id: idOf(offeringId, 'small') };
const lost = expect.stringContaining('It was lost with its node');
const [n1, n2] = [{ NODE_PORTS: '21200-21219' }, { NODE_PORTS: '21220-21239' }];

let severalNodes: SeveralNodes;
let first: NodeProcess;
let second: NodeProcess;
/** What platforms and operators know of the lives before and after. */
const before: Record<string, Credentials> = {};
const old: Record<string, number> = {};

interface Credentials {
  readonly port: number;
  readonly password: string;
  readonly name: string;
  readonly node_id: string;
}

beforeAll(async () => {
  severalNodes = await openSeveralNodes();
  first = await severalNodes.node('n1', n1);
  for (const id of ['elsewhere', 'same']) {
    expect((await first.ask('PUT', pathOf(id), made)).status).toBe(201);
    before[id] = await bind(first, id, 'b');
    [old[id] = 0] = severalNodes.processesOf('n1', id).alive;
  }
  await first.kill();
  second = await severalNodes.node('n2', n2);
  await severalNodes.fallSilent('n1');
});
afterAll(() => severalNodes.close());

const made = { ...ids, organization_guid: 'o', space_guid: 's' };
const pathOf = (id: string) => `/v2/service_instances/${id}`;
const query = new URLSearchParams(ids).toString();

async function bind(broker: NodeProcess, id: string, binding: string): Promise<Credentials> {
  const { status, body } = await broker.ask('PUT', `${pathOf(id)}/service_bindings/${binding}`, ids);
  expect(status).toBe(201);
  return body['credentials'] as unknown as Credentials;
}

/** Runs a command of the program, as somebody without a terminal. */
function command(...words: string[]) {
  const { port, hostname } = new URL(second.address);
  const env = { HOST: hostname, PORT: port, OPERATOR_PASSWORD: 'the-operator-of-the-test' };
  return runProgram(words, env).ended;
}

async function orphans(node: string) {
  const { body } = await second.operate('GET', '/orphans');
  const all = body['orphans'] as readonly { node: string; name: string; key: string; final: boolean }[];
  return all.filter((one) => one.node === node);
}

async function recreated(id: string, node: string): Promise<Credentials> {
  const { code, output } = await command('instances', 'recreate', id);
  expect([code, output]).toEqual([0, expect.stringContaining('succeeded')]);
  const { body } = await second.operate('GET', `/instances/${id}`);
  expect(body).toMatchObject({ state: 'ready', node, bindings: 0 });
  return bind(second, id, 'anew');
}

/** Each statement builds on what those before have done. */
describe('A node that was given up', () => {
  test('A node is given up by who was shown what is lost, and says so', async () => {
    const asked = await command('nodes', 'abandon', 'n1');
    expect(asked.code).toBe(1);
    expect(asked.output).toMatch(/elsewhere +lines +small +ready +1[^]*same +lines +small +ready +1/);
    expect(asked.errors).toContain('--yes');
    expect((await second.operate('GET', '/nodes')).body).toMatchObject({
      nodes: [{ name: 'n1' }, { name: 'n2' }],
    });
    expect(await command('nodes', 'abandon', 'n2', '--yes')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('alive'),
    });
    expect(await command('nodes', 'abandon', 'n1', '--yes')).toMatchObject({
      code: 0,
      output: expect.stringContaining('elsewhere'),
    });
  });

  test('A node that was given up leaves instances of which everybody is told that they were lost with it', async () => {
    const answers = await Promise.all([
      second.ask('GET', pathOf('same')),
      second.ask('GET', `${pathOf('same')}/service_bindings/b`),
      second.ask('GET', `${pathOf('same')}/last_operation`),
      second.ask('PUT', `${pathOf('same')}/service_bindings/c`, ids),
      second.ask('PATCH', pathOf('same'), { service_id: offeringId, parameters: {} }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 200, 400, 400]);
    for (const { body } of answers) expect(body['description']).toEqual(lost);
    expect(answers[2]?.body).toMatchObject({ state: 'failed' });
    expect((await command('instances')).output).toMatch(/same +lines +small +lost +error/);
    expect((await command('instances', 'show', 'same')).output).toContain('it was lost with its node n1');
    expect((await second.ask('DELETE', `${pathOf('same')}/service_bindings/b?${query}`)).status).toBe(410);
  });

  test('A node that was given up lets its instances be made anew on another node, with other names and credentials', async () => {
    const now = await recreated('elsewhere', 'n2');
    const then = before['elsewhere'];
    expect([now.node_id, now.name === then?.name, now.password === then?.password]).toEqual([
      'n2',
      false,
      false,
    ]);
    expect(await say(now.port, 'PING')).toBe('PONG');
  });

  test('A node that was given up comes back, and takes nothing of before for its own', async () => {
    first = await severalNodes.node('n1', n1);
    await until('what was there is found', async () => (await orphans('n1')).length === 2);
    expect((await orphans('n1')).map(({ key }) => key).toSorted()).toEqual(
      Object.values(before)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(await orphans('n2')).toEqual([]);
    await second.operate('POST', '/nodes/n2/drain');
    const now = await recreated('same', 'n1');
    const then = before['same'];
    expect([now.name === then?.name, now.port === then?.port, now.password === then?.password]).toEqual([
      false,
      false,
      false,
    ]);
    // What runs from before goes on untouched, and beside it runs what is new.
    const { alive } = severalNodes.processesOf('n1', 'same');
    expect(alive).toHaveLength(2);
    expect(alive).toContain(old['same']);
    expect(await say(now.port, 'PING')).toBe('PONG');
  });

  test('A node that was given up has what is left of before removed when somebody says so, and nothing else', async () => {
    await severalNodes.database.pool.query(
      `update orphan_suspects set first_seen_at = first_seen_at - interval '6 minutes'`,
    );
    await first.kill();
    first = await severalNodes.node('n1', n1);
    await until('all are final', async () => (await orphans('n1')).every(({ final }) => final));
    const names = (await orphans('n1')).map(({ name }) => name);
    expect((await command('orphans', 'remove', ...names)).code).toBe(0);
    await first.kill();
    first = await severalNodes.node('n1', n1);
    await until('they are gone', () => !Object.values(old).some(isThere));
    expect(severalNodes.processesOf('n1', 'elsewhere').alive).toEqual([]);
    expect(severalNodes.processesOf('n1', 'same').alive).toHaveLength(1);
    expect(severalNodes.processesOf('n1', 'same').alive).not.toContain(old['same']);
    const { body } = await second.operate('GET', '/instances/same');
    expect(body).toMatchObject({ state: 'ready', node: 'n1' });
    for (const id of ['elsewhere', 'same']) {
      const { status } = await second.ask('DELETE', `${pathOf(id)}?${query}`);
      expect(status).toBe(200);
    }
  });
});
