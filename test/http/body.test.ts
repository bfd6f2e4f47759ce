import { deflateSync, gzipSync } from 'node:zlib';
import { aServer, showing, type Running } from './test-server.ts';

let running: Running;
beforeAll(async () => {
  running = await aServer(showing());
});
afterAll(() => running.server.close());

async function put(body: RequestInit['body'], headers: Record<string, string> = {}) {
  const answer = await running.ask('/things/1', { method: 'PUT', body, headers });
  return { status: answer.status, ...((await answer.json()) as { body?: unknown; description?: string }) };
}

const json = '{"a":[1,"ü"]}';
const value = { a: [1, 'ü'] };

test.each([
  'application/json',
  'application/JSON; charset=UTF-8',
  'text/plain',
  'application/x-www-form-urlencoded',
  'no type',
])('A body is read whatever its content type is: %s.', async (type) => {
  expect(await put(json, { 'content-type': type })).toMatchObject({ status: 200, body: value });
});

test('Compressed and chunked bodies are read.', async () => {
  expect(await put(gzipSync(json), { 'content-encoding': 'gzip' })).toMatchObject({ body: value });
  expect(await put(deflateSync(json), { 'content-encoding': 'Deflate' })).toMatchObject({ body: value });
  const chunks = ['7\r\n{"a":[1\r\n', '7\r\n,"\u00c3\u00bc"]}\r\n', '0\r\n\r\n'].join('');
  const head = `PUT /things/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n`;
  const login = `Authorization: Basic ${Buffer.from('next:another').toString('base64')}\r\n\r\n`;
  expect(await running.send(Buffer.from(head + login + chunks, 'latin1'))).toContain('"body":{"a":[1,"');
});

test('An empty body is no body, and so is one of an empty chunk.', async () => {
  expect(await put(undefined)).toMatchObject({ status: 200, body: 'none' });
  expect(await put('')).toMatchObject({ status: 200, body: 'none' });
});

test('The JSON null is a body.', async () => {
  const calls: unknown[] = [];
  const route = {
    method: 'PUT',
    path: '/null',
    body: 'json',
    handler: ({ body }: { body: unknown }) => {
      calls.push(body);
      return { status: 200, body: {} };
    },
  } as const;
  const other = await aServer(showing({ routes: [route] }));
  await other.ask('/null', { method: 'PUT', body: 'null' });
  expect(calls).toEqual([null]);
  await other.server.close();
});

test('A body of 1 MB is read, a larger one is refused with 413, also when it only unpacks to that.', async () => {
  const limit = 1024 * 1024;
  expect(await put(`"${'x'.repeat(limit - 2)}"`)).toMatchObject({ status: 200 });
  expect(await put(`"${'x'.repeat(limit - 1)}"`)).toMatchObject({ status: 413 });
  expect(await put('x'.repeat(12 * limit))).toMatchObject({ status: 413 });
  const bomb = gzipSync('x'.repeat(50 * limit));
  expect(await put(bomb, { 'content-encoding': 'gzip' })).toMatchObject({
    status: 413,
    description: 'The request body is larger than 1 MB.',
  });
});

test('An unknown content encoding is refused with 415, a broken one with 400.', async () => {
  expect(await put(json, { 'content-encoding': 'lzma' })).toMatchObject({ status: 415 });
  expect(await put(json, { 'content-encoding': 'gzip, gzip' })).toMatchObject({ status: 415 });
  expect(await put(json, { 'content-encoding': 'gzip' })).toMatchObject({ status: 400 });
});

test('BDY-01: malformed JSON is refused with 400.', async () => {
  expect(await put('{"a":')).toEqual({ status: 400, description: 'The request body is not valid JSON.' });
});

test.each([
  ['no body', undefined],
  ['a form', 'name=x&name=y'],
  ['JSON', '{"a":1}'],
  ['text that is no JSON', '{{{'],
  ['2 MB', 'x'.repeat(2 * 1024 * 1024)],
])('UNB-09, DEP-12: a DELETE with %s is answered, and the connection goes on.', async (_what, body) => {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  for (let times = 0; times < 2; times += 1) {
    const answer = await running.ask('/things/1', { method: 'DELETE', headers: type, ...(body && { body }) });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ body: 'none' });
  }
});

test('A GET with a content type and a body is answered.', async () => {
  const login = `Authorization: Basic ${Buffer.from('next:another').toString('base64')}`;
  const head = `GET /things HTTP/1.1\r\nHost: x\r\n${login}\r\nConnection: close\r\n`;
  const answer = await running.send(`${head}Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{{{`);
  expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
});
