import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkOf } from '../../src/http/network.ts';
import type { Route } from '../../src/protocols/protocol.ts';
import { until } from '../support/until.ts';
import { aServer, login, showing, type Running } from './test-server.ts';

/** Room for 20: ten strangers, two of each network. */
const limits = { maxConnections: 20, graceMs: 0 };
const patient = { maxConnections: 20, graceMs: 60_000 };

const gates: (() => void)[] = [];
const slow: Route = {
  method: 'GET',
  path: '/slow',
  async handler() {
    await new Promise<void>((resolve) => gates.push(resolve));
    return { status: 200, body: {} };
  },
};
const protocol = showing();
const withSlow = showing({ routes: [...protocol.routes, slow] });

let running: Running | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const open of gates.splice(0)) open();
  for (const socket of sockets.splice(0)) socket.destroy();
  await running?.server.close();
});

interface Caller {
  readonly socket: Socket;
  /** All that it has been told. */
  readonly text: () => string;
  readonly isClosed: () => boolean;
}

/** @param from another address of this machine */
async function call(from = '127.0.0.1'): Promise<Caller> {
  const socket = connect({ port: running?.port ?? 0, host: '127.0.0.1', localAddress: from });
  sockets.push(socket);
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  await once(socket, 'connect');
  return { socket, text: () => text, isClosed: () => socket.destroyed || socket.readableEnded };
}

function request(path: string, authorization?: string): string {
  const header = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n`;
}

async function ask({ socket, text }: Caller, path: string, authorization?: string): Promise<string> {
  const before = text().length;
  socket.write(request(path, authorization));
  await until('an answer', () => text().slice(before).includes('}'));
  return text().slice(before);
}

async function loggedIn(): Promise<Caller> {
  const caller = await call();
  expect(await ask(caller, '/things', login)).toMatch(/^HTTP\/1.1 200 /);
  return caller;
}

async function many(count: number, make: (index: number) => Promise<Caller>): Promise<readonly Caller[]> {
  const made: Caller[] = [];
  for (let index = 0; index < count; index += 1) made.push(await make(index));
  return made;
}

const stillOpen = (callers: readonly Caller[]) => callers.filter((one) => !one.isClosed());

test('Connections without a login crowd out neither those with one nor a platform that comes later.', async () => {
  running = await aServer({ ...patient }, protocol);
  const platforms = await many(5, loggedIn);
  const strangers = await many(60, (index) => call(`127.0.1.${(index % 30) + 1}`));
  await until('strangers had to go', () => stillOpen(strangers).length <= 15);
  for (const platform of platforms) expect(await ask(platform, '/things', login)).toMatch(/^HTTP\/1.1 200 /);
  const late = await loggedIn();
  expect(await ask(late, '/things', login)).toMatch(/^HTTP\/1.1 200 /);
  expect(stillOpen(platforms)).toHaveLength(5);
});

test('The oldest connections without a login go first, and half of the room is all they may have for long.', async () => {
  running = await aServer({ ...limits }, protocol);
  const strangers = await many(30, (index) => call(`127.0.1.${index + 1}`));
  await until('ten strangers are left', () => stillOpen(strangers).length === 10);
  expect(stillOpen(strangers)).toEqual(strangers.slice(20));
});

test('One network without a login takes nothing from the others.', async () => {
  running = await aServer({ ...limits }, protocol);
  const others = await many(3, (index) => call(`127.0.1.${index + 1}`));
  const greedy = await many(30, () => call('127.0.2.1'));
  await until('two of the greedy network are left', () => stillOpen(greedy).length === 2);
  for (const other of others) expect(await ask(other, '/things', login)).toMatch(/^HTTP\/1.1 200 /);
});

test('A wrong login makes a connection a stranger again.', async () => {
  running = await aServer({ ...limits }, protocol);
  const fallen = await loggedIn();
  expect(await ask(fallen, '/things', 'Basic eDp5')).toMatch(/^HTTP\/1.1 401 /);
  await many(3, () => call());
  await until('the fallen one is closed', () => fallen.isClosed());
});

test('Where all connections are in use, the next request is answered 503 with Retry-After, and goes on later.', async () => {
  running = await aServer({ ...limits }, withSlow);
  const busy = await many(20, loggedIn);
  for (const one of busy) one.socket.write(request('/slow', login));
  await until('twenty requests are being answered', () => gates.length === 20);
  const refused = await call();
  const answer = await ask(refused, '/things', login);
  expect(answer).toMatch(/^HTTP\/1.1 503 .*\r\nRetry-After: 5\r\n.*Connection: close/s);
  expect(answer).toContain('{"error":"ServiceUnavailable","description":"There are too many connections.');
  await until('the refused one is closed', () => refused.isClosed());
  const silent = await call();
  await until('the silent one is closed', () => silent.isClosed());
  for (const open of gates.splice(0)) open();
  await until('all answers', () => busy.every(({ text }) => text().split('HTTP/1.1 200').length === 3));
  expect(await ask(await loggedIn(), '/things', login)).toMatch(/^HTTP\/1.1 200 /);
});

test('Where all connections belong to platforms, the one that is idle for longest makes room for the next.', async () => {
  running = await aServer({ ...limits }, protocol);
  const platforms = await many(20, loggedIn);
  expect(await ask(platforms[0] as Caller, '/things', login)).toMatch(/^HTTP\/1.1 200 /);
  await loggedIn();
  await until('one platform had to go', () => stillOpen(platforms).length === 19);
  expect(platforms[1]?.isClosed()).toBe(true);
});

test('Who was about to ask is told 503 when its connection has to go.', async () => {
  running = await aServer({ ...limits }, protocol);
  const slowly = await call();
  slowly.socket.write('GET /things HTTP/1.1\r\nHost:');
  // By the time that another one is answered it has arrived.
  await ask(await call('127.0.3.1'), '/things', login);
  await many(2, () => call());
  await until('the slow one is closed', () => slowly.isClosed());
  expect(slowly.text()).toMatch(/^HTTP\/1.1 503 .*\r\nRetry-After: 5\r\n/s);
});

test('The operator is told of crowds, not of each connection.', async () => {
  const troubles: Error[] = [];
  running = await aServer({ ...limits, onTrouble: (error) => void troubles.push(error) }, protocol);
  const strangers = await many(30, () => call());
  await until('two strangers are left', () => stillOpen(strangers).length === 2);
  expect(troubles.map(({ message }) => message)).toEqual(['1 connection was closed for want of room.']);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('Of %s the network is %s.', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
