import { connect } from 'node:net';
import { once } from 'node:events';
import { until } from '../support/until.ts';
import { aServer, login, showing, type Running } from './test-server.ts';

/** What a proxy and this server could read differently never becomes a request that nobody has sent. */

let running: Running;
const deleted: string[] = [];
beforeAll(async () => {
  const protocol = showing();
  const routes = protocol.routes.map((route) =>
    route.method === 'DELETE'
      ? {
          ...route,
          handler: async ({ params }: { readonly params: Readonly<Record<string, string>> }) => {
            // Whatever came with it has been looked at by then.
            await new Promise(setImmediate);
            deleted.push(params['id'] ?? '');
            return { status: 200, body: {} };
          },
        }
      : route,
  );
  running = await aServer({ ...protocol, routes });
});
afterAll(() => running.server.close());

const hidden = `DELETE /things/hidden HTTP/1.1\r\nHost: x\r\nAuthorization: ${login}\r\n\r\n`;
const inChunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

function request(headers: readonly string[], body: string, method = 'PUT'): string {
  const all = ['Host: x', `Authorization: ${login}`, ...headers];
  return `${method} /things/1 HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`;
}

test.each([
  [
    'a length and chunks',
    request([`Content-Length: ${hidden.length}`, 'Transfer-Encoding: chunked'], inChunk),
  ],
  ['chunks and a length', request(['Transfer-Encoding: chunked', 'Content-Length: 3'], `0\r\n\r\n${hidden}`)],
  ['two lengths', request([`Content-Length: ${hidden.length}`, 'Content-Length: 0'], hidden)],
  ['lengths in a list', request([`Content-Length: ${hidden.length}, 0`], hidden)],
  ['a length with a sign', request(['Content-Length: +0'], hidden)],
  ['a length in hexadecimal', request(['Content-Length: 0x0'], hidden)],
  ['a blank before the colon', request(['Content-Length : 0'], hidden)],
  [
    'chunks that are not the last encoding',
    request(['Transfer-Encoding: chunked, gzip'], `0\r\n\r\n${hidden}`),
  ],
  ['an encoding that nearly is chunks', request(['Transfer-Encoding: xchunked'], `0\r\n\r\n${hidden}`)],
  [
    'chunks twice',
    request(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], `0\r\n\r\n${hidden}`),
  ],
  ['an encoding in a folded line', request(['Transfer-Encoding:\r\n chunked'], `5\r\n${hidden}`)],
  [
    'a line that ends without a return',
    request(['X-One: 1\nTransfer-Encoding: chunked'], `0\r\n\r\n${hidden}`),
  ],
  ['a chunk whose size is no number', request(['Transfer-Encoding: chunked'], `-1\r\n${hidden}`)],
  [
    'a chunk whose size is too large to count',
    request(['Transfer-Encoding: chunked'], `${'f'.repeat(17)}\r\n${hidden}`),
  ],
  ['a chunk without an end of line', request(['Transfer-Encoding: chunked'], `2\r\n{}${hidden}`)],
  ['a GET with a body', request([`Content-Length: ${hidden.length}`], hidden, 'GET')],
  ['a DELETE with chunks', request(['Transfer-Encoding: chunked'], inChunk, 'DELETE')],
  [
    'an answer that is waited for',
    request(['Expect: 100-continue', `Content-Length: ${hidden.length}`], hidden),
  ],
])('What hides behind %s is not carried out.', async (_what, bytes) => {
  const before = running.accesses.length;
  const socket = connect(running.port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(bytes);
  // Whatever it makes of that, it is still there for others, who came later.
  await until('it has an end', () => running.accesses.length > before || socket.destroyed);
  if (!socket.destroyed) {
    socket.end();
    await once(socket, 'close');
  }
  expect((await running.ask('/things')).status).toBe(200);
  expect(deleted.filter((id) => id === 'hidden')).toEqual([]);
});

test('A request behind one that says where it ends is carried out, so what was hidden would be seen.', async () => {
  await running.send(
    request(['Content-Length: 2'], `{}${hidden.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`),
  );
  expect(deleted).toContain('hidden');
});

test('What comes whole is answered before what is malformed behind it.', async () => {
  const whole = hidden.replace('/hidden', '/first');
  const answers = await running.send(`${whole}${whole.replace('/first', '/second')}nonsense\r\n\r\n`);
  expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400']);
  expect(deleted.slice(-2)).toEqual(['first', 'second']);
});

test('A DELETE whose body is malformed is not carried out, though it needs none.', async () => {
  const chunked = hidden
    .replace('/hidden', '/refused')
    .replace(/\r\n$/, 'Transfer-Encoding: chunked\r\n\r\n');
  const answer = await running.send(`${chunked}nonsense\r\n`);
  expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  expect((await running.ask('/things')).status).toBe(200);
  expect(deleted).not.toContain('refused');
});

test('A caller who never comes to the end of a head is hung up on, and keeps nobody waiting.', async () => {
  const slow = connect(running.port, '127.0.0.1');
  const isClosed = once(slow, 'close');
  let said = '';
  slow.on('data', (part: Buffer) => (said += part.toString('latin1')));
  slow.write(`GET /things HTTP/1.1\r\nHost: x\r\nAuthorization: ${login}\r\n`);
  const drops = setInterval(() => slow.write('X-Slow: 1\r\n'), 500);
  try {
    expect((await running.ask('/things')).status).toBe(200);
    await isClosed;
  } finally {
    clearInterval(drops);
  }
  expect(said).toMatch(/^HTTP\/1.1 408 /);
});
