import { randomUUID } from 'node:crypto';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';
import { until } from '../../support/until.ts';

/** Two brokers on one database, each a node, with one process service; all that a test makes is removed after it. */

const ticker = {
  service_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a10',
  plan_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a11',
};
const login = `operator:${operatorPassword}`;
const env = { CATALOG_DIR: 'test/support/node-catalog', NODE_PORTS: '26000-26099' };

let database: TestDatabase;
let left: WholeBroker;
let right: WholeBroker;
const made: string[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  left = await startWholeBroker(database, { ...env, NODE_NAME: 'left' });
  right = await startWholeBroker(database, { ...env, NODE_NAME: 'right' });
});
afterEach(async () => {
  await operate('post', 'nodes/left/undrain');
  for (const id of made.splice(0)) {
    const { status } = await left.ask('delete', `/v2/service_instances/${id}`, { query: ticker });
    expect(status).toBe(200);
  }
});
afterAll(async () => {
  await left.stop();
  await right.stop();
  await database.close();
});

function operate(method: 'get' | 'post', path: string, body?: object, broker = left) {
  return broker.ask(method, `/operator/${path}`, { login, ...(body ? { body } : {}) });
}

async function provision(): Promise<string> {
  const id = `operated-${randomUUID()}`;
  made.push(id);
  const body = { ...ticker, organization_guid: 'o', space_guid: 's' };
  const { status } = await left.ask('put', `/v2/service_instances/${id}`, { body });
  expect(status).toBe(201);
  return id;
}

/** Of the left node, whichever has more room. */
async function provisionOnLeft(): Promise<string> {
  await operate('post', 'nodes/right/drain');
  try {
    return await provision();
  } finally {
    await operate('post', 'nodes/right/undrain');
  }
}

describe('The login', () => {
  test.each([
    ['of the platforms', () => `broker:${left.password}`],
    ['with another password', () => 'operator:guess'],
    ['that is missing', () => undefined],
  ])('%s does not open the operator API', async (_what, wrong) => {
    for (const path of ['nodes', 'instances', 'nothing']) {
      const answer = await left.ask('get', `/operator/${path}`, { login: wrong() });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toMatch(/^Basic realm="Operator"/);
    }
  });

  test('The login of an operator opens the metrics too, and nothing of the platforms', async () => {
    expect((await left.ask('get', '/v2/catalog', { login })).status).toBe(401);
    expect((await left.ask('get', '/metrics', { login })).status).toBe(200);
  });

  test('A path that is none is told to operators as such', async () => {
    const { status, body } = await operate('get', 'nothing');
    expect({ status, body: body as unknown }).toEqual({
      status: 404,
      body: { error: 'bad-request', description: 'There is nothing at this path.' },
    });
  });

  test('Without OPERATOR_PASSWORD beside an external database there is no operator API', async () => {
    const broker = await startWholeBroker(database, { ...env, NODE_ROLE: 'false', OPERATOR_PASSWORD: '' });
    try {
      expect((await broker.ask('get', '/operator/nodes')).status).toBe(404);
    } finally {
      await broker.stop();
    }
  });
});

describe('Nodes', () => {
  test('Nodes are listed with what they have', async () => {
    const { status, body } = await operate('get', 'nodes');
    expect(status).toBe(200);
    expect(body).toEqual({
      nodes: ['left', 'right'].map((name) => ({
        name,
        state: 'up',
        host: '127.0.0.1',
        url: (name === 'left' ? left : right).url,
        directory: expect.stringMatching(/^\/.*\/node$/) as string,
        ports: '26000-26099',
        ports_free: 100,
        capacity: 100,
        used: 0,
        instances: 0,
        executables: ['sh'],
        isolation: expect.stringMatching(/^(accounts|sandbox|none)/) as string,
        accounts: expect.stringMatching(
          process.getuid?.() === 0 ? /^21\d{8}-21\d{8}$/ : /^the broker's own \(shared\)$/,
        ) as string,
        limits: expect.stringMatching(/^memory, .*; disk by rlimits/) as string,
        beat_at: expect.any(String) as string,
      })),
    });
  });

  test('A node that is drained takes no new instances until it is told otherwise', async () => {
    await operate('post', 'nodes/left/drain');
    const ids = [await provision(), await provision()];
    for (const id of ids)
      expect((await operate('get', `instances/${id}`)).body).toMatchObject({ node: 'right' });
    const { body } = await operate('get', 'nodes');
    expect(body).toMatchObject({ nodes: [{ state: 'draining' }, { state: 'up', instances: 2, used: 2 }] });
    await operate('post', 'nodes/left/undrain');
    const id = await provision();
    expect((await operate('get', `instances/${id}`)).body).toMatchObject({ node: 'left' });
  });

  test('A node that lives is not forgotten, and one that is not there cannot be', async () => {
    for (const verb of ['forget', 'abandon'])
      expect((await operate('post', `nodes/left/${verb}`)).body).toMatchObject({ error: 'conflict' });
    for (const verb of ['drain', 'undrain', 'forget', 'abandon']) {
      const { status, body } = await operate('post', `nodes/nobody/${verb}`);
      expect({ status, body: body as unknown }).toMatchObject({ status: 404, body: { error: 'not-found' } });
    }
  });
});

