import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { idsOf, provisionBody } from '../support/instance-platform.ts';
import { requireLawful } from '../support/lawful-answer.ts';
import {
  exchange,
  rawRequest,
  readAnswer,
  sendRaw,
  type RawAnswer,
  type RawRequest,
} from '../support/raw-http.ts';
import {
  bindingPath,
  incomplete,
  instancePath,
  trialPlatform,
  type Instance,
} from '../support/trial-platform.ts';

/** What may stand in the body of a request, and what may not: none of it does harm. */

const platform = trialPlatform();
const { ask, broker, instance, provision, traces } = platform;

const plan = 'trial-timing/quick';
const ids = { ...idsOf(plan) };

/** As it came over the wire, checked for what every answer must have. */
async function send(request: RawRequest): Promise<RawAnswer> {
  const answer = await sendRaw(broker().url, rawRequest(request));
  requireLawful({ method: (request.method ?? 'get').toLowerCase(), path: request.target, query: {} }, answer);
  return answer;
}

/** The three requests that have a body, about an instance that is there. */
async function writers(): Promise<readonly { readonly method: string; readonly target: string }[]> {
  const { path } = await instance(plan);
  return [
    { method: 'PUT', target: instancePath(randomUUID()) },
    { method: 'PATCH', target: path },
    { method: 'PUT', target: bindingPath({ path }, randomUUID()) },
  ];
}

/** All three answer with this code, and nothing has changed. */
async function allRefuse(status: number, sent: Omit<RawRequest, 'target' | 'method'>): Promise<void> {
  const requests = await writers();
  const before = await traces();
  for (const request of requests) {
    const answer = await send({ ...request, ...sent });
    expect({ request, status: answer.status, text: answer.text }).toMatchObject({ request, status });
  }
  expect(await traces()).toEqual(before);
}

/** A body that is right for this request. */
function goodBody(method: string, target: string): Record<string, unknown> {
  if (method === 'PATCH') return { service_id: ids.service_id };
  return target.includes('/service_bindings/') ? ids : { ...provisionBody(plan) };
}

async function allTake(sent: (json: string) => Omit<RawRequest, 'target' | 'method'>): Promise<void> {
  for (const { method, target } of await writers()) {
    const answer = await send({ method, target, ...sent(JSON.stringify(goodBody(method, target))) });
    expect({ target, status: answer.status }).toEqual({ target, status: method === 'PATCH' ? 200 : 201 });
  }
}

describe('A body that is no JSON object is refused with 400, and nothing changes', () => {
  test.each([
    '{',
    '{"service_id"}',
    '{"service_id":}',
    '{service_id:"x"}',
    "{'service_id':'x'}",
    '{"service_id":"x",}',
    '{"service_id":"x"}}',
    '{"service_id":"x"} {"plan_id":"y"}',
    '{"service_id":"x"}garbage',
    '{"service_id":"x"}\0',
    '{"service_id":"x\n"}',
    '{"service_id":"\\x41"}',
    '{"service_id":"\\u12"}',
    '{"service_id":01}',
    '{"service_id":.5}',
    '{"service_id":NaN}',
    '{"service_id":undefined}',
    '{"service_id":"x" /* y */}',
    '// x\n{}',
    'service_id=x&plan_id=y',
    '<service_id>x</service_id>',
    '---\nservice_id: x\n',
    '\u00a0{}',
  ])('malformed: %j [BDY-01]', async (body) => {
    await allRefuse(400, { body });
  });

  test('empty, and none at all [BDY-02]', async () => {
    await allRefuse(400, { body: '' });
    await allRefuse(400, {});
    await allRefuse(400, { body: '   \r\n' });
  });

  test.each(['[]', '[{}]', '"text"', '5', 'true', 'null'])('of another type: %s [BDY-03]', async (body) => {
    await allRefuse(400, { body });
  });

  test('the JSON of an empty object, which lacks all that is needed [BDY-03, BDY-08]', async () => {
    await allRefuse(400, { body: '{}' });
  });
});

