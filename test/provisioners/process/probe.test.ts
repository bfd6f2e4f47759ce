import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { exchange } from '../../../src/provisioners/process/probe/tcp.ts';
import { askForPage } from '../../../src/provisioners/process/probe/http.ts';
import { until } from '../../support/until.ts';

/** How a port is asked whether what listens there is ready. */

const patient = new AbortController().signal;

async function withServer<Result>(
  serve: (socket: Socket) => void,
  act: (address: { host: string; port: number }) => Promise<Result>,
): Promise<Result> {
  const server = createServer((socket) => serve(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await act({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  } finally {
    server.close();
  }
}

test('An answer may come in pieces, with pauses as on a machine that has much to do.', async () => {
  const serve = (socket: Socket) => {
    socket.write('+OK\r\n');
    setTimeout(() => socket.end('+PONG\r\n'), 400);
  };
  const answer = await withServer(serve, (address) => exchange(address, { expect: 'PONG' }, 2000, patient));
  expect(answer.is).toBe('ready');
});

test('A wrong answer is told before the time is up.', async () => {
  const began = performance.now();
  const answer = await withServer(
    (socket) => void socket.write('ERR\n'),
    (address) => exchange(address, { expect: 'PONG' }, 60_000, patient),
  );
  expect(answer).toMatchObject({ is: 'wrong', said: 'ERR\n' });
  expect(performance.now() - began).toBeLessThan(30_000);
});

test.each([
  ['a path', { path: '/a b', headers: {} }],
  ['a path in another script', { path: '/ñ👍🏽', headers: {} }],
  ['a header', { path: '/', headers: { token: 'a\nb' } }],
])('%s that HTTP does not know is a wrong answer, and nothing comes after it.', async (_what, page) => {
  const answer = await askForPage({ host: '127.0.0.1', port: 1 }, { ...page, status: 200 }, 20, patient);
  expect(answer).toEqual({ is: 'wrong', reason: 'its page has a path or headers that HTTP does not know' });
  // A timer that was left would have thrown by now.
  await pause(60);
});

test('A question that is given up ends at once, and hangs up.', async () => {
  const control = new AbortController();
  const page = { path: '/', status: 200, headers: {} };
  let open = 0;
  const serve = (socket: Socket) => {
    open += 1;
    socket.on('close', () => (open -= 1)).resume();
    if (open === 2) control.abort();
  };
  await withServer(serve, async (address) => {
    const answers = await Promise.all([
      exchange(address, { send: 'PING', expect: 'PONG' }, 60_000, control.signal),
      askForPage(address, page, 60_000, control.signal),
    ]);
    expect(answers).toMatchObject([{ is: 'silent' }, { is: 'silent' }]);
    await until('all files are closed', () => open === 0);
  });
});
