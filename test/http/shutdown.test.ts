import { once } from 'node:events';
import { connect } from 'node:net';
import type { Route } from '../../src/protocols/protocol.ts';
import { aServer, login, showing } from './test-server.ts';

/** A route that answers when it is told to. */
function gate() {
  const arrived = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const route: Route = {
    method: 'GET',
    path: '/slow',
    async handler() {
      arrived.resolve();
      await opened.promise;
      return { status: 200, body: { done: true } };
    },
  };
  return { route, arrived: arrived.promise, open: opened.resolve };
}

const quick: Route = { method: 'GET', path: '/quick', handler: () => ({ status: 200, body: {} }) };

test('Draining lets a running request end, takes no new connection and hangs up afterwards.', async () => {
  const slow = gate();
  const running = await aServer(showing({ routes: [slow.route] }));
  const answer = running.ask('/slow');
  await slow.arrived;
  const drained = running.server.drain(10_000);
  await expect(running.ask('/slow')).rejects.toThrow('fetch failed');
  slow.open();
  expect(await (await answer).json()).toEqual({ done: true });
  expect((await answer).headers.get('connection')).toBe('close');
  expect(await drained).toBe(true);
  await running.server.close();
});

test('A request on a connection that was kept open is still answered while draining, with Connection: close.', async () => {
  const slow = gate();
  const running = await aServer(showing({ routes: [slow.route, quick] }));
  const socket = connect(running.port, '127.0.0.1').setEncoding('latin1');
  const head = `HTTP/1.1\r\nHost: x\r\nAuthorization: ${login}\r\n\r\n`;
  socket.write(`GET /slow ${head}`);
  await slow.arrived;
  const drained = running.server.drain(10_000);
  socket.write(`GET /quick ${head}`);
  slow.open();
  const [text] = (await once(socket, 'data')) as [string];
  expect(text).toMatch(/^HTTP\/1.1 200 OK.*\r\nConnection: close/s);
  await once(socket, 'close');
  expect(await drained).toBe(true);
  await running.server.close();
});

test('Connections that are idle, or have never said anything, do not hold the draining up.', async () => {
  const running = await aServer(showing({ routes: [quick] }));
  const idle = connect(running.port, '127.0.0.1');
  idle.write(`GET /quick HTTP/1.1\r\nHost: x\r\nAuthorization: ${login}\r\n\r\n`);
  await once(idle, 'data');
  const silent = connect(running.port, '127.0.0.1').resume();
  await once(silent, 'connect');
  const hungUp = [once(idle, 'close'), once(silent, 'close')];
  const started = performance.now();
  expect(await running.server.drain(60_000)).toBe(true);
  await running.server.close();
  await Promise.all(hungUp);
  expect(performance.now() - started).toBeLessThan(30_000);
});

test('What has not ended by the deadline goes on until the server is closed.', async () => {
  const slow = gate();
  const running = await aServer(showing({ routes: [slow.route] }));
  const late = running.ask('/slow');
  await slow.arrived;
  expect(await running.server.drain(100)).toBe(false);
  slow.open();
  expect((await late).status).toBe(200);
  await running.server.close();
});

test('Closing ends at once, also twice.', async () => {
  const slow = gate();
  const running = await aServer(showing({ routes: [slow.route] }));
  const failed = expect(running.ask('/slow')).rejects.toThrow('fetch failed');
  await slow.arrived;
  await running.server.close();
  await failed;
  await running.server.close();
  slow.open();
});

test('A port that is taken is an error.', async () => {
  const running = await aServer(showing());
  const other = await aServer(showing());
  await other.server.close();
  await expect(other.server.listen(running.port, '127.0.0.1')).rejects.toThrow('EADDRINUSE');
  await running.server.close();
});

test('What is told by and by is told as it comes, and ends at once when the server is to end or nobody listens.', async () => {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  const type = 'text/event-stream';
  async function* follow(signal: AbortSignal) {
    yield 'first ';
    yield 'second';
    await once(signal, 'abort');
    leave();
    throw new Error('It is over.');
  }
  const handler = () => ({ status: 200, body: { follow, type } });
  const running = await aServer(showing({ routes: [{ method: 'GET', path: '/told', handler }] }));
  const gone = new AbortController();
  const first = await running.ask('/told', { signal: gone.signal });
  expect(first.headers.get('content-type')).toBe(type);
  gone.abort();
  await left;
  const last = await running.ask('/told');
  expect((await running.ask('/told', { method: 'HEAD' })).status).toBe(200);
  expect(await running.server.drain(60_000)).toBe(true);
  expect(await last.text()).toBe('first second');
  await running.server.close();
});
