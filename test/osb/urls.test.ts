import { randomUUID } from 'node:crypto';
import { idsOf, provisionBody } from '../support/instance-platform.ts';
import { requireLawful } from '../support/lawful-answer.ts';
import { rawRequest, sendRaw, type RawAnswer, type RawRequest } from '../support/raw-http.ts';
import { trialPlatform } from '../support/trial-platform.ts';

/** spec.md, URL Properties: which ids there may be, and which addresses mean what. */

const { broker, traces } = trialPlatform();

const plan = 'trial-timing/quick';
const ids = { ...idsOf(plan) };
const hints = new URLSearchParams(ids).toString();

/** Sent exactly as it is written: no client library tidies the address. */
async function send(request: RawRequest): Promise<RawAnswer> {
  const answer = await sendRaw(broker().url, rawRequest(request));
  const [path = ''] = request.target.replace(/^https?:\/\/[^/]*/, '').split('?');
  requireLawful({ method: (request.method ?? 'get').toLowerCase(), path, query: {} }, answer);
  return answer;
}

async function statusOf(request: RawRequest): Promise<number> {
  return (await send(request)).status;
}

const instances = '/v2/service_instances';

/** Every request of a life under these ids, as they stand in the address; what is made by others is untouched. */
async function wholeLife(instance: string, binding: string, root = instances): Promise<void> {
  const before = await traces();
  const path = `${root}/${instance}`;
  const bound = `${path}/service_bindings/${binding}`;
  const body = JSON.stringify(provisionBody(plan));
  const codes = [
    await statusOf({ target: path }),
    await statusOf({ method: 'PUT', target: path, body }),
    await statusOf({ method: 'PUT', target: path, body }),
    await statusOf({ target: path }),
    await statusOf({ target: `${path}/last_operation` }),
    await statusOf({ method: 'PATCH', target: path, body: JSON.stringify(ids) }),
    await statusOf({ target: bound }),
    await statusOf({ method: 'PUT', target: bound, body: JSON.stringify(ids) }),
    await statusOf({ target: bound }),
    await statusOf({ target: `${bound}/last_operation` }),
    await statusOf({ method: 'DELETE', target: `${bound}?${hints}` }),
    await statusOf({ method: 'DELETE', target: `${bound}?${hints}` }),
    await statusOf({ target: bound }),
    await statusOf({ method: 'DELETE', target: `${path}?${hints}` }),
    await statusOf({ method: 'DELETE', target: `${path}?${hints}` }),
    await statusOf({ target: path }),
  ];
  expect(codes).toEqual([404, 201, 200, 200, 200, 200, 404, 201, 200, 200, 200, 410, 404, 200, 410, 404]);
  expect(present(await traces())).toEqual(present(before));
}

/** Without the operations, which are history. */
function present(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !line.startsWith('operations '));
}

describe('Ids that never were', () => {
  test.each(['__proto__', 'constructor', 'toString', '%5F%5Fproto__', 'nothing', '%F0%9F%98%80'])(
    '%s are unknown to every endpoint, and asking leaves no trace [URL-06, LOP-02, FET-02, UNB-02, DEP-02]',
    async (id) => {
      const before = await traces();
      const path = `${instances}/${id}`;
      const bound = `${path}/service_bindings/${id}`;
      for (const target of [path, `${path}/last_operation`, bound, `${bound}/last_operation`]) {
        expect({ target, status: await statusOf({ target }) }).toEqual({ target, status: 404 });
      }
      for (const target of [path, bound]) {
        expect(await statusOf({ method: 'DELETE', target: `${target}?${hints}` })).toBe(410);
      }
      expect(await statusOf({ method: 'PATCH', target: path, body: JSON.stringify(ids) })).toBe(404);
      expect(await statusOf({ method: 'PUT', target: bound, body: JSON.stringify(ids) })).toBe(404);
      expect(await traces()).toEqual(before);
    },
  );
});