describe('The content type', () => {
  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"; x=y',
    'Application/JSON',
    'APPLICATION/JSON; CHARSET=UTF-8',
  ])('%s is JSON [BDY-06]', async (type) => {
    await allTake((body) => ({ body, headers: { 'content-type': type } }));
  });

  test.each([
    undefined,
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    'multipart/form-data',
    'application/vnd.api+json',
    'application/json; charset=utf-16',
    'application/json; charset=no-such-thing',
    'garbage',
    'a/b/c;;;=',
    '__proto__',
  ])('does not matter when the body is JSON: %j [BDY-04, BDY-05]', async (type) => {
    await allTake((body) => ({ body, headers: { 'content-type': type } }));
  });
});

describe('JSON that is read differently by different readers', () => {
  test('a member that stands twice is refused, at any level and however it is written [BDY-07]', async () => {
    const { service_id: service, plan_id: id } = ids;
    const rest = '"organization_guid":"o","space_guid":"s"';
    const bodies = [
      `{"service_id":"x","service_id":"${service}","plan_id":"${id}",${rest}}`,
      `{"service_id":"${service}","plan_id":"${id}","plan_id":"${id}",${rest}}`,
      `{"service_id":"${service}","service\\u005fid":"x","plan_id":"${id}",${rest}}`,
      `{"service_id":"${service}","plan_id":"${id}",${rest},"parameters":{"a":1,"a":2}}`,
      `{"service_id":"${service}","plan_id":"${id}",${rest},"context":{"a":[{"b":1,"b":1}]}}`,
    ];
    for (const body of bodies) await allRefuse(400, { body });
  });

  test('a byte order mark before it is no obstacle [BDY-07]', async () => {
    await allTake((body) => ({ body: `\ufeff${body}` }));
  });

  test('bytes that are no UTF-8 are refused [BDY-07]', async () => {
    const json = JSON.stringify({
      ...provisionBody(plan),
      service_id: ids.service_id,
      parameters: { a: 'XXXX' },
    });
    const wrong = [
      [0xff],
      [0xc3, 0x28],
      [0xe2, 0x82],
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
      [0xf5, 0x80, 0x80, 0x80],
    ];
    for (const bytes of wrong) {
      const [before = '', after = ''] = json.split('XXXX');
      await allRefuse(400, {
        body: Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]),
      });
    }
    await allRefuse(400, { body: Buffer.from(json, 'utf16le') });
  });

  test.each<[string, string]>([
    ['NUL', '{"a":"x\\u0000y"}'],
    ['NUL in a name', '{"a\\u0000":1}'],
    ['half of a picture', '{"a":"\\ud83d"}'],
    ['the halves the wrong way round', '{"a":"\\ude00\\ud83d"}'],
    ['half of a picture in a name', '{"\\ud83d":1}'],
    ['a number too large', '{"a":1e400}'],
    ['a number too small below', '{"a":[-1e999]}'],
  ])('%s, which cannot be kept, is refused wherever it stands [BDY-07]', async (_what, odd) => {
    for (const field of ['parameters', 'context']) {
      const rest = { ...provisionBody(plan), [field]: 'ODD' };
      await allRefuse(400, { body: JSON.stringify(rest).replace('"ODD"', odd) });
    }
  });

  test('ids with such characters are refused, and what is not looked at may hold anything [BDY-07]', async () => {
    for (const odd of ['a\0', '\ud83d']) {
      await allRefuse(400, { body: JSON.stringify({ ...provisionBody(plan), service_id: odd }) });
      expect((await provision(plan, { body: { organization_guid: odd } })).status).toBe(400);
    }
    expect((await provision(plan, { body: { extension: ['a\0', { '\ud83d': '\ud83d' }] } })).status).toBe(
      201,
    );
  });

  test('what can be kept comes back as it was sent [BDY-07, FET-07]', async () => {
    const parameters = {
      text: 'añb👍🏽 \u0001\u001f\u2028\u{10ffff} "quoted" \\',
      numbers: [0, -0.5, 1e-7, 123456789012345680, 1.7976931348623157e308],
      '': { '': [[], {}, null, true] },
    };
    const { path } = await instance('trial-features/plain', { body: { parameters } });
    expect((await ask('get', path)).body).toMatchObject({ parameters });
  });
});

