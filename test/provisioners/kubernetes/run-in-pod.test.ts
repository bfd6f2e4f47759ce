import { WebSocketServer, type WebSocket } from 'ws';
import { answerWith, type Double, startDouble } from './double.ts';

/** Commands in pods, at a server that speaks as an API server with a kubelet does. */

const signal = AbortSignal.timeout(120_000);
const pod = { namespace: 'a', name: 'redis-0', container: 'redis' };

let double: Double;
beforeEach(async () => {
  double = await startDouble();
});
afterEach(() => double.close());

/** @param protocol which of those that are offered it takes */
function speak(
  protocol: 'v4.channel.k8s.io' | 'v5.channel.k8s.io',
  serve: (socket: WebSocket) => void,
): void {
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });
  double.upgrade = (request, socket, head) => server.handleUpgrade(request, socket, head, serve);
}

const frame = (channel: number, text: string) => Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
const success = JSON.stringify({ kind: 'Status', status: 'Success' });

test('A command has its words in the address and its input outside of it, and its exit code and both outputs come back.', async () => {
  speak('v5.channel.k8s.io', (socket) => {
    let input = '';
    socket.on('message', (data: Buffer) => {
      if (data[0] === 0) input += data.subarray(1).toString();
      if (data[0] !== 255 || data[1] !== 0) return;
      socket.send(frame(1, `got ${input}`));
      socket.send(frame(2, 'to stderr'));
      const causes = [{ reason: 'ExitCode', message: '3' }];
      socket.send(
        frame(3, JSON.stringify({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes } })),
      );
      socket.close();
    });
  });
  const command = { run: ['redis-cli', '-a b'], send: 'AUTH canary\n' };
  const ran = await double.cluster.exec(pod, command, signal);
  expect(ran).toEqual({ exitCode: 3, stdout: 'got AUTH canary\n', stderr: 'to stderr' });
  const [{ url = '', headers } = {} as never] = double.seen;
  expect(url).toBe(
    '/below/api/v1/namespaces/a/pods/redis-0/exec?container=redis&stdin=true&stdout=true&stderr=true&command=redis-cli&command=-a+b',
  );
  expect(headers['sec-websocket-protocol']).toBe('v5.channel.k8s.io,v4.channel.k8s.io');
  expect(headers.authorization).toBe('Bearer token-of-double');
});

test('A server that knows only the older protocol is spoken to in that, whose input never ends.', async () => {
  const frames: (number | undefined)[] = [];
  speak('v4.channel.k8s.io', (socket) => {
    socket.on('message', (data: Buffer) => {
      frames.push(data[0]);
      socket.send(frame(1, 'x'.repeat(100_000)));
      socket.send(frame(3, success));
    });
  });
  const { exitCode, stdout } = await double.cluster.exec(pod, { run: ['cat'], send: 'a' }, signal);
  expect({ exitCode, length: stdout.length }).toEqual({ exitCode: 0, length: 65_536 });
  expect(frames).toEqual([0]);
});

test('A command whose end comes with the handshake is not waited for in vain.', async () => {
  speak('v5.channel.k8s.io', (socket) => {
    socket.send(frame(1, 'at once'));
    socket.send(frame(3, success));
    socket.close();
  });
  expect(await double.cluster.exec(pod, { run: ['true'] }, signal)).toMatchObject({
    exitCode: 0,
    stdout: 'at once',
  });
});

test('A command that was refused, or could not be started, is an error of the cluster.', async () => {
  double.upgrade = (_request, socket) =>
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  await expect(double.cluster.exec(pod, { run: ['a'] }, signal)).rejects.toMatchObject({
    status: 403,
    reason: '',
  });
  speak('v5.channel.k8s.io', (socket) =>
    socket.send(
      frame(
        3,
        JSON.stringify({
          kind: 'Status',
          status: 'Failure',
          reason: 'InternalError',
          message: 'no such file',
          code: 500,
        }),
      ),
    ),
  );
  await expect(double.cluster.exec(pod, { run: ['a'] }, signal)).rejects.toMatchObject({
    status: 500,
    reason: 'InternalError',
    message: 'no such file',
  });
});

test('A command whose connection is cut has not ended, and one that is given up ends with its reason.', async () => {
  speak('v5.channel.k8s.io', (socket) => socket.terminate());
  await expect(double.cluster.exec(pod, { run: ['a'] }, signal)).rejects.toThrow(
    'The cluster main does not answer (the connection of a command has ended before it).',
  );
  const control = new AbortController();
  speak('v5.channel.k8s.io', () => control.abort(new Error('given up')));
  await expect(double.cluster.exec(pod, { run: ['a'] }, control.signal)).rejects.toThrow('given up');
});

test('The log of a container is had as its last lines.', async () => {
  double.answer = (_request, response) => answerWith(response, 200, 'one\ntwo\n');
  expect(await double.cluster.log(pod, { lines: 2, previous: true }, signal)).toBe('one\ntwo\n');
  expect(double.seen[0]?.url).toBe(
    '/below/api/v1/namespaces/a/pods/redis-0/log?container=redis&tailLines=2&limitBytes=65536&previous=true',
  );
});