test('Offerings are listed with the reason why some are not on sale, which the log and the catalog know too', async () => {
  const { body } = await operate('get', 'offerings');
  const { offerings } = body as { offerings: readonly { name: string }[] };
  const reason = 'The executable a-program-that-nobody-has was not found on any node.';
  expect(offerings.filter(({ name }) => ['ticker', 'wanting'].includes(name))).toEqual([
    expect.objectContaining({ name: 'ticker', on_sale: true }),
    expect.objectContaining({ name: 'wanting', on_sale: false, hidden: reason }),
  ]);
  expect(left.output()).toContain(`"message":"offering hidden","offering":"wanting","reason":"${reason}"`);
  const catalog = (await left.ask('get', '/v2/catalog')).text;
  expect(catalog).toContain('"ticker"');
  expect(catalog).not.toContain('"wanting"');
});

describe('Instances', () => {
  test('Instances are listed page by page, of one node or offering', async () => {
    const ids = [await provisionOnLeft(), await provisionOnLeft()].toSorted();
    const first = await operate('get', 'instances?limit=1');
    expect(first.body).toMatchObject({ instances: [{ id: ids[0], offering: 'ticker' }], next: ids[0] });
    const second = await operate('get', `instances?limit=2&after=${ids[0]}`);
    expect(second.body).toMatchObject({ instances: [{ id: ids[1] }] });
    expect(second.body).not.toHaveProperty('next');
    for (const [query, count] of [
      ['node=left', 2],
      ['node=right', 0],
      ['offering=ticker', 2],
      [`offering=${ticker.service_id}`, 2],
      ['offering=echo', 0],
    ] as const) {
      const { instances } = (await operate('get', `instances?${query}`)).body as { instances: unknown[] };
      expect([query, instances.length]).toEqual([query, count]);
    }
  });

  test('An instance is shown with its units and its operations step by step, and without its secrets', async () => {
    const id = await provisionOnLeft();
    const { password } = (await bind(id)).credentials;
    await database.pool.query(
      "update operations set failures = 2, trouble = 'Error: x' where instance_id = $1 and kind = 'bind'",
      [id],
    );
    const answer = await operate('get', `instances/${id}`, undefined, right);
    expect(answer.body).toMatchObject({
      id,
      offering: 'ticker',
      plan: 'one',
      state: 'ready',
      node: 'left',
      cost: 1,
      bindings: 1,
      stopped: false,
      drifted: false,
      needed_by: [],
      needs: [],
      organization_guid: 'o',
      operations: [
        { kind: 'bind', state: 'succeeded', binding_id: 'b1', failures: 2, trouble: 'Error: x' },
        {
          kind: 'provision',
          state: 'succeeded',
          asked_by: { protocol: 'osb', principal: 'broker' },
          timeline: ['init', 'prepare', 'configure', 'check_up', 'start', 'check_up'].map((step) => ({
            step,
            tries: 1,
            undo: false,
          })),
        },
      ],
    });
    expect(password).toMatch(/^\w{24}$/);
    expect(answer.text).not.toContain(password);
    const { status } = await left.ask('delete', `/v2/service_instances/${id}/service_bindings/b1`, {
      query: ticker,
    });
    expect(status).toBe(200);
  });

  async function bind(id: string) {
    const { body } = await left.ask('put', `/v2/service_instances/${id}/service_bindings/b1`, {
      body: ticker,
    });
    return body as { credentials: { password: string } };
  }

  test('Instances are stopped, started and restarted, at whichever broker one asks', async () => {
    const id = await provisionOnLeft();
    const before = await pidOf(id);
    for (const [action, status] of [
      ['stop', 'stopped'],
      ['start', 'started'],
    ] as const) {
      expect((await act(id, action)).status).toBeLessThan(203);
      await untilSeen(id, { status });
    }
    expect((await act(id, 'restart', { units: ['main'] })).status).toBeLessThan(203);
    await untilSeen(id, { state: 'ready', status: 'started' });
    expect(await pidOf(id)).not.toBe(before);
    const { operations } = (await operate('get', `instances/${id}`)).body as { operations: Operation[] };
    expect(operations.map(({ kind }) => kind)).toEqual(['restart', 'start', 'stop', 'provision']);
    expect(operations[0]?.asked_by).toMatchObject({ protocol: 'operator', principal: 'operator' });
  });

  interface Operation {
    readonly kind: string;
    readonly asked_by: object;
  }

  function act(id: string, action: string, body: object = {}) {
    return operate('post', `instances/${id}/actions/${action}`, body, right);
  }

  async function untilSeen(id: string, expected: object): Promise<void> {
    const look = async () => matches((await operate('get', `instances/${id}`)).body as object, expected);
    await until(`the instance has ${JSON.stringify(expected)}`, look);
  }

  function matches(body: object, expected: object): boolean {
    return Object.entries(expected).every(([name, value]) => body[name as keyof object] === value);
  }

  async function pidOf(id: string): Promise<number | undefined> {
    await untilSeen(id, { status: 'started' });
    const { units } = (await operate('get', `instances/${id}`)).body as { units: { pid?: number }[] };
    return units[0]?.pid;
  }

  test('Commands are run beside units, and their logs are read, at whichever broker one asks', async () => {
    const id = await provisionOnLeft();
    for (const broker of [left, right]) {
      const command = ['sh', '-c', 'echo "$0"; exit 3', "it's one argument"];
      const ran = await operate('post', `instances/${id}/exec`, { command, unit: 'main' }, broker);
      expect({ status: ran.status, body: ran.body as unknown }).toEqual({
        status: 200,
        body: { results: [{ unit: 'main', code: 3, output: "it's one argument\n" }] },
      });
      const log = await operate('get', `instances/${id}/log?lines=2&unit=main`, undefined, broker);
      expect(log.body).toEqual({
        units: [{ unit: 'main', text: expect.stringMatching(/^begun\npassword=(?!\w{24})/) as string }],
      });
    }
  });

  test('What the node itself refuses is refused in its words, and a broker that is not the node refuses', async () => {
    const id = await provisionOnLeft();
    const answers = await Promise.all(
      [left, right].map((broker) => operate('get', `instances/${id}/log?unit=nobody`, undefined, broker)),
    );
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    expect(answers[0]?.body).toEqual(answers[1]?.body);
    // Longer than the system lets an argument be: it fails where it is tried.
    const body = { command: ['echo', 'ä'.repeat(100_000)] };
    for (const broker of [left, right]) {
      const failed = await operate('post', `instances/${id}/exec`, body, broker);
      expect({ status: failed.status, body: failed.body as unknown }).toEqual({
        status: 500,
        body: {
          error: 'failed',
          description: 'The units could not be asked.',
          detail: expect.stringContaining('E2BIG') as string,
        },
      });
    }
    const asked = await operate('get', `instances/${id}/log?node=left`, undefined, right);
    expect(asked.status).toBe(503);
    expect(asked.body).toMatchObject({ description: "The broker at this address is not the node 'left'." });
  });
});

