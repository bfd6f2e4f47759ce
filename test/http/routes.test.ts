import { type Ask, aServer, login, refuse, showing, type Running } from './test-server.ts';

const open = showing({
  name: 'open',
  open: true,
  echoedHeaders: [],
  routes: [{ method: 'POST', path: '/open/:id', handler: ({ params }) => ({ status: 201, body: params }) }],
});

let running: Running;
beforeAll(async () => {
  running = await aServer(showing(), open);
});
afterAll(() => running.server.close());

async function idOf(path: string) {
  const answer = await running.ask(path);
  return answer.status === 200
    ? ((await answer.json()) as { params: { id: string; part?: string } }).params
    : answer.status;
}

/** fetch would tidy the path up. */
async function rawStatus(target: string, method = 'GET') {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: x', `Authorization: ${login}`, 'Connection: close'];
  return Number((await running.send(`${lines.join('\r\n')}\r\n\r\n`)).split(' ')[1]);
}

describe('URL-02, URL-03: ids', () => {
  test.each([
    ['an encoded slash', '/things/a%2Fb', 'a/b'],
    ['Unicode', '/things/%C3%BC%F0%9F%91%8D', 'ü👍'],
    ['a blank, a plus and a percent sign', '/things/%20+%25', ' +%'],
    ['dots and the marks of routes', '/things/a.b:c*(d)', 'a.b:c*(d)'],
    ['a percent sign that was encoded twice', '/things/%252F', '%2F'],
    ['a reserved word', '/things/__proto__', '__proto__'],
    ['another case', '/things/AbC', 'AbC'],
    ['three dots', '/things/%2e%2e.', '...'],
    ['10,000 characters', `/things/${'x'.repeat(10_000)}`, 'x'.repeat(10_000)],
  ])('%s arrives as it is.', async (_what, path, id) => {
    expect(await idOf(path)).toEqual({ id });
  });

  test.each([
    '/things/.',
    '/things/..',
    '/things/%2e',
    '/things/%2E.',
    '/things/../parts/1',
    '/things/1/parts/%2e%2E',
    '/./things/1',
    '/things/..\\1',
    '/nothing/..',
    '/things/%00',
    '/things/a%00b/parts/1',
    '/nothing/%00',
  ])('%s, which is another path to others or none at all, is 400.', async (path) => {
    expect(await rawStatus(path)).toBe(400);
  });

  test('Two ids keep their order and their slashes.', async () => {
    expect(await idOf('/things/a%2Fparts%2Fb/parts/c%2Fd')).toEqual({ id: 'a/parts/b', part: 'c/d' });
  });

  test.each([
    '/things/%',
    '/things/%2',
    '/things/%zz',
    '/things/%ff',
    '/things/%ed%a0%80',
    '/things/a/parts/%80',
  ])('URL-07: bad percent encoding in %s is 400.', async (path) => {
    expect(await rawStatus(path)).toBe(400);
  });

  test.each(['/things//parts/1', '/things/1/parts/', '/things//parts/', '/things/1/parts//', '//'])(
    'URL-08: the empty id in %s is 404.',
    async (path) => {
      expect(await rawStatus(path)).toBe(404);
    },
  );
});

describe('paths', () => {
  test.each([
    ['a second slash at the start', '//things'],
    ['many slashes at the start', '///things'],
    ['a slash at the end', '/things/'],
    ['both', '//things/'],
    ['a query', '/things?x=1&x=2&y[z]=%zz'],
    ['an empty query', '/things?'],
    ['the address before it', 'http://elsewhere.example:80/things'],
  ])('%s changes nothing.', async (_what, target) => {
    expect(await rawStatus(target)).toBe(200);
  });

  test.each([
    ['dot segments are refused', '/other/../things', 400],
    ['another case is another path', '/Things', 404],
    ['a second slash within is not ignored', '/things//1', 404],
    ['an encoded slash does not separate', '/things%2F1', 404],
    ['a backslash is not a slash', '/things\\1', 404],
    ['a fragment has no place in a request', '/things#x', 400],
    ['what is not ASCII must be encoded', '/things/ü', 400],
    ['an asterisk is no path', '*', 404],
  ])('URL-10, URL-11: %s.', async (_what, target, status) => {
    expect(await rawStatus(target, target === '*' ? 'OPTIONS' : 'GET')).toBe(status);
  });

  test('The query is handed on decoded, every value of it.', async () => {
    const answer = await running.ask('/things/1?a=1&a=%2F+b&c');
    const query = [
      ['a', '1'],
      ['a', '/ b'],
      ['c', ''],
    ];
    expect(await answer.json()).toMatchObject({ query });
  });
});