describe('Names of members that every object has', () => {
  test.each([
    '{"__proto__":GOOD}',
    '{"constructor":{"prototype":GOOD}}',
    '{"prototype":GOOD}',
    '{"__proto__":{"__proto__":GOOD}}',
    '{"\\u005f_proto__":GOOD}',
  ])('give a request nothing that it lacks: %s [BDY-08]', async (shape) => {
    for (const { method, target } of await writers()) {
      const before = await traces();
      const body = shape.replace('GOOD', JSON.stringify(goodBody(method, target)));
      expect((await send({ method, target, body })).status).toBe(400);
      expect(await traces()).toEqual(before);
    }
  });

  test('have no lasting effect, at any level of what may hold anything [BDY-09]', async () => {
    const poison = '{"polluted":"yes","accepts_incomplete":"true","organization_guid":"o"}';
    const shapes = [
      `{"__proto__":${poison}}`,
      `{"constructor":{"prototype":${poison}}}`,
      `{"a":[{"__proto__":${poison}}]}`,
      `{"prototype":${poison},"toString":1,"hasOwnProperty":null,"valueOf":{},"toJSON":"x"}`,
    ];
    for (const field of [
      'parameters',
      'context',
      'maintenance_info',
      'previous_values',
      'bind_resource',
      'x',
    ]) {
      for (const shape of shapes) {
        for (const { method, target } of await writers()) {
          const body = JSON.stringify({ ...goodBody(method, target), [field]: 'ODD' }).replace(
            '"ODD"',
            shape,
          );
          expect((await send({ method, target, body })).status).toBeLessThan(500);
        }
      }
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const bare = JSON.stringify({ ...ids, space_guid: 's' });
    expect((await send({ method: 'PUT', target: instancePath(randomUUID()), body: bare })).status).toBe(400);
    expect((await provision(plan)).body).toEqual({});
  });

  test('may be names of parameters, and come back as such [BDY-09, FET-07]', async () => {
    const parameters = {
      constructor: { prototype: { a: 1 } },
      toString: 'x',
      hasOwnProperty: null,
      toJSON: 1,
    };
    const { path } = await instance('trial-features/plain', { body: { parameters } });
    const { text } = await ask('get', path);
    expect(JSON.parse(text)).toMatchObject({ parameters: { toString: 'x', toJSON: 1 } });
    expect(text).toContain('"constructor":{"prototype":{"a":1}}');
  });
});

describe('Large bodies', () => {
  test('of more than 1 MB are refused with 413, also 12 MB, and nothing changes [BDY-10]', async () => {
    for (const size of [1_100_000, 12_000_000]) {
      const body = JSON.stringify({ ...provisionBody(plan), parameters: { a: 'x'.repeat(size) } });
      await allRefuse(413, { body });
    }
  });

  test('of nearly 1 MB are taken [BDY-10]', async () => {
    const parameters = { a: 'x'.repeat(900_000) };
    const { path } = await instance('trial-features/plain', { body: { parameters } });
    expect((await ask('get', path)).body).toMatchObject({ parameters });
  });

  test.each<[string, string]>([
    ['lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['brackets that never close', '['.repeat(100_000)],
    ['101 lists', `${'['.repeat(101)}${']'.repeat(101)}`],
  ])('that are too deep are refused with 400: %s [BDY-11]', async (_what, deep) => {
    await allRefuse(400, { body: deep });
    const body = JSON.stringify({ ...provisionBody(plan), parameters: { a: 'DEEP' } }).replace(
      '"DEEP"',
      deep,
    );
    await allRefuse(400, { body });
  });

  test('with 60 levels are taken and come back [BDY-11]', async () => {
    const parameters = JSON.parse(`${'{"a":'.repeat(60)}1${'}'.repeat(60)}`) as Record<string, unknown>;
    const { path } = await instance('trial-features/plain', { body: { parameters } });
    expect((await ask('get', path)).body).toMatchObject({ parameters });
  });

  test('with 50,000 members are taken [BDY-10]', async () => {
    const parameters = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`p${at}`, at]));
    expect((await provision('trial-features/plain', { body: { parameters } })).status).toBe(201);
  });
});

