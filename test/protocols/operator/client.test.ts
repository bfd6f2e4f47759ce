import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Node } from '../../../src/broker/nodes.ts';
import { operatorClient } from '../../../src/protocols/operator/client.ts';
import { createPeers } from '../../../src/protocols/operator/peers.ts';

/** The client of the operator API, by which commands and brokers ask: what it sends, and what it makes of answers. */

const login = { username: 'operator', password: 'pass:word ä' };
const asked: { readonly request: IncomingMessage; readonly body: string }[] = [];
let answer: { readonly status: number; readonly body: string; readonly location?: string } | 'silence';
let server: Server;
let address: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += String(part)));
    request.on('end', () => {
      asked.push({ request, body });
      if (answer === 'silence') return;
      const { status, location } = answer;
      response.writeHead(status, location === undefined ? {} : { location }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void asked.splice(0));
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

function client(settings: Partial<Parameters<typeof operatorClient>[0]> = {}) {
  return operatorClient({
    address,
    login,
    errorOf: ({ is, ...more }) => Object.assign(new Error(is), more),
    ...settings,
  });
}

function nodeAt(url: string): Node {
  return {
    name: 'left',
    host: '127.0.0.1',
    url,
    directory: '/left',
    ports: { first: 1, last: 9 },
    capacity: 100,
    executables: [],
    isolation: 'none',
    allowsUnisolated: true,
    draining: false,
    beatAt: new Date(0),
    stale: false,
    used: 0,
    instances: 0,
    portsFree: 9,
  };
}

const says = (body: object, status = 200) => ({ status, body: JSON.stringify(body) });

type Client = ReturnType<typeof client>;

test.each<[string, (of: Client) => Promise<object>, string, string, object | undefined]>([
  ['the nodes', (of) => of.nodes(), 'GET', '/operator/nodes', undefined],
  [
    'a change of a node',
    (of) => of.changeNode('a/b', 'drain'),
    'POST',
    '/operator/nodes/a%2Fb/drain',
    undefined,
  ],
  ['the offerings', (of) => of.offerings(), 'GET', '/operator/offerings', undefined],
  [
    'instances, without what is undefined',
    (of) => of.instances({ node: 'n 1', after: undefined }),
    'GET',
    '/operator/instances?node=n+1',
    undefined,
  ],
  ['an instance', (of) => of.instance('i?1'), 'GET', '/operator/instances/i%3F1', undefined],
  ['an action', (of) => of.act('i1', 'upgrade'), 'POST', '/operator/instances/i1/actions/upgrade', {}],
  [
    'an action on units',
    (of) => of.act('i1', 'stop', { units: ['web'] }),
    'POST',
    '/operator/instances/i1/actions/stop',
    { units: ['web'] },
  ],
  [
    'an unbind',
    (of) => of.removeBinding('i1', 'b/1'),
    'DELETE',
    '/operator/instances/i1/bindings/b%2F1',
    undefined,
  ],
  [
    'a command',
    (of) => of.exec('i1', { command: ['ps'], timeout: 5 }),
    'POST',
    '/operator/instances/i1/exec',
    { command: ['ps'], timeout: 5 },
  ],
  ['a log', (of) => of.log('i1', { lines: '5' }), 'GET', '/operator/instances/i1/log?lines=5', undefined],
  ['the orphans', (of) => of.orphans(), 'GET', '/operator/orphans', undefined],
  [
    'a removal of an orphan',
    (of) => of.removeOrphan({ provisioner: 'process', name: 'x' }),
    'POST',
    '/operator/orphans/remove',
    { provisioner: 'process', name: 'x' },
  ],
])('The client asks for %s with its login, and gives the answer.', async (_what, ask, method, url, body) => {
  answer = says({ what: 'was answered' }, 202);
  expect(await ask(client())).toEqual({ what: 'was answered' });
  const [only, ...more] = asked;
  expect(more).toEqual([]);
  expect(only?.request).toMatchObject({ method, url });
  expect(only?.body).toBe(body === undefined ? '' : JSON.stringify(body));
  expect(only?.request.headers.authorization).toBe(
    `Basic ${Buffer.from('operator:pass:word ä').toString('base64')}`,
  );
});

const refusal = { error: 'conflict', description: 'No.', field: 'node' };

test.each<[string, typeof answer, object]>([
  ['a refusal', says(refusal, 409), { message: 'refused', status: 409, answer: refusal }],
  ['no refusal of a broker', { status: 502, body: '<html>' }, { message: 'refused', status: 502 }],
  ['what is no text', says({ ...refusal, field: 1, detail: {} }, 409), { answer: { error: 'conflict' } }],
  ['no JSON', { status: 200, body: '<html>' }, { message: 'unreadable' }],
  ['no object', { status: 200, body: 'null' }, { message: 'unreadable' }],
  ['silence', 'silence', { message: 'late' }],
])('The client tells %s as such.', async (_what, given, expected) => {
  answer = given;
  await expect(client({ limit: given === 'silence' ? 100 : 10_000 }).nodes()).rejects.toMatchObject(expected);
});

/** Where a server has just ended. */
async function deserted(): Promise<string> {
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  return `http://127.0.0.1:${port}`;
}

test('The client tells with its code that nobody listens.', async () => {
  const nobody = client({ address: await deserted() });
  await expect(nobody.nodes()).rejects.toMatchObject({ message: 'unreachable', code: 'ECONNREFUSED' });
});

describe('Between brokers', () => {
  const of = { instanceId: 'i1', origin: { protocol: 'tsuru', principal: 'broker', requestId: 'r1' } };
  const peer = () => createPeers(login)(nodeAt(address));
  const cannot = (why: string) => ({
    code: 'unavailable',
    message: `The node left, where this instance is, cannot be asked: ${why}. Try again later.`,
  });

  test('Between brokers the node is named that is meant, so that another one refuses, and the request that asked first.', async () => {
    answer = says({ results: [{ unit: 'web', code: 0, output: '' }] });
    const ran = await peer().exec({ ...of, command: ['ps'], unit: 'web', timeout: 1000 });
    expect(ran).toEqual([{ unit: 'web', code: 0, output: '' }]);
    answer = says({ units: [{ unit: 'web', text: 'x' }] });
    expect(await peer().log({ ...of, lines: 5 })).toEqual([{ unit: 'web', text: 'x' }]);
    expect(asked.map(({ request }) => request.url)).toEqual([
      '/operator/instances/i1/exec?node=left&passed_on=true',
      '/operator/instances/i1/log?lines=5&node=left&passed_on=true',
    ]);
    expect(asked[0]?.body).toBe(JSON.stringify({ command: ['ps'], unit: 'web', timeout: 1000 }));
    expect(asked.map(({ request }) => request.headers['x-vcap-request-id'])).toEqual(['r1', 'r1']);
  });

  test.each<[string, typeof answer, object]>([
    ['a refusal', says({ ...refusal, error: 'busy' }, 409), { code: 'busy', message: 'No.', field: 'node' }],
    [
      'a failure',
      says({ error: 'failed', description: 'It failed.', detail: 'why' }, 500),
      { word: 'failed', message: 'It failed.', hints: { detail: 'why' } },
    ],
    [
      'an unexpected error',
      says({ error: 'internal', description: 'x' }, 500),
      cannot('it answered with status 500'),
    ],
    [
      'another password',
      says({ ...refusal, error: 'unauthorized' }, 401),
      cannot('it has another OPERATOR_PASSWORD'),
    ],
    [
      'what is no broker',
      { status: 200, body: 'hello' },
      cannot('it answered something else than a broker does'),
    ],
  ])('Between brokers %s of the other one is told here.', async (_what, given, expected) => {
    answer = given;
    await expect(peer().log({ ...of, lines: 5 })).rejects.toMatchObject(expected);
  });

  test('Between brokers no redirect is followed: the login is for the node alone.', async () => {
    answer = { status: 307, body: '', location: `${address}/elsewhere` };
    await expect(peer().log({ ...of, lines: 5 })).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked).toHaveLength(1);
  });

  test('Between brokers nobody is asked without a login, nor where nobody listens.', async () => {
    await expect(createPeers(undefined)(nodeAt(address)).log({ ...of, lines: 5 })).rejects.toMatchObject(
      cannot('its operator API is off: OPERATOR_PASSWORD is not set here'),
    );
    expect(asked).toEqual([]);
    const nobody = createPeers(login)(nodeAt(await deserted()));
    await expect(nobody.log({ ...of, lines: 5 })).rejects.toMatchObject(cannot('ECONNREFUSED'));
  });
});
