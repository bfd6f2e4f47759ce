import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { readAnswer, exchange, rawRequest } from '../support/raw-http.ts';
import { livesAsUsual, tenRequests } from '../support/ten-requests.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { incomplete, trialPlatform, unknownInstance, type Members } from '../support/trial-platform.ts';

/** spec.md, Originating Identity and Request Identity: who asked for what, and by which request. */

const platform = trialPlatform();
const { ask, bind, binding, broker, database, instance, provision, refused } = platform;

function identity(name: string, value: unknown): string {
  return `${name} ${Buffer.from(JSON.stringify(value)).toString('base64')}`;
}

function from(value: string): { readonly headers: Record<string, string> } {
  return { headers: { 'x-broker-api-originating-identity': value } };
}

/** What is remembered of who asked for the operations of this instance. */
async function identitiesOf(id: string): Promise<readonly unknown[]> {
  const { rows } = await database().pool.query<{ origin: { identity?: unknown } }>(
    'select origin from operations where instance_id = $1 order by seq',
    [id],
  );
  return rows.map(({ origin }) => origin.identity);
}

describe('An originating identity', () => {
  const kubernetes = {
    username: 'duke',
    uid: 'c2dde242',
    groups: ['admin', 'dev'],
    extra: { mydata: ['d1'] },
  };
  test.each<[string, Members]>([
    ['cloudfoundry', { user_id: '683ea748-3092-4ff4-b656-39cacc4d5360' }],
    ['kubernetes', kubernetes],
    ['tsuru', { user: 'someone@example.com' }],
    ['service-manager', { username: 'jürgen ✓' }],
    ['a-platform-nobody-knows', {}],
  ])(
    'An originating identity of %s %j changes no answer, and is remembered, sealed, with what was asked [HDR-07, HDR-09]',
    async (name, value) => {
      const id = randomUUID();
      await livesAsUsual(ask, tenRequests(id), from(identity(name, value)));
      const remembered = await identitiesOf(id);
      expect(remembered).toHaveLength(4);
      for (const one of remembered) expect(one).toEqual({ sealed: expect.anything() as unknown });
    },
  );

  test('An originating identity is shown to operators with the instance and each operation, and lies nowhere in the clear', async () => {
    const person = { user_id: 'somebody-personal', user_name: 'duke@example.com' };
    const context = {
      platform: 'cloudfoundry',
      instance_name: 'cache',
      organization_guid: 'guid-of-org',
      organization_name: 'acme',
      space_guid: 'guid-of-space',
      space_name: 'dev',
    };
    const sent = { ...from(identity('cloudfoundry', person)), body: { context } };
    const made = await instance('trial-timing/quick', sent);
    await binding(made, from(identity('cloudfoundry', { user_id: 'another' })));
    const login = `operator:${operatorPassword}`;
    const shown = await broker().ask('get', `/operator/instances/${made.id}`, { login });
    const requester = { platform: 'cloudfoundry', value: person };
    expect(shown.body).toMatchObject({
      name: 'cache',
      platform: 'cloudfoundry',
      organization: 'acme',
      space: 'dev',
      requester,
      operations: [{ kind: 'bind', requester: { value: { user_id: 'another' } } }, { requester }],
    });
    const { body } = await broker().ask('get', '/operator/instances', { login });
    const { instances } = body as { instances: readonly { id: string }[] };
    expect(instances.find(({ id }) => id === made.id)).toMatchObject({ name: 'cache', requester });
    const { rows } = await database().pool.query<{ row: string }>(`
      select to_json(o)::text as row from operations o union all
      select to_json(i)::text from service_instances i`);
    for (const { row } of rows) expect(row).not.toMatch(/somebody-personal|duke@example/);
  });

  test('An originating identity of another platform than that of the context changes no answer [HDR-09]', async () => {
    const context = { platform: 'kubernetes', namespace: 'n', clusterid: 'c' };
    const sent = { ...from(identity('cloudfoundry', { user_id: 'u' })), body: { context } };
    expect((await provision('trial-timing/quick', sent)).status).toBe(201);
  });

  test('An originating identity of somebody else makes no other request of the same one [HDR-07, PRV-08.context]', async () => {
    const id = randomUUID();
    const on = await instance('trial-timing/quick', {
      id,
      ...from(identity('cloudfoundry', { user_id: 'a' })),
    });
    const other = from(identity('cloudfoundry', { user_id: 'b' }));
    expect((await provision('trial-timing/quick', { id, ...other })).status).toBe(200);
    const one = await binding(on);
    expect((await bind(on, { id: one.id, ...other })).status).toBe(200);
  });

  test.each<[string, string]>([
    ['empty', ''],
    ['a platform alone', 'cloudfoundry'],
    ['a platform and a space', 'cloudfoundry '],
    ['a value alone', 'eyJ1c2VyX2lkIjoibWFya2VkIn0='],
    ['no Base64', 'cloudfoundry {"user_id":"marked"}'],
    ['Base64 of no JSON', `cloudfoundry ${Buffer.from('{"user_id":"marked"').toString('base64')}`],
    ['Base64 of a list', identity('cloudfoundry', ['marked'])],
    ['Base64 of a text', identity('cloudfoundry', 'marked')],
    ['Base64 of null', identity('cloudfoundry', null)],
    ['Base64 of bytes that are no UTF-8', 'cloudfoundry /+7dzLs='],
    ['three words', `${identity('cloudfoundry', { user_id: 'marked' })} more`],
    [
      'deep JSON',
      `cloudfoundry ${Buffer.from('{"a":'.repeat(2000) + '1' + '}'.repeat(2000)).toString('base64')}`,
    ],
    ['JSON with NUL', identity('cloudfoundry', { user_id: 'marked\0' })],
    ['JSON with __proto__', `cloudfoundry ${Buffer.from('{"__proto__":{"a":1}}').toString('base64')}`],
    ['half of a picture', `cloudfoundry ${Buffer.from('{"user_id":"\\ud83d"}').toString('base64')}`],
  ])(
    'An originating identity that cannot be read (%s) changes no answer, and is reported without what it holds [HDR-08]',
    async (what, value) => {
      const before = broker().output().length;
      const id = randomUUID();
      await livesAsUsual(ask, tenRequests(id), from(value));
      expect(await identitiesOf(id)).toEqual([undefined, undefined, undefined, undefined]);
      const logged = broker().output().slice(before);
      const reports = logged.split('\n').filter((line) => line.includes('Originating-Identity'));
      expect(reports.length > 0).toBe(what !== 'empty');
      expect(logged).not.toMatch(/marked|bWFya2Vk|eyJ1c2Vy/);
    },
  );

  test('An originating identity of 12 kB changes no answer [HDR-07, HDR-08]', async () => {
    const groups = Array.from({ length: 300 }, (_, at) => `group-${at}-${'x'.repeat(20)}`);
    await livesAsUsual(
      ask,
      tenRequests(randomUUID()),
      from(identity('kubernetes', { username: 'u', groups })),
    );
  });
});