describe('How the body is sent', () => {
  const chunked = (json: string, size: number): string => {
    const parts = json.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
    return `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`;
  };
  const inChunks = { 'content-length': undefined, 'transfer-encoding': 'chunked' };

  test('in chunks, even of one byte, does not matter [BDY-12]', async () => {
    await allTake((json) => ({ body: chunked(json, 1), headers: inChunks }));
    await allTake((json) => ({ body: chunked(json, 7), headers: inChunks }));
  });

  test('in chunks of more than 1 MB together is refused with 413 [BDY-10, BDY-12]', async () => {
    const json = JSON.stringify({ ...provisionBody(plan), parameters: { a: 'x'.repeat(3_000_000) } });
    await allRefuse(413, { body: chunked(json, 65_536), headers: inChunks });
  });

  test('in chunks that are broken is refused with 400 [BDY-12]', async () => {
    await allRefuse(400, { body: 'zz\r\n{}\r\n0\r\n\r\n', headers: inChunks });
    await allRefuse(400, { body: '-1\r\n{}\r\n0\r\n\r\n', headers: inChunks });
  });

  test('with two lengths, or a length and chunks, is refused, so that nobody can hide a request in another [BDY-12, URL-10]', async () => {
    const hidden = 'DELETE /v2/service_instances/x HTTP/1.1\r\nHost: x\r\n\r\n';
    await allRefuse(400, { body: '{}', headers: { 'content-length': ['2', '3'] } });
    await allRefuse(400, {
      body: `0\r\n\r\n${hidden}`,
      headers: { 'transfer-encoding': 'chunked', 'content-length': `${hidden.length + 5}` },
    });
    await allRefuse(400, {
      body: '{}',
      headers: { 'content-length': undefined, 'transfer-encoding': 'identity, chunked, x' },
    });
  });

  test.each<[string, (json: string) => Uint8Array]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['GZIP', gzipSync],
    ['identity', (json) => Buffer.from(json)],
  ])('packed with %s does not matter [BDY-13]', async (encoding, pack) => {
    await allTake((json) => ({ body: pack(json), headers: { 'content-encoding': encoding } }));
  });

  test('packed so that it is more than 1 MB when unpacked is refused with 413 [BDY-10, BDY-13]', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, ' '));
    expect(bomb.length).toBeLessThan(1_000_000);
    await allRefuse(413, { body: bomb, headers: { 'content-encoding': 'gzip' } });
  });

  test.each<[string, string, number]>([
    ['what is not packed, as gzip', 'gzip', 400],
    ['what is not packed, as br', 'br', 400],
    ['an encoding nobody knows', 'rot13', 415],
    ['two encodings', 'gzip, gzip', 415],
    ['the name of a member of every object', '__proto__', 415],
  ])('as %s, is refused [BDY-13]', async (_what, encoding, status) => {
    await allRefuse(status, {
      body: JSON.stringify(provisionBody(plan)),
      headers: { 'content-encoding': encoding },
    });
  });

  test('packed, and cut off, is refused [BDY-13]', async () => {
    const body = gzipSync(JSON.stringify(provisionBody(plan))).subarray(0, 20);
    await allRefuse(400, { body, headers: { 'content-encoding': 'gzip' } });
  });

  test('with Expect: 100-continue does not matter; the broker asks for it, or answers at once [BDY-12]', async () => {
    const target = instancePath(randomUUID());
    const body = JSON.stringify(provisionBody(plan));
    const request = rawRequest({ method: 'PUT', target, body, headers: { expect: '100-continue' } });
    const received = (await exchange(broker().url, request)).toString();
    const final = received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
    expect(readAnswer(Buffer.from(final)).status).toBe(201);
  });

  test('and then cut off before its end changes nothing [BDY-12]', async () => {
    const before = await traces();
    const body = JSON.stringify(provisionBody(plan));
    const headers = { 'content-length': `${body.length + 10}` };
    const request = rawRequest({ method: 'PUT', target: instancePath(randomUUID()), body, headers });
    await cutOff(request);
    expect((await ask('get', '/v2/catalog')).status).toBe(200);
    expect(await traces()).toEqual(before);
  });
});