describe('methods', () => {
  test('RTE-02: another method is 405 with Allow, as JSON.', async () => {
    for (const method of ['PATCH', 'POST', 'OPTIONS', 'PROPFIND']) {
      const answer = await running.ask('/things/1', { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'PUT, GET, HEAD, DELETE']);
      expect(await answer.json()).toEqual({ description: expect.stringContaining('understands only') });
    }
    expect(await rawStatus('/things/1', 'TRACE')).toBe(405);
  });

  test('Headers that ask for another method have no influence.', async () => {
    const headers = {
      'x-http-method-override': 'DELETE',
      'x-http-method': 'DELETE',
      'x-method-override': 'DELETE',
    };
    expect((await running.ask('/things', { headers })).status).toBe(200);
  });

  test('RTE-04: HEAD is answered like GET, without the body.', async () => {
    for (const [path, status] of [
      ['/things', 200],
      ['/nothing', 404],
    ] as const) {
      const got = await running.ask(path);
      const answer = await running.ask(path, { method: 'HEAD' });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-length')).toBe(String((await got.text()).length));
      expect(await answer.text()).toBe('');
    }
  });

  test('A path of an open protocol needs no login to say which methods it has.', async () => {
    const answer = await running.ask('/open/1', { headers: { authorization: '' } });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('CONNECT is refused as JSON.', async () => {
    const answer = await running.send('CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere:80\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 405 .*"MethodNotAllowed"/s);
  });
});

describe('answers', () => {
  test('CTP-01, CTP-02: have a type and a length, and nothing that tells of the software.', async () => {
    for (const path of ['/things', '/nothing']) {
      const { headers } = await running.ask(path);
      expect(headers.get('content-type')).toBe('application/json');
      expect(headers.get('content-length')).toMatch(/^\d+$/);
      expect([headers.get('x-powered-by'), headers.get('etag'), headers.get('server')]).toEqual([
        null,
        null,
        null,
      ]);
    }
  });

  test.each([
    ['a success', '/things', {}, 200],
    ['an unknown path', '/nothing', {}, 404],
    ['a wrong method', '/things', { method: 'PUT' }, 405],
    ['bad percent encoding', '/things/%zz', {}, 400],
    ['an unreadable body', '/things/1', { method: 'PUT', body: '{{' }, 400],
    ['no login', '/things', { headers: { authorization: '' } }, 401],
  ])('HDR-05, HDR-06: the echoed header comes back on %s.', async (_what, path, init: Ask, status) => {
    const headers = { 'x-echoed': 'läpis, {"a": 1}', ...init.headers };
    const answer = await running.ask(path, { ...init, headers });
    expect([answer.status, answer.headers.get('x-echoed')]).toEqual([status, headers['x-echoed']]);
    expect((await running.ask(path, init)).headers.has('x-echoed')).toBe(false);
  });

  test('RTE-01: an unknown path is answered by the protocol with a login.', async () => {
    expect(await (await running.ask('/nothing')).json()).toEqual({
      description: 'There is nothing at this path.',
    });
    expect((await running.ask('/nothing', { headers: { authorization: '' } })).status).toBe(401);
  });
});

describe('what goes wrong', () => {
  const failing = [
    [
      'a handler that throws',
      () => {
        throw new Error('secret detail', { cause: new Error('deeper') });
      },
    ],
    [
      'a handler that rejects',
      () => Promise.reject(new Error('secret detail', { cause: new Error('deeper') })),
    ],
    ['a reply that is no JSON', () => ({ status: 200, body: { big: 1n } })],
    [
      'a reply with a header that HTTP forbids',
      () => ({ status: 200, headers: { 'x-bad': 'a\r\nb: c' }, body: {} }),
    ],
    [
      'something thrown that is no error',
      () => {
        throw undefined;
      },
    ],
  ] as const;

  test.each(failing)('%s is a 500 with a fixed text; only the log has the detail.', async (what, handler) => {
    const other = await aServer(showing({ routes: [{ method: 'GET', path: '/fails', handler }] }));
    const answer = await other.ask('/fails?password=1');
    expect([answer.status, await answer.json()]).toEqual([500, { description: 'fixed text' }]);
    const [access] = other.accesses;
    expect(access).toMatchObject({ status: 500, path: '/fails' });
    if (what.startsWith('a handler'))
      expect(access?.detail).toMatch(/secret detail.*Caused by: Error: deeper/s);
    await other.server.close();
  });

  test('What admit throws is answered before the body is read.', async () => {
    const admit = () => {
      throw new Error('not admitted');
    };
    const other = await aServer(showing({ admit, refuse: (error) => ({ ...refuse(error), status: 412 }) }));
    expect((await other.ask('/things/1', { method: 'PUT', body: '{{{' })).status).toBe(412);
    expect((await other.ask('/nothing')).status).toBe(412);
    await other.server.close();
  });
});

describe('the access log', () => {
  test('The access log tells method, path, route, status, bytes and time, and nothing of query, headers or body.', async () => {
    const other = await aServer(showing());
    await other.ask('/things/a%2Fb?token=secret', { method: 'PUT', body: '{"secret":"secret"}' });
    await other.ask(`/${'x'.repeat(1000)}`, { headers: { cookie: 'secret' } });
    expect(other.accesses).toEqual([
      {
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        protocol: 'showing',
        method: 'PUT',
        path: '/things/a%2Fb',
        route: '/things/:id',
        status: 200,
        ms: expect.any(Number),
        bytes: expect.any(Number),
        address: '127.0.0.1',
        principal: 'user',
        triedUser: undefined,
        detail: undefined,
      },
      expect.objectContaining({
        status: 404,
        route: undefined,
        path: `/${'x'.repeat(499)}...`,
        // What the caller was told: without it nobody could say why.
        detail: 'There is nothing at this path.',
      }),
    ]);
    expect(JSON.stringify(other.accesses)).not.toContain('secret');
    await other.server.close();
  });

  test.each([
    ['8a5c1f4e-1::7', '8a5c1f4e-1::7'],
    ['', undefined],
    ['a b', undefined],
    ['{"json":1}', undefined],
    ['x'.repeat(129), undefined],
  ])(
    'The access log takes the request id %j from the router only when it is sane.',
    async (given, expected) => {
      const other = await aServer(showing());
      await other.ask('/things', { headers: { 'x-vcap-request-id': given } });
      expect(other.accesses[0]?.requestId).toEqual(
        expected ?? expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
      );
      await other.server.close();
    },
  );
});