describe('A request identity', () => {
  const name = 'x-broker-api-request-identity';
  const sent = (value: string) => ({ headers: { [name]: value } });

  test('A request identity comes back on the answers of all endpoints as it was sent; without it there is none [HDR-05]', async () => {
    const id = randomUUID();
    const answers = await livesAsUsual(ask, tenRequests(randomUUID()), sent(id));
    for (const { headers } of answers) expect(headers[name]).toBe(id);
    const plain = await livesAsUsual(ask, tenRequests(randomUUID()), {});
    for (const { headers } of plain) expect(headers).not.toHaveProperty(name);
  });

  test.each(['a', 'X'.repeat(2000), 'with "quotes", commas; and = signs', '<script>', '../..', '__proto__'])(
    'A request identity comes back whatever it is: %#, and the broker is not impressed [HDR-05]',
    async (value) => {
      const { status, headers } = await ask('get', '/v2/catalog', sent(value));
      expect({ status, value: headers[name] as string }).toEqual({ status: 200, value });
    },
  );

  test('A request identity comes back byte by byte when it is no ASCII [HDR-05]', async () => {
    const request = rawRequest({ target: '/v2/catalog', headers: { [name]: 'Kr\u00fcmel \u00a7' } });
    const received = await exchange(broker().url, request);
    expect(received.toString('latin1')).toMatch(/X-Broker-API-Request-Identity: Kr\u00fcmel \u00a7\r\n/i);
    expect(readAnswer(received).status).toBe(200);
  });

  const never = unknownInstance('unheard-of', 'trial-timing/quick');
  test.each<[number, string, (headers: Record<string, string | undefined>) => Promise<Response>]>([
    [400, 'a body without fields', (headers) => ask('put', never.path, { headers, body: {} })],
    [400, 'a body that cannot be read', (headers) => ask('put', never.path, { headers, body: '{"a":' })],
    [
      400,
      'no version',
      (headers) =>
        ask('get', '/v2/catalog', {
          headers: { ...headers, 'x-broker-api-version': undefined },
        }),
    ],
    [401, 'no login', (headers) => ask('get', '/v2/catalog', { headers, login: undefined })],
    [401, 'a wrong login', (headers) => ask('get', '/v2/catalog', { headers, login: 'broker:wrong' })],
    [404, 'an unknown instance', (headers) => ask('get', never.path, { headers })],
    [404, 'an unknown path', (headers) => ask('get', '/v2/unknown', { headers })],
    [405, 'a wrong method', (headers) => ask('post', '/v2/catalog', { headers })],
    [410, 'an instance that is gone', (headers) => platform.deprovision(never, { headers })],
    [
      412,
      'a version of long ago',
      (headers) => ask('get', '/v2/catalog', { headers: { ...headers, 'x-broker-api-version': '2.0' } }),
    ],
    [
      413,
      'a body that is too large',
      (headers) => ask('put', never.path, { headers, body: ' '.repeat(1_100_000) }),
    ],
    [
      415,
      'a body of a strange encoding',
      (headers) =>
        ask('put', never.path, { headers: { ...headers, 'content-encoding': 'compress' }, body: '{}' }),
    ],
    [422, 'a plan that needs time', (headers) => provision('trial-timing/async-required', { headers })],
  ])('A request identity comes back with a %i for %s [HDR-06]', async (status, _why, request) => {
    const id = randomUUID();
    const answer = await refused(() => request({ [name]: id }));
    expect({ status: answer.status, id: (answer.headers as Record<string, string>)[name] }).toEqual({
      status,
      id,
    });
  });

  test('A request identity comes back with a conflict and with a failure [HDR-06]', async () => {
    const id = randomUUID();
    await instance('trial-timing/quick', { id });
    const answers = [
      await provision('trial-features/plain', { id, ...sent(id) }),
      await provision('trial-failing/provision', sent(id)),
      await provision('trial-timing/slow', { query: incomplete, ...sent(id) }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([409, 500, 202]);
    for (const { headers } of answers) expect((headers as Record<string, string>)[name]).toBe(id);
  });
});
