import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { requireLawful } from '../support/lawful-answer.ts';
import { rawRequest, sendRaw } from '../support/raw-http.ts';
import { tenRequests } from '../support/ten-requests.ts';
import { bindingPath, incomplete, trialPlatform, unknownInstance } from '../support/trial-platform.ts';
import { testPassword } from '../support/whole-broker.ts';

/** spec.md, Service Broker Errors and Content Type; and HTTP: methods, unknown routes. */

const platform = trialPlatform({ ASYNC_PATIENCE: '100ms' });
const { ask, bind, broker, deprovision, instance, provision, unbind, update } = platform;
const never = unknownInstance('unheard-of', 'trial-timing/quick');

describe('Success', () => {
  test.each(['echo/large', 'trial-features/labelled', 'trial-volume/shared'])(
    'Success of all endpoints for %s has a code of their tables and a JSON object with its content type [STS-01, STS-02, CTP-01, CTP-03, CCN-01]',
    async (plan) => {
      for (const { method, path, asked, status } of tenRequests(randomUUID(), plan)) {
        const answer = await ask(method, path, asked);
        expect({ path, status: answer.status }).toEqual({ path, status });
        expect(answer.headers).toMatchObject({ 'content-type': 'application/json' });
        expect(JSON.parse(answer.text)).toEqual(expect.any(Object));
        expect(answer.text).not.toContain('null');
      }
    },
  );

  test('Success that takes its time is 202 only for who accepts that, and AsyncRequired is said only to who does not [STS-02, STS-03]', async () => {
    const lives = await Promise.all([briefLife({}), briefLife(incomplete)]);
    expect(lives).toEqual([
      [201, 200, 201, 200, 200],
      [202, 202, 202, 202, 202],
    ]);
    expect((await provision('moments/async-only', { query: incomplete })).status).toBeLessThan(300);
  });
});

/** The codes of a life of which each step takes half a second. */
async function briefLife(query: Record<string, string>): Promise<readonly number[]> {
  const on = unknownInstance(randomUUID(), 'moments/brief');
  const one = { path: bindingPath(on, 'one'), instance: on };
  const codes: number[] = [];
  const step = async (path: string, request: Promise<Response>) => {
    codes.push((await request).status);
    await platform.untilEnded(path);
  };
  await step(on.path, provision('moments/brief', { id: on.id, query }));
  await step(on.path, update(on, { query, body: { parameters: { size: 2 } } }));
  await step(one.path, bind(on, { id: 'one', query }));
  await step(one.path, unbind(one, { query }));
  await step(on.path, deprovision(on, { query }));
  return codes;
}

