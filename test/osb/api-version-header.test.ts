import { randomUUID } from 'node:crypto';
import { rawRequest, sendRaw } from '../support/raw-http.ts';
import { livesAsUsual, tenRequests } from '../support/ten-requests.ts';
import { trialPlatform, type TrialPlatform } from '../support/trial-platform.ts';

/** spec.md, API Version Header. */

const { ask, broker, instance, binding, refused, traces } = trialPlatform();
const old = trialPlatform({ ACCEPT_MISSING_VERSION: 'true' });

function version(value: string | undefined): { readonly headers: Record<string, string | undefined> } {
  return { headers: { 'x-broker-api-version': value } };
}

/** Asks each of the ten, about things that are there, and wants this refusal without any effect. */
async function allRefuse(
  platform: Pick<TrialPlatform, 'ask' | 'traces'>,
  id: string,
  value: string | undefined,
) {
  const before = await platform.traces();
  const codes = new Set<number>();
  for (const { method, path, asked } of tenRequests(id)) {
    const answer = await platform.ask(method, path, { ...asked, ...version(value) });
    codes.add(answer.status);
    expect(answer.body).toMatchObject({
      description: expect.stringMatching(/X-Broker-API-Version.*\b2\.\d/) as string,
    });
  }
  expect(await platform.traces()).toEqual(before);
  return [...codes];
}

/** With the ids of the ten requests. */
async function readyPair(): Promise<string> {
  const id = randomUUID();
  await binding(await instance('trial-timing/quick', { id }), { id: `${id}-b` });
  return id;
}

test.each(['2.3', '2.9', '2.12', '2.13', '2.14', '2.15', '2.16', '2.17'])(
  'All endpoints serve version %s, which platforms send today [HDR-04]',
  async (value) => {
    await livesAsUsual(ask, tenRequests(randomUUID()), version(value));
  },
);

test.each(['2.18', '2.99', '2.1000', ' 2.17 '])(
  'All endpoints serve version %j, as minor versions only add [HDR-04]',
  async (value) => {
    await livesAsUsual(ask, tenRequests(randomUUID()), version(value));
  },
);

test.each([
  ['absent', undefined],
  ['empty', ''],
  ['blank', '  '],
])(
  'All endpoints answer 400 to a version that is %s, say what is needed, and change nothing [HDR-01, HDR-11]',
  async (_what, value) => {
    expect(await allRefuse({ ask, traces }, await readyPair(), value)).toEqual([400]);
  },
);

test.each(['1.0', '2.0', '2.2', '3.0', '3.17', '20.17', '0.0', '999999999.999999999'])(
  'All endpoints answer 412 to version %s, say what is needed, and change nothing [HDR-02, HDR-11]',
  async (value) => {
    expect(await allRefuse({ ask, traces }, await readyPair(), value)).toEqual([412]);
  },
);

test.each([
  'abc',
  '2',
  '2.',
  '.17',
  '2.x',
  '2.17.0',
  'v2.17',
  '2,17',
  '-2.17',
  '+2.17',
  '2 .17',
  '2.17 2.17',
  '2.17, 2.17',
  '0x2.17',
  '2.1e1',
  '2.99999999999999999999',
  '__proto__',
  '2.17; drop table operations',
  '\u00b2.17',
])('A version of %j is answered 400 [HDR-03, HDR-11]', async (value) => {
  const { status, body } = await refused(() => ask('get', '/v2/catalog', version(value)));
  expect(status).toBe(400);
  expect(body).toMatchObject({ description: expect.stringContaining('X-Broker-API-Version') as string });
});

test('A version of 5,000 digits is answered 400 [HDR-03, HDR-11]', async () => {
  const { status, text } = await refused(() => ask('get', '/v2/catalog', version(`2.${'1'.repeat(5000)}`)));
  expect(status).toBe(400);
  expect(text.length).toBeLessThan(1000);
});

test('A version that is sent twice is answered 400 [HDR-03]', async () => {
  const headers = { 'x-broker-api-version': ['2.17', '2.3'] };
  const { status } = await sendRaw(broker().url, rawRequest({ target: '/v2/catalog', headers }));
  expect(status).toBe(400);
});

test('The name of the header may be written in any case [HDR-10]', async () => {
  for (const name of ['X-Broker-API-Version', 'x-broker-api-version', 'X-BROKER-API-VERSION']) {
    const headers = { 'x-broker-api-version': undefined, [name]: '2.17' };
    const { status } = await sendRaw(broker().url, rawRequest({ target: '/v2/catalog', headers }));
    expect(status).toBe(200);
  }
});

test.each<[string, Record<string, string>]>([
  ['what browsers send', { accept: 'text/html', 'accept-language': 'de', 'user-agent': 'Mozilla/5.0' }],
  ['nothing acceptable', { accept: 'image/png;q=0.1', 'accept-encoding': 'identity;q=0' }],
  [
    'another method',
    { 'x-http-method-override': 'DELETE', 'x-http-method': 'DELETE', 'x-method-override': 'PUT' },
  ],
  [
    'headers of proxies',
    { 'x-forwarded-host': 'evil.example', 'x-original-url': '/v2/x', forwarded: 'host=a' },
  ],
  ['what Cloud Controller sends', { 'x-vcap-request-id': '', 'x-api-info-location': 'api.example/v2/info' }],
  ['a cookie and a range', { cookie: '__proto__=1', range: 'bytes=0-3', te: 'trailers' }],
])('Headers of no meaning here change no answer: %s [HDR-10]', async (_what, headers) => {
  const answers = await livesAsUsual(ask, tenRequests(randomUUID()), { headers });
  const plain = await ask('get', '/v2/catalog');
  expect(answers[0]?.text).toBe(plain.text);
});

describe('With ACCEPT_MISSING_VERSION', () => {
  test('With ACCEPT_MISSING_VERSION, all endpoints serve requests without a version, as the first clients sent them [HDR-01]', async () => {
    await livesAsUsual(old.ask, tenRequests(randomUUID()), version(undefined));
    await livesAsUsual(old.ask, tenRequests(randomUUID()), version(''));
  });

  test('With ACCEPT_MISSING_VERSION, a version that is there is still looked at [HDR-02, HDR-03]', async () => {
    const id = randomUUID();
    expect(await allRefuse(old, id, '2.2')).toEqual([412]);
    expect(await allRefuse(old, id, '3.0')).toEqual([412]);
    expect(await allRefuse(old, id, 'abc')).toEqual([400]);
    await livesAsUsual(old.ask, tenRequests(id), version('2.17'));
  });
});