describe('A whole life is lived under ids', () => {
  test.each([
    ['a', 'b'],
    ['0', '0'],
    ['-', '-'],
    ['~', '_'],
    ['eden-unknown-guid', 'x.y'],
    ['a.b-c_d~e', 'A.B-C_D~E'],
    ['...', '....'],
    ['.a', 'a.'],
    [randomUUID(), randomUUID()],
    [randomUUID().toUpperCase(), randomUUID().replaceAll('-', '')],
    ['true', 'null'],
    ['-1', '1e3'],
  ])(
    'A whole life is lived under ids of unreserved characters: %s and %s [URL-01, URL-03]',
    async (instance, binding) => {
      await wholeLife(instance, binding);
    },
  );

  test.each<[string, string]>([
    ['Unicode', 'größe-✓-日本語-\u{1F600}'],
    ['letters that are joined of two', 'e\u0301'],
    ['a space, a plus and a percent sign', 'a b+c%d%20'],
    ['slashes', 'a/b/c'],
    ['a leading slash', '/a'],
    ['the path of a binding', 'x/service_bindings/y'],
    ['the path of last_operation', 'x/last_operation'],
    ['characters of queries', '?a=b&c#d'],
    ['marks of programs', `'"\`<>{}[]|\\^$;*()!@,=`],
    ['a piece of SQL', `'; drop table operations; --`],
    ['a piece of a template', '{{secrets.password}}'],
    ['dots and slashes', '../../../etc/passwd'],
    ['a new line and a tab', 'a\r\n\tb'],
    ['what cannot be seen', '\u200b\u202e\ufeff'],
    ['a path of Windows', 'C:\\x\\..\\y'],
    ['255 letters', 'x'.repeat(255)],
    ['255 letters of three bytes', '日'.repeat(255)],
  ])('A whole life is lived under ids that are percent-encoded: %s [URL-02, URL-03]', async (_what, id) => {
    await wholeLife(encodeURIComponent(id), encodeURIComponent(id));
  });

  test.each([
    'catalog',
    'last_operation',
    'service_instances',
    'service_bindings',
    'v2',
    'plans',
    'undefined',
  ])('A whole life is lived under ids that are words of the protocol: %s [URL-09, URL-03]', async (id) => {
    await wholeLife(id, id);
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'])(
    'A whole life is lived under ids that every object has as a member: %s; before and after it is unknown like any other [URL-06, URL-03]',
    async (id) => {
      await wholeLife(id, id);
    },
  );
});

/** What each request for this id is answered; nothing may come of any of them. */
async function statusesOf(id: string): Promise<Record<string, number>> {
  const before = await traces();
  const path = `${instances}/${id}`;
  const bound = `${instances}/fixed/service_bindings/${id}`;
  const statuses = {
    provision: await statusOf({ method: 'PUT', target: path, body: JSON.stringify(provisionBody(plan)) }),
    update: await statusOf({ method: 'PATCH', target: path, body: JSON.stringify(ids) }),
    deprovision: await statusOf({ method: 'DELETE', target: `${path}?${hints}` }),
    fetch: await statusOf({ target: path }),
    poll: await statusOf({ target: `${path}/last_operation` }),
    bind: await statusOf({ method: 'PUT', target: bound, body: JSON.stringify(ids) }),
    unbind: await statusOf({ method: 'DELETE', target: `${bound}?${hints}` }),
    fetchBinding: await statusOf({ target: bound }),
    pollBinding: await statusOf({ target: `${bound}/last_operation` }),
  };
  expect(await traces()).toEqual(before);
  return statuses;
}

describe('Ids that cannot be', () => {
  beforeAll(async () => {
    const body = JSON.stringify(provisionBody(plan));
    expect(await statusOf({ method: 'PUT', target: `${instances}/fixed`, body })).toBe(201);
  });

  test.each<[string, string]>([
    ['10,000 characters', 'x'.repeat(10_000)],
    ['256 characters', 'x'.repeat(256)],
    ['1,000 characters of three bytes', encodeURIComponent('日'.repeat(1000))],
  ])('(%s) can neither be made nor found [URL-04, URL-05]', async (_what, id) => {
    expect(await statusesOf(id)).toEqual({
      provision: 400,
      update: 404,
      deprovision: 410,
      fetch: 404,
      poll: 404,
      bind: 400,
      unbind: 410,
      fetchBinding: 404,
      pollBinding: 404,
    });
  });

  test('Ids of 40,000 characters are answered with JSON like all that is too long [URL-04]', async () => {
    const { status, text } = await send({ target: `${instances}/${'x'.repeat(40_000)}` });
    expect([404, 414, 431]).toContain(status);
    expect(JSON.parse(text)).toMatchObject({ error: expect.any(String) as string });
  });

  test.each(['%2e', '%2e%2e', '.', '..', '%2E.', '%2e%2E'])(
    'Ids that browsers and proxies fold away (%s) are refused with 400 [URL-10]',
    async (id) => {
      expect(new Set(Object.values(await statusesOf(id)))).toEqual(new Set([400]));
    },
  );

  test.each(['%00', 'a%00b'])('Ids with a NUL (%s) are refused with 400 [URL-05]', async (id) => {
    expect(new Set(Object.values(await statusesOf(id)))).toEqual(new Set([400]));
  });

  test.each(['%', '%2', '%zz', '%ff', '%c3%28', '%ed%a0%80', '%c0%af', 'a%', '%u0041', '%%32%65'])(
    'Ids encoded in a way that nobody can decode (%s) are refused with 400 [URL-07]',
    async (id) => {
      const statuses = await statusesOf(id);
      expect(new Set(Object.values(statuses))).toEqual(new Set([400]));
    },
  );

  test.each(['größe', 'a b', 'a\tb', '\u00ff', 'a\u0001b', 'a#b'])(
    'Ids with characters that are not encoded at all (%j) are refused with 400 [URL-07, URL-10]',
    async (id) => {
      const before = await traces();
      const body = JSON.stringify(provisionBody(plan));
      expect(await statusOf({ method: 'PUT', target: `${instances}/${id}`, body })).toBe(400);
      expect(await statusOf({ target: `${instances}/${id}` })).toBe(400);
      expect(await traces()).toEqual(before);
    },
  );

  test('Ids that are empty never succeed [URL-08]', async () => {
    const before = await traces();
    const body = JSON.stringify({ ...provisionBody(plan) });
    const targets = [
      '',
      '/',
      '//',
      '//service_bindings/b',
      '/fixed/service_bindings',
      '/fixed/service_bindings/',
      '/fixed/service_bindings//last_operation',
      '//last_operation',
    ];
    for (const target of targets.map((rest) => `${instances}${rest}`)) {
      for (const method of ['PUT', 'PATCH', 'DELETE', 'GET']) {
        const query = method === 'DELETE' ? `?${hints}` : '';
        const sent = method === 'PUT' || method === 'PATCH' ? { body } : {};
        const status = await statusOf({ method, target: `${target}${query}`, ...sent });
        expect({ method, target, succeeds: status < 400 }).toEqual({ method, target, succeeds: false });
        expect(status).toBeLessThan(500);
      }
    }
    expect(await traces()).toEqual(before);
  });
});

describe('Addresses', () => {
  test('Addresses may begin with any number of slashes, as those of brokers that end in one [URL-10, HDR-10]', async () => {
    for (const target of ['//v2/catalog', '///v2/catalog', '//v2/catalog?x=//y']) {
      expect(await statusOf({ target })).toBe(200);
    }
    await wholeLife('slashes', 'slashes', `/${instances}`);
  });

  test('Addresses may be absolute, as proxies send them [URL-10]', async () => {
    expect(await statusOf({ target: 'http://broker.test/v2/catalog' })).toBe(200);
    expect(await statusOf({ target: 'https://other.test:8443/v2/catalog?x' })).toBe(200);
    expect(await statusOf({ target: 'ftp://broker.test/v2/catalog' })).toBe(404);
  });

  test('Addresses are not resolved: way up, doubled and encoded slashes lead nowhere else [URL-10]', async () => {
    const targets = [
      '/v2/./catalog',
      '/v2/x/../catalog',
      '/x/../v2/catalog',
      '/v2//catalog',
      '/v2%2fcatalog',
      '/%2fv2/catalog',
      '/v2/catalog%2f',
      '/v2/catalog%00',
      '/v2/catalog;x=1',
      '/v2\\catalog',
      '/healthz/../v2/catalog',
      '/v2/service_instances/fixed%2fservice_bindings/x%2flast_operation/y',
      '@broker.test/v2/catalog',
    ];
    for (const target of targets) {
      const { status, text } = await send({ target });
      expect([400, 404]).toContain(status);
      expect(text).not.toContain('"services"');
    }
  });

  test('Addresses may end in a slash, or not [URL-10]', async () => {
    expect([200, 404]).toContain(await statusOf({ target: '/v2/catalog/' }));
  });

  test.each([
    '/V2/catalog',
    '/v2/Catalog',
    '/v2/CATALOG',
    '/v2/Service_Instances/fixed',
    '/v2/service_instances/fixed/LAST_OPERATION',
  ])('Addresses are lower case: %s leads nowhere [URL-11]', async (target) => {
    expect(await statusOf({ target })).toBe(404);
  });

  test('Addresses tell ids apart by their case, and by how a letter is composed [URL-11]', async () => {
    const body = JSON.stringify(provisionBody(plan));
    const names = [
      'Case',
      'case',
      'CASE',
      encodeURIComponent('é'),
      encodeURIComponent('e\u0301'),
      '%20',
      '+',
      '%2B',
    ];
    const made = ['Case', 'case', 'CASE', encodeURIComponent('é'), encodeURIComponent('e\u0301'), '%20', '+'];
    for (const id of made)
      expect(await statusOf({ method: 'PUT', target: `${instances}/${id}`, body })).toBe(201);
    // A plus sign is a plus sign in a path, encoded or not.
    expect(await statusOf({ method: 'PUT', target: `${instances}/%2B`, body })).toBe(200);
    for (const id of names.slice(0, -1)) {
      expect(await statusOf({ method: 'DELETE', target: `${instances}/${id}?${hints}` })).toBe(200);
    }
    expect(await statusOf({ target: `${instances}/%2B` })).toBe(404);
  });

  test('Addresses may encode what need not be encoded: it is the same id [URL-02]', async () => {
    const body = JSON.stringify(provisionBody(plan));
    expect(await statusOf({ method: 'PUT', target: `${instances}/plain-id`, body })).toBe(201);
    expect(await statusOf({ method: 'PUT', target: `${instances}/%70%6cain%2Did`, body })).toBe(200);
    expect(await statusOf({ method: 'DELETE', target: `${instances}/%70lain-id?${hints}` })).toBe(200);
  });

  test('Addresses with an id in two instances lead to the binding of the one they name [URL-12]', async () => {
    const body = JSON.stringify(provisionBody(plan));
    for (const id of ['one', 'two']) {
      expect(await statusOf({ method: 'PUT', target: `${instances}/${id}`, body })).toBe(201);
    }
    const bound = `${instances}/one/service_bindings/b`;
    expect(await statusOf({ method: 'PUT', target: bound, body: JSON.stringify(ids) })).toBe(201);
    const before = await traces();
    const elsewhere = `${instances}/two/service_bindings/b`;
    expect(await statusOf({ target: elsewhere })).toBe(404);
    expect(await statusOf({ target: `${elsewhere}/last_operation` })).toBe(404);
    expect(await statusOf({ method: 'DELETE', target: `${elsewhere}?${hints}` })).toBe(410);
    expect(await traces()).toEqual(before);
    expect(await statusOf({ target: bound })).toBe(200);
  });

  test('Addresses and headers that are no HTTP are refused with JSON [URL-10]', async () => {
    const texts = [
      'GET /v2/catalog\r\n\r\n',
      'GET /v2/catalog HTTP/9.9\r\nHost: x\r\n\r\n',
      'GET  HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /v2/catalog HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n',
      'GET /v2/catalog HTTP/1.1\r\nHost: x\r\nname : y\r\n\r\n',
      'GET /v2/catalog HTTP/1.1\r\nHost: x\r\na: b\r\n c: folded\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      'garbage\r\n\r\n',
    ];
    for (const text of texts) {
      const answer = await sendRaw(broker().url, Buffer.from(text, 'latin1'));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(JSON.parse(answer.text)).toMatchObject({ error: expect.any(String) as string });
    }
  });
});

describe('What stands in the query', () => {
  test.each<[string, string]>([
    ['empty', ''],
    ['unknown', 'unknown'],
    ['special', encodeURIComponent(`'";{}<>%00\0`)],
    ['very long', 'x'.repeat(10_000)],
    ['badly encoded', '%zz%'],
    ['an object', '__proto__'],
  ])(
    'What stands in the query as an operation that is %s does no harm [LOP-07, LOB-06, URL-07]',
    async (_what, operation) => {
      for (const path of [`${instances}/fixed`, `${instances}/fixed/service_bindings/none`]) {
        const target = `${path}/last_operation?operation=${operation}`;
        expect([200, 400, 404]).toContain(await statusOf({ target }));
      }
    },
  );
});
