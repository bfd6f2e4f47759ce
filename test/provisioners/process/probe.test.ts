import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { createCertificates } from '../../../src/program/authority/certificates.ts';
import { createRoot } from '../../../src/program/authority/sign.ts';
import { exchange } from '../../../src/provisioners/process/probe/tcp.ts';
import { askForPage } from '../../../src/provisioners/process/probe/http.ts';
import { until } from '../../support/until.ts';

/** How a port is asked whether what listens there is ready. */

const patient = new AbortController().signal;

async function withServer<Result>(
  serve: (socket: Socket) => void | Promise<void>,
  act: (address: { host: string; port: number }) => Promise<Result>,
): Promise<Result> {
  const server = createServer((socket) => void serve(socket.on('error', () => undefined))).listen(
    0,
    '127.0.0.1',
  );
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

describe('A service that begins in the clear and goes over to TLS', () => {
  let pair: { readonly cert: string; readonly key: string };
  let ca: string;
  beforeAll(async () => {
    const root = await createRoot(1, new Date());
    const certificates = createCertificates({
      list: async () => [root],
      add: async () => false,
      schedule: async () => false,
    });
    ca = (await certificates.inForce(0)).roots;
    const { certificate, key } = await certificates.issue(['127.0.0.1']);
    pair = { cert: certificate, key };
  });

  /** Greets, and speaks TLS when it has heard `awaited`; then it answers `PING`. */
  const greeter =
    (greeting: readonly string[], awaited = '') =>
    async (socket: Socket): Promise<void> => {
      for (const part of greeting) {
        socket.write(part);
        await pause(20);
      }
      if (awaited !== '') {
        let heard = '';
        for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
          heard += String(chunk);
          if (heard.includes(awaited)) break;
        }
        socket.write('go on\r\n');
      }
      const secure = new TLSSocket(socket, { isServer: true, ...pair });
      secure.on('error', () => undefined);
      secure.on('data', (said) => secure.write(String(said) === 'PING' ? 'PONG' : 'ERR'));
    };

  test('A greeting in pieces is heard to its end, and what is said then is said in TLS.', async () => {
    const answer = await withServer(greeter(['INFO {', '}\r\n']), (address) =>
      exchange(
        { ...address, ca },
        { send: 'PING', expect: 'PONG', tls: { expect: '\r\n' } },
        60_000,
        patient,
      ),
    );
    expect(answer).toEqual({ is: 'ready', said: 'PONG' });
  });

  test('A service that is asked for TLS in the clear is spoken to when it agrees.', async () => {
    const tls = { send: 'STARTTLS\r\n', expect: 'go on\r\n' };
    const answer = await withServer(greeter(['220 hello\r\n'], 'STARTTLS\r\n'), (address) =>
      exchange({ ...address, ca }, { send: 'PING', expect: 'PONG', tls }, 60_000, patient),
    );
    expect(answer.is).toBe('ready');
  });

  test('An answer in the clear counts for none, and another greeting is told of.', async () => {
    const ask = { send: 'PING', expect: 'PONG', tls: { expect: '\r\n' } };
    const inTheClear = (socket: Socket) => void socket.write('PONG\r\n');
    const early = await withServer(inTheClear, (address) => exchange({ ...address, ca }, ask, 500, patient));
    expect(early.is).toBe('silent');
    const refusing = (socket: Socket) => void socket.end('too many connections');
    const refused = await withServer(refusing, (address) =>
      exchange({ ...address, ca }, ask, 60_000, patient),
    );
    expect(refused).toMatchObject({ is: 'wrong', said: 'too many connections' });
  });

  test('A server of another authority is not spoken to, and a question that is given up ends in TLS as well.', async () => {
    const ask = { send: 'PING', expect: 'PONG', tls: { expect: '\r\n' } };
    const stranger = await withServer(greeter(['INFO\r\n']), (address) =>
      exchange(address, ask, 60_000, patient),
    );
    expect(stranger.is).toBe('silent');
    const control = new AbortController();
    const givenUp = await withServer(
      (socket) => {
        socket.write('INFO\r\n');
        socket.once('data', () => control.abort());
      },
      (address) => exchange({ ...address, ca }, ask, 60_000, control.signal),
    );
    expect(givenUp.is).toBe('silent');
  });
});
