import { aServer, jsonOf, login, showing, type Running } from './test-server.ts';

let running: Running;
beforeAll(async () => {
  running = await aServer(showing());
});
afterAll(() => running.server.close());

const authorized = `Host: x\r\nAuthorization: ${login}\r\n`;

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['an unknown method', `BREW /things HTTP/1.1\r\n${authorized}\r\n`, 400],
  ['no version and no login', 'GET /things\r\n\r\n', 401],
  ['a version that does not exist', `GET /things HTTP/9.1\r\n${authorized}\r\n`, 400],
  ['a blank in the path', `GET /thi ngs HTTP/1.1\r\n${authorized}\r\n`, 400],
  ['a header without a colon', `GET /things HTTP/1.1\r\n${authorized}nonsense\r\n\r\n`, 400],
  ['a control character in a header', `GET /things HTTP/1.1\r\n${authorized}X-Echoed: a\0b\r\n\r\n`, 400],
  ['a lone line feed in a header', `GET /things HTTP/1.1\r\n${authorized}X-Echoed: a\rb\r\n\r\n`, 400],
  [
    'URL-09: two lengths',
    `PUT /things/1 HTTP/1.1\r\n${authorized}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x`,
    400,
  ],
  [
    'URL-09: a length and chunks',
    `PUT /things/1 HTTP/1.1\r\n${authorized}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['a length that is no number', `PUT /things/1 HTTP/1.1\r\n${authorized}Content-Length: two\r\n\r\n{}`, 400],
  [
    'a chunk that is none',
    `DELETE /things/1 HTTP/1.1\r\n${authorized}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    [200, 400],
  ],
  ['40 kB of headers', `GET /things HTTP/1.1\r\n${authorized}X-Echoed: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  [
    'URL-04: a path of 200,000 characters',
    `GET /things/${'x'.repeat(200_000)} HTTP/1.1\r\n${authorized}\r\n`,
    431,
  ],
  ['no Host', `GET /things HTTP/1.1\r\nAuthorization: ${login}\r\nConnection: close\r\n\r\n`, 400],
  ['no Host and no login', 'GET /things HTTP/1.1\r\nConnection: close\r\n\r\n', 401],
  ['two Hosts', `GET /things HTTP/1.1\r\n${authorized}host: y\r\nConnection: close\r\n\r\n`, 400],
  ['the same Host twice', `GET /things HTTP/1.1\r\n${authorized}Host: x\r\nConnection: close\r\n\r\n`, 400],
  [
    'two Hosts on one line',
    `GET /things HTTP/1.1\r\nHost: x, y\r\nAuthorization: ${login}\r\nConnection: close\r\n\r\n`,
    400,
  ],
  [
    'a Host with a path',
    `GET /things HTTP/1.1\r\nHost: x/y\r\nAuthorization: ${login}\r\nConnection: close\r\n\r\n`,
    400,
  ],
  [
    'a Host of an IPv6 address with a port',
    `GET /things HTTP/1.1\r\nHost: [::1]:8080\r\nAuthorization: ${login}\r\nConnection: close\r\n\r\n`,
    200,
  ],
  [
    'two logins',
    `GET /things HTTP/1.1\r\n${authorized}Authorization: Basic eDp5\r\nConnection: close\r\n\r\n`,
    400,
  ],
  [
    'the same length twice',
    `PUT /things/1 HTTP/1.1\r\n${authorized}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
    400,
  ],
  ['HTTP/1.0, which needs no Host', `GET /things HTTP/1.0\r\nAuthorization: ${login}\r\n\r\n`, 200],
  [
    'an expectation that nobody knows',
    `GET /things HTTP/1.1\r\n${authorized}Expect: the-unexpected\r\nConnection: close\r\n\r\n`,
    200,
  ],
])('A request with %s is answered as JSON.', async (_what, bytes, status) => {
  const answer = await running.send(bytes);
  expect([status].flat()).toContain(Number(answer.split(' ')[1]));
  expect(answer).toMatch(/\r\nContent-Type: application\/json\r\n/);
  expect(jsonOf(answer.split(/(?=HTTP\/1.1 )/).at(-1) ?? '')).toEqual(expect.any(Object));
});

test('A body that is announced and never comes does not disturb the others.', async () => {
  const silent = running.send(
    `PUT /things/1 HTTP/1.1\r\n${authorized}Expect: 100-continue\r\nContent-Length: 10\r\n\r\n`,
  );
  expect((await running.ask('/things')).status).toBe(200);
  const other = await aServer(showing());
  const waiting = other.send(`PUT /things/1 HTTP/1.1\r\n${authorized}Content-Length: 10\r\n\r\n{`);
  expect((await other.ask('/things')).status).toBe(200);
  await other.server.close();
  expect(await waiting).toBe('');
  await running.server.close();
  expect(await silent).toMatch(/^HTTP\/1.1 100 Continue/);
  running = await aServer(showing());
});

test('Two requests on one connection are answered in their order.', async () => {
  const first = `PUT /things/first HTTP/1.1\r\n${authorized}Content-Length: 2\r\n\r\n{}`;
  const second = `GET /things/second HTTP/1.1\r\n${authorized}Connection: close\r\n\r\n`;
  const answer = await running.send(first + second);
  expect(answer.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  expect(answer.indexOf('"first"')).toBeLessThan(answer.indexOf('"second"'));
});
