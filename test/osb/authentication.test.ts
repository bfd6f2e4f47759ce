import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { rawRequest, sendRaw } from '../support/raw-http.ts';
import { tenRequests } from '../support/ten-requests.ts';
import { trialPlatform, unknownInstance } from '../support/trial-platform.ts';
import { testPassword } from '../support/whole-broker.ts';

/** spec.md, Platform to Service Broker Authentication. */

const second = 'pässwort: with ✓ and colons';
const platform = trialPlatform({ BROKER_USERNAME_2: 'neighbour', BROKER_PASSWORD_2: second });
const { ask, binding, broker, deprovision, instance, provision, traces } = platform;

interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** AUT-06 and AUT-07: what every 401 is. */
function expectUnauthorized(answer: Pick<Response, 'status' | 'text'> & { headers: object }): void {
  const { status, headers, text } = answer as Told;
  expect({ status, way: headers['www-authenticate'], text }).toEqual({
    status: 401,
    way: expect.stringMatching(/^Basic realm=".+"/) as string,
    text: JSON.stringify({
      error: 'Unauthorized',
      description: 'A valid username and password are needed.',
    }),
  });
}

/** Failed logins are slowed, so the wrong ones are tried at the same time. */
async function allUnauthorized(logins: readonly (string | undefined)[]): Promise<void> {
  const answers = await Promise.all(logins.map((login) => ask('get', '/v2/catalog', { login })));
  for (const answer of answers) expectUnauthorized(answer);
}

function catalogWith(authorization: string | readonly string[] | undefined): Promise<Told> {
  return sendRaw(broker().url, rawRequest({ target: '/v2/catalog', headers: { authorization } }));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

const right = `broker:${testPassword}`;

test('Each of the ten endpoints answers 401 without a login, says how to log in, shows nothing and does nothing [AUT-01, AUT-04, AUT-06, AUT-07]', async () => {
  const id = randomUUID();
  const on = await instance('trial-timing/quick', { id });
  await binding(on, { id: `${id}-b` });
  const before = await traces();
  for (const ids of [id, 'unheard-of']) {
    for (const { method, path, asked } of tenRequests(ids)) {
      expectUnauthorized(await ask(method, path, { ...asked, login: undefined }));
    }
  }
  expect(await traces()).toEqual(before);
});

test('Each of the ten endpoints answers 401 to a wrong password in the same words, and does nothing [AUT-01, AUT-04, AUT-07]', async () => {
  const id = randomUUID();
  await binding(await instance('trial-timing/quick', { id }), { id: `${id}-b` });
  const before = await traces();
  const requests = [...tenRequests(id), ...tenRequests('unheard-of')];
  const answers = await Promise.all(
    requests.map(({ method, path, asked }) => ask(method, path, { ...asked, login: 'broker:wrong' })),
  );
  for (const answer of answers) expectUnauthorized(answer);
  expect(await traces()).toEqual(before);
});

test('Wrong names and passwords are answered 401, however near they are [AUT-02]', async () => {
  await allUnauthorized([
    'broker:',
    ':',
    `:${testPassword}`,
    `admin:${testPassword}`,
    `Broker:${testPassword}`,
    `broker :${testPassword}`,
    `broker:${testPassword.slice(0, -1)}`,
    `broker:${testPassword}x`,
    `broker:${testPassword} `,
    `broker: ${testPassword}`,
    `broker:${testPassword}\n`,
    `broker:${testPassword}\0`,
    `broker:${testPassword.toUpperCase()}`,
    `broker:${base64(testPassword)}`,
    `broker:${second}`,
    `neighbour:${testPassword}`,
    `${testPassword}:broker`,
  ]);
});

test('Names of members that every object has are no users [AUT-02]', async () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'undefined',
    'null',
    '0',
    '',
  ];
  await allUnauthorized(
    names.flatMap((name) => [`${name}:`, `${name}:undefined`, `${name}:${testPassword}`]),
  );
});

test('Headers that are no login are answered 401 [AUT-03]', async () => {
  const values = [
    '',
    'Basic',
    'Basic ',
    'Basic ====',
    'Basic !!!!',
    `Basic ${base64('broker')}`,
    `Basic ${base64(testPassword)}`,
    `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0xff]).toString('base64')}`,
    `Basic ${base64(`${right}\r\n`)}`,
    `Basic${base64(right)}`,
    `Basic ${base64(right)} ${base64(right)}`,
    `Basic ${base64(right).slice(1)}`,
    `Bearer ${base64(right)}`,
    `Bearer ${testPassword}`,
    `Digest username="broker", response="${testPassword}"`,
    `Negotiate ${base64(right)}`,
    base64(right),
    right,
    'null',
    '\u00fc\u00fc',
  ];
  for (const answer of await Promise.all(values.map((value) => catalogWith(value))))
    expectUnauthorized(answer);
});