describe('Bad input is refused with a sentence that names the field', () => {
  test.each([
    ['exec', {}, 'command', 'command is missing.'],
    ['exec', { command: 'ls' }, 'command', 'command must be a list.'],
    ['exec', { command: [] }, 'command', 'command must not be empty.'],
    ['exec', { command: ['a\0b'] }, 'command.0', 'command.0 holds a character that cannot be kept.'],
    ['exec', { command: ['ls'], timeout: 0 }, 'timeout', 'timeout must be at least 1.'],
    ['exec', { command: ['ls'], timeout: 9e9 }, 'timeout', 'timeout must be at most 240000.'],
    ['exec', { command: ['ls'], shell: true }, 'shell', 'shell is not known here.'],
    ['actions/stop', { units: 'main' }, 'units', 'units must be a list.'],
    ['actions/stop', { units: [''] }, 'units.0', 'units.0 must not be empty.'],
  ])(
    'Bad input is refused with a sentence that names the field: %s %j',
    async (path, body, field, description) => {
      const answer = await operate('post', `instances/any/${path}`, body);
      expect({ status: answer.status, body: answer.body as unknown }).toEqual({
        status: 400,
        body: { error: 'invalid', field, description },
      });
    },
  );

  test.each([
    ['instances?limit=0', 'limit', 'limit must be a whole number from 1 to 1000.'],
    ['instances?limit=many', 'limit', 'limit must be a whole number from 1 to 1000.'],
    ['instances?after=%00', 'after', 'after holds a character that cannot be kept, or too many.'],
    ['instances/any/log?lines=1e9', 'lines', 'lines must be a whole number from 1 to 10000.'],
  ])('Bad input is refused with a sentence that names the field: %s', async (path, field, description) => {
    const answer = await operate('get', path);
    expect({ status: answer.status, body: answer.body as unknown }).toEqual({
      status: 400,
      body: { error: 'invalid', field, description },
    });
  });

  test.each(['', '/log'])('An instance that is not there is a 404: %j', async (path) => {
    for (const id of ['none', '%00', '%ed%a0%80x']) {
      expect((await operate('get', `instances/${id}${path}`)).status).toBe(id === 'none' ? 404 : 400);
    }
  });

  test('An orphan that is not there is a 404, and its provisioner must be named', async () => {
    expect((await operate('get', 'orphans')).body).toEqual({ orphans: [] });
    const none = await operate('post', 'orphans/remove', { provisioner: 'process', node: 'left', name: 'x' });
    expect(none.status).toBe(404);
    const unnamed = await operate('post', 'orphans/remove', { name: 'x' });
    expect(unnamed.body).toMatchObject({ field: 'provisioner' });
  });
});