describe('What comes after a body on the same connection', () => {
  const next = rawRequest({ target: '/v2/catalog' });
  const open = { connection: 'keep-alive' };
  const inside = 'GET /v2/service_instances/inside HTTP/1.1\r\nHost: x\r\n\r\n';

  /** The codes of all answers to these requests, sent at once. */
  async function codesOf(...requests: readonly Uint8Array[]): Promise<readonly number[]> {
    const received = await exchange(broker().url, Buffer.concat(requests));
    return [...received.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code));
  }

  test('is the next request, whether the body was taken, refused or not looked at [BDY-12, UNB-09, URL-10]', async () => {
    const target = instancePath(randomUUID());
    const body = JSON.stringify(provisionBody(plan));
    const good = rawRequest({ method: 'PUT', target, body, headers: open });
    const bad = rawRequest({ method: 'PUT', target, body: inside, headers: open });
    const ignored = rawRequest({ method: 'DELETE', target: `${target}?x=y`, body: inside, headers: open });
    const unknown = rawRequest({ method: 'POST', target: '/v2/unknown', body: inside, headers: open });
    const foreign = rawRequest({
      method: 'PUT',
      target,
      body: inside,
      headers: { ...open, authorization: undefined },
    });
    const codes = await codesOf(good, bad, ignored, unknown, foreign, next);
    expect(codes).toEqual([201, 400, 400, 404, 401, 200]);
  });

  test('is the next request, also when the body was too large [BDY-10, URL-10]', async () => {
    const body = inside.repeat(30_000);
    const large = rawRequest({ method: 'PUT', target: instancePath(randomUUID()), body, headers: open });
    expect(body.length).toBeGreaterThan(1_100_000);
    const codes = await codesOf(large, next);
    expect([[413], [413, 200]]).toContainEqual(codes);
  });
});

/** Sends this, and closes the connection before there is an answer. */
async function cutOff(bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(broker().url);
  await new Promise<void>((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(bytes, () => socket.destroy());
    });
    socket.on('close', () => resolve());
  });
}

describe('The query', () => {
  const structured = [
    'accepts_incomplete[]=true',
    'accepts_incomplete[a]=true',
    'accepts_incomplete.a=true',
    '__proto__[accepts_incomplete]=true',
    'constructor.prototype.accepts_incomplete=true',
    'ACCEPTS_INCOMPLETE=true',
    'accepts_incomplete;true',
    'x=accepts_incomplete=true',
    '&&&=&=true&',
    '%5f=1&a%=2',
  ];
  test.each(structured)('%s asks for nothing: the answer is never 202 [BDY-14, PRV-03]', async (query) => {
    const before = await traces();
    const request = { method: 'PUT', body: JSON.stringify(provisionBody('moments/async-only')) };
    const { status, text } = await send({ ...request, target: `${instancePath(randomUUID())}?${query}` });
    expect({ status, text }).toEqual({
      status: 422,
      text: expect.stringContaining('AsyncRequired') as string,
    });
    expect(await traces()).toEqual(before);
  });

  test.each([
    'accepts_incomplete=true&accepts_incomplete=false',
    'accepts_incomplete=1',
    'accepts_incomplete=TRUE',
    'accepts_incomplete=yes',
    'accepts_incomplete=true%00',
    'accepts_incomplete=%20true',
  ])('%s is refused [BDY-14, PRV-03]', async (query) => {
    const requests = await writers();
    const before = await traces();
    for (const { method, target } of requests) {
      const body = JSON.stringify(goodBody(method, target));
      expect((await send({ method, target: `${target}?${query}`, body })).status).toBe(400);
    }
    expect(await traces()).toEqual(before);
  });

  test('that says the same twice, or has a thousand members, is taken [BDY-14]', async () => {
    const on: Instance = await instance(plan);
    const { service_id: service, plan_id: id } = ids;
    const many = Array.from({ length: 1000 }, (_, at) => `p${at}=${at}`).join('&');
    const query = `service_id=${service}&plan_id=${id}&service_id=${service}&plan_id=${id}&${many}`;
    expect((await send({ method: 'DELETE', target: `${on.path}?${query}` })).status).toBe(200);
  });

  test('that names two plans is refused, and nothing is deleted [BDY-14, DEP-04]', async () => {
    const on = await instance(plan);
    const before = await traces();
    const { service_id: service, plan_id: id } = ids;
    for (const query of [
      `service_id=${service}&plan_id=${id}&plan_id=x`,
      `plan_id[]=${id}&service_id=${service}`,
    ]) {
      expect((await send({ method: 'DELETE', target: `${on.path}?${query}` })).status).toBe(400);
    }
    expect(await traces()).toEqual(before);
    expect((await platform.deprovision(on, { query: incomplete })).status).toBe(200);
  });
});