test('A header of 8 kB or more is answered 401 or 431, with JSON [AUT-03]', async () => {
  for (const length of [8_000, 20_000, 40_000]) {
    const { status, text } = await catalogWith(`Basic ${'Q'.repeat(length)}`);
    expect([401, 431]).toContain(status);
    expect(JSON.parse(text)).toMatchObject({ error: expect.any(String) as string });
  }
});

test('A login in other places does not count [AUT-01, AUT-03]', async () => {
  const headers = { authorization: undefined, cookie: `authorization=Basic ${base64(right)}` };
  const proxied = { authorization: undefined, 'proxy-authorization': `Basic ${base64(right)}` };
  for (const sent of [headers, proxied]) {
    const target = `/v2/catalog?authorization=Basic%20${base64(right)}`;
    expectUnauthorized(await sendRaw(broker().url, rawRequest({ target, headers: sent })));
  }
});

test.each<[string, object]>([
  ['a body that cannot be read', { body: '{"a":' }],
  ['a body that is too large', { body: ' '.repeat(1_100_000) }],
  ['an empty body', { body: {} }],
  ['no version', { headers: { 'x-broker-api-version': undefined } }],
  ['a wrong version', { headers: { 'x-broker-api-version': '1.0' } }],
  ['a strange query', { query: { accepts_incomplete: 'maybe' } }],
])('401 comes before what else is wrong: %s [AUT-05]', async (_what, wrong) => {
  const { id, path } = await instance('trial-timing/quick');
  const before = await traces();
  for (const { method, path: at, asked } of tenRequests(id).filter((one) => one.path.startsWith(path))) {
    const sent = { ...asked, ...wrong, login: undefined };
    expectUnauthorized(
      await ask(method, at, method === 'get' ? { ...sent, body: undefined as never } : sent),
    );
  }
  expectUnauthorized(
    await ask('get', '/v2/catalog', { login: undefined, headers: { 'x-broker-api-version': 'x' } }),
  );
  expect(await traces()).toEqual(before);
});

test('401 comes before what is wrong with the address: unknown paths, methods, encodings [AUT-05, RTE-06]', async () => {
  const headers = { authorization: undefined };
  const targets = [
    '/',
    '/v2',
    '/v2/unknown',
    '/v2/catalog/',
    '/v2/service_instances/%zz',
    '/v2/service_instances/',
  ];
  for (const target of targets)
    expectUnauthorized(await sendRaw(broker().url, rawRequest({ target, headers })));
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
    const request = rawRequest({ method, target: '/v2/catalog', headers });
    expectUnauthorized(await sendRaw(broker().url, request));
  }
});

test('An unauthenticated provision and deprovision have no effect [AUT-04]', async () => {
  const on = unknownInstance(randomUUID(), 'trial-timing/quick');
  expectUnauthorized(await provision('trial-timing/quick', { id: on.id, login: undefined }));
  expect((await ask('get', on.path)).status).toBe(404);
  expect((await provision('trial-timing/quick', { id: on.id })).status).toBe(201);
  expectUnauthorized(await deprovision(on, { login: undefined }));
  expect((await ask('get', on.path)).status).toBe(200);
});

test.each(['Basic', 'basic', 'BASIC', 'bAsIc'])('The scheme may be written %s [AUT-08]', async (scheme) => {
  expect((await catalogWith(`${scheme} ${base64(right)}`)).status).toBe(200);
});

test('A second login is as good as the first, also with a password that has colons and is no ASCII [AUT-08]', async () => {
  expect((await ask('get', '/v2/catalog', { login: `neighbour:${second}` })).status).toBe(200);
  expect((await ask('get', '/v2/catalog')).status).toBe(200);
});

test('After 20 failed logins the right one is served at once [AUT-09]', async () => {
  await allUnauthorized(Array.from({ length: 20 }, (_, at) => `broker:guess-${at}`));
  const before = performance.now();
  expect((await ask('get', '/v2/catalog')).status).toBe(200);
  expect(performance.now() - before).toBeLessThan(5000);
});

test('No password stands in the log [AUT-07]', async () => {
  await allUnauthorized(['broker:a-guess-of-somebody']);
  const output = broker().output();
  for (const word of [testPassword, base64(right), second, 'a-guess-of-somebody'])
    expect(output).not.toContain(word);
});

test('Who has no login is told whether the broker lives, and nothing else [AUT-01, AUT-07]', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const { status, text } = await broker().ask('get', path, { login: undefined });
    expect({ path, status }).toEqual({ path, status: 200 });
    expect(text).not.toMatch(/echo_service|trial|postgres|\d+\.\d+\.\d+/i);
  }
});