test('A node that is gone is named to those who ask for what only it can do, until it is given up', async () => {
  const lonely = await startWholeBroker(database, { ...env, NODE_NAME: 'lonely' });
  for (const name of ['left', 'right']) await operate('post', `nodes/${name}/drain`);
  const id = await provision();
  for (const name of ['left', 'right']) await operate('post', `nodes/${name}/undrain`);
  // Nobody else can remove what is there, so nothing may run there any more.
  made.splice(0);
  const stop = () => operate('post', `instances/${id}/actions/stop`, undefined, lonely);
  await until('it is stopped', async () => (await stop()).status === 200);
  await lonely.stop();
  expect(lonely.output()).toMatch(/"what runs on this node goes on","node":"lonely","instances":1/);
  const refusal = async () => {
    const { status, body } = await operate('post', `instances/${id}/exec`, { command: ['true'] });
    expect({ status, body: body as unknown }).toMatchObject({ status: 503, body: { error: 'unavailable' } });
    return (body as { description: string }).description;
  };
  expect(await refusal()).toBe("The node 'lonely' of the service instance does not answer.");
  // As when it had been killed a moment ago.
  await database.pool.query(`update nodes set holder = 'it', beat_at = now() where name = 'lonely'`);
  expect(await refusal()).toMatch(/^The node lonely, where this instance is, cannot be asked: /);

  await database.pool.query(`update nodes set beat_at = now() - interval '1 minute' where name = 'lonely'`);
  expect((await operate('post', 'nodes/lonely/forget')).body).toMatchObject({ error: 'conflict' });
  expect((await operate('post', 'nodes/lonely/abandon')).status).toBe(200);
  expect((await operate('get', `instances/${id}`)).body).toMatchObject({ state: 'lost' });
  expect((await left.ask('delete', `/v2/service_instances/${id}`, { query: ticker })).status).toBe(200);
});