describe('HTTP', () => {
  const paths = [
    '/',
    '/v2',
    '/v2/',
    '/v2/catalogue',
    '/v2/service_instances',
    '/v2/service_bindings/x',
    '/v3/catalog',
    '/favicon.ico',
    '/.env',
    '/v2/service_instances/x/parameters',
    '/v2/service_instances/x/service_bindings/y/z',
  ];
  test.each(paths)('The broker knows nothing at %s: 404 with JSON [RTE-01]', async (target) => {
    for (const method of ['GET', 'PUT', 'POST', 'DELETE', 'PATCH']) {
      const answer = await sendRaw(broker().url, rawRequest({ method, target, body: '{}' }));
      expect(answer.status).toBe(404);
      requireLawful({ method: method.toLowerCase(), path: target, query: {} }, answer);
    }
  });

  test.each<[string, string, string]>([
    ['/v2/catalog', 'GET, HEAD', 'PUT PATCH POST DELETE PROPFIND MKCOL QUERY'],
    ['/v2/service_instances/x', 'PUT, PATCH, DELETE, GET, HEAD', 'POST LOCK MOVE'],
    ['/v2/service_instances/x/last_operation', 'GET, HEAD', 'PUT PATCH POST DELETE'],
    ['/v2/service_instances/x/service_bindings/y', 'PUT, DELETE, GET, HEAD', 'PATCH POST'],
    ['/v2/service_instances/x/service_bindings/y/last_operation', 'GET, HEAD', 'PUT PATCH POST DELETE'],
  ])('%s says with a 405 that it understands %s [RTE-02]', async (target, allowed, methods) => {
    for (const method of methods.split(' ')) {
      const answer = await sendRaw(broker().url, rawRequest({ method, target, body: '{}' }));
      expect({ method, status: answer.status, allow: answer.headers['allow'] }).toEqual({
        method,
        status: 405,
        allow: allowed,
      });
      requireLawful({ method: method.toLowerCase(), path: target, query: {} }, answer);
    }
  });

  test('The broker answers a method nobody knows with 4xx and JSON [RTE-02]', async () => {
    for (const method of ['BREW', 'get', 'G\u00c4T', 'GETGETGET'.repeat(50)]) {
      const answer = await sendRaw(broker().url, rawRequest({ method, target: '/v2/catalog' }));
      expect([400, 405, 501]).toContain(answer.status);
      expect(JSON.parse(answer.text)).toMatchObject({ error: expect.any(String) as string });
    }
  });

  test('The broker answers HEAD as GET, without the body [RTE-03]', async () => {
    const { path } = await instance('trial-timing/quick');
    for (const [target, status] of [
      ['/v2/catalog', 200],
      [path, 200],
      [never.path, 404],
      ['/v2/x', 404],
    ] as const) {
      const get = await sendRaw(broker().url, rawRequest({ target }));
      const head = await sendRaw(broker().url, rawRequest({ method: 'HEAD', target }));
      expect({ target, status: head.status, text: head.text }).toEqual({ target, status, text: '' });
      expect(head.headers['content-type']).toBe('application/json');
      expect(get.headers['content-length']).toBe(head.headers['content-length']);
    }
  });

  test.each(['OPTIONS', 'TRACE'])(
    'The broker refuses %s with 405 and Allow, and sends nothing of the request back [RTE-04, RTE-05]',
    async (method) => {
      for (const target of ['/v2/catalog', '/v2/service_instances/x', '*']) {
        const headers = { 'x-secret': 'not to be repeated', origin: 'https://evil.example' };
        const answer = await sendRaw(broker().url, rawRequest({ method, target, headers }));
        expect([404, 405]).toContain(answer.status);
        if (answer.status === 405) expect(answer.headers['allow']).toMatch(/GET/);
        expect(JSON.stringify(answer)).not.toMatch(/not to be repeated|access-control|evil/);
        requireLawful({ method: method.toLowerCase(), path: target, query: {} }, answer);
      }
    },
  );

  test('The broker is no proxy: CONNECT is refused with JSON [RTE-02]', async () => {
    const answer = await sendRaw(broker().url, rawRequest({ method: 'CONNECT', target: 'example.com:443' }));
    expect({ status: answer.status, error: JSON.parse(answer.text) as object }).toMatchObject({
      status: 405,
      error: { error: 'MethodNotAllowed' },
    });
  });

  test('The broker shows nothing to who has no login, at any path and with any method [RTE-06]', async () => {
    const { path } = await instance('trial-timing/quick');
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'POST', 'SEARCH']) {
      for (const target of ['/v2/catalog', path, '/v2/unknown', '/']) {
        const headers = { authorization: undefined };
        const answer = await sendRaw(broker().url, rawRequest({ method, target, headers }));
        expect({ method, target, status: answer.status }).toEqual({ method, target, status: 401 });
        expect(answer.text).not.toMatch(/service|trial|plan/i);
      }
    }
  });

  test('The broker says neither what it runs on nor what it knows of passwords [ERR-06]', async () => {
    const answers = [
      await sendRaw(broker().url, rawRequest({ target: '/v2/catalog' })),
      await sendRaw(broker().url, rawRequest({ target: '/v2/unknown' })),
    ];
    for (const { headers, text } of answers) {
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('server');
      expect(text).not.toContain(testPassword);
    }
  });
});
