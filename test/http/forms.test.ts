import { aServer, showing, type Running } from './test-server.ts';
import type { Call } from '../../src/protocols/protocol.ts';

let running: Running;
beforeAll(async () => {
  const handler = ({ body }: Call) => ({
    status: 200,
    body: { body: body instanceof URLSearchParams ? [...body] : (body ?? 'none') },
  });
  const route = { path: '/form', body: 'form or json', handler } as const;
  running = await aServer(
    showing({
      routes: [
        { method: 'POST', ...route },
        { method: 'DELETE', ...route },
      ],
    }),
  );
});
afterAll(() => running.server.close());

async function send(method: string, body?: RequestInit['body'], type?: string) {
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  const answer = await running.ask('/form', { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, ...((await answer.json()) as { body?: unknown; description?: string }) };
}

const fields = [
  ['a', 'ü b'],
  ['a', '2'],
];

test.each(['POST', 'DELETE'])(
  'The body of a %s is read as a form, unless it says that it is JSON.',
  async (method) => {
    const form = 'a=%C3%BC+b&a=2';
    for (const type of [
      'application/x-www-form-urlencoded',
      'application/x-www-form-urlencoded; charset=utf-8',
      'x',
    ]) {
      expect(await send(method, Buffer.from(form), type)).toEqual({ status: 200, body: fields });
    }
    expect(await send(method, Buffer.from(form))).toEqual({ status: 200, body: fields });
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/problem+json']) {
      expect(await send(method, '{"a":1}', type)).toEqual({ status: 200, body: { a: 1 } });
      expect(await send(method, 'a=1', type)).toMatchObject({ status: 400 });
    }
    expect(await send(method)).toEqual({ status: 200, body: 'none' });
  },
);

test.each([
  ['bytes that are no UTF-8', Buffer.from([0x61, 0x3d, 0xff])],
  ['escapes that are no UTF-8', 'a=%ff'],
  ['very many fields', 'a&'.repeat(10_001)],
])('A form with %s is refused.', async (_what, body) => {
  const answer = await send('POST', body, 'application/x-www-form-urlencoded');
  expect(answer.status).toBe(400);
  expect(answer.description).toMatch(/form|UTF-8/);
});
