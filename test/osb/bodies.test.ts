import { randomUUID } from 'node:crypto';
import { provisionBody } from '../support/instance-platform.ts';
import { incomplete, instancePath, trialPlatform, type Instance } from '../support/trial-platform.ts';
import { bodySenders, plan, ids } from './body-senders.ts';

/** What may stand in the body of a request, and what may not: none of it does harm. */

const platform = trialPlatform();
const { ask, instance, provision, traces } = platform;
const { send, writers, allRefuse, goodBody, allTake } = bodySenders(platform);

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
  ])(
    'A body that is no JSON object is refused, and nothing changes: malformed: %j [BDY-01]',
    async (body) => {
      await allRefuse(400, { body });
    },
  );

  test('A body that is no JSON object is refused, and nothing changes: empty, and none at all [BDY-02]', async () => {
    await allRefuse(400, { body: '' });
    await allRefuse(400, {});
    await allRefuse(400, { body: '   \r\n' });
  });

  test.each(['[]', '[{}]', '"text"', '5', 'true', 'null'])(
    'A body that is no JSON object is refused, and nothing changes: of another type: %s [BDY-03]',
    async (body) => {
      await allRefuse(400, { body });
    },
  );

  test('A body that is no JSON object is refused, and nothing changes: the JSON of an empty object, which lacks all that is needed [BDY-03, BDY-08]', async () => {
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
  ])('The content type does not matter when the body is JSON: %j [BDY-04, BDY-05]', async (type) => {
    await allTake((body) => ({ body, headers: { 'content-type': type } }));
  });
});

describe('JSON that is read differently by different readers', () => {
  test('In JSON, a member that stands twice is refused, at any level and however it is written [BDY-07]', async () => {
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

  test('A byte order mark before JSON is no obstacle [BDY-07]', async () => {
    await allTake((body) => ({ body: `\ufeff${body}` }));
  });

  test('Bytes that are no UTF-8 are refused [BDY-07]', async () => {
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

  test('Ids with characters that readers take differently are refused, and what is not looked at may hold anything [BDY-07]', async () => {
    for (const odd of ['a\0', '\ud83d']) {
      await allRefuse(400, { body: JSON.stringify({ ...provisionBody(plan), service_id: odd }) });
      expect((await provision(plan, { body: { organization_guid: odd } })).status).toBe(400);
    }
    expect((await provision(plan, { body: { extension: ['a\0', { '\ud83d': '\ud83d' }] } })).status).toBe(
      201,
    );
  });

  test('What can be kept of JSON comes back as it was sent [BDY-07, FET-07]', async () => {
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
  ])(
    'Names of members that every object has give a request nothing that it lacks: %s [BDY-08]',
    async (shape) => {
      for (const { method, target } of await writers()) {
        const before = await traces();
        const body = shape.replace('GOOD', JSON.stringify(goodBody(method, target)));
        expect((await send({ method, target, body })).status).toBe(400);
        expect(await traces()).toEqual(before);
      }
    },
  );

  test('Names of members that every object has have no lasting effect, at any level of what may hold anything [BDY-09]', async () => {
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
    const told = { dashboard_url: expect.stringMatching(/\/dashboard\/[^/]+$/) as string };
    expect((await provision(plan)).body).toEqual(told);
  });

  test('Names of members that every object has may be names of parameters, and come back as such [BDY-09, FET-07]', async () => {
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

  test('A query that says the same twice, or has a thousand members, is taken [BDY-14]', async () => {
    const on: Instance = await instance(plan);
    const { service_id: service, plan_id: id } = ids;
    const many = Array.from({ length: 1000 }, (_, at) => `p${at}=${at}`).join('&');
    const query = `service_id=${service}&plan_id=${id}&service_id=${service}&plan_id=${id}&${many}`;
    expect((await send({ method: 'DELETE', target: `${on.path}?${query}` })).status).toBe(200);
  });

  test('A query that names two plans is refused, and nothing is deleted [BDY-14, DEP-04]', async () => {
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
