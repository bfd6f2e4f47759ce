import { instancePath, provisionBody, scripted } from './scripted-broker.ts';

describe('X-Broker-API-Version', () => {
  const { platform, asked } = scripted();
  const status = async (version: string) =>
    (await platform.get('/v2/catalog').set('X-Broker-API-Version', version)).status;

  test.each(['2.3', '2.13', '2.15', '2.17', '2.18', '2.99', ' 2.14 '])(
    'HDR-04: %j is served.',
    async (version) => {
      expect(await status(version)).toBe(200);
    },
  );

  test.each(['2.2', '2.0', '1.0', '3.0', '1.17', '22.3', '0.0'])(
    'HDR-02, HDR-11: %j is 412 with a sentence.',
    async (version) => {
      const answer = await platform.get('/v2/catalog').set('X-Broker-API-Version', version);
      expect([answer.status, answer.body]).toEqual([
        412,
        {
          error: 'PreconditionFailed',
          description: `This broker serves X-Broker-API-Version 2.3 and later 2.x, but the request has ${version}.`,
        },
      ]);
    },
  );

  test.each([
    '2',
    'abc',
    '2.x',
    '2.',
    '.3',
    '2.3.1',
    '-2.3',
    '2.17, 2.17',
    'v2.17',
    '2.1e9',
    `2.${'9'.repeat(400)}`,
  ])('HDR-03: %j is 400.', async (version) => {
    expect(await status(version)).toBe(400);
  });

  test('HDR-01: its absence is 400 on every endpoint, before the body is read, unless the option accepts it.', async () => {
    const answer = await platform.put(instancePath).unset('X-Broker-API-Version').type('json').send('{{{');
    expect([answer.status, answer.body.description]).toEqual([
      400,
      'The header X-Broker-API-Version is missing. This broker serves 2.3 and later 2.x.',
    ]);
    expect(await status('')).toBe(400);
    expect(asked.filter(([what]) => what !== 'catalog')).toEqual([]);
    const lenient = scripted({}, { acceptMissingVersion: true }).platform;
    const accepted = await lenient.put(instancePath).unset('X-Broker-API-Version').send(provisionBody);
    expect(accepted.status).toBe(201);
    expect((await lenient.get('/v2/catalog').set('X-Broker-API-Version', '1.0')).status).toBe(412);
  });
});

test('HDR-05, HDR-06: the request identity comes back.', async () => {
  const { platform } = scripted();
  for (const path of ['/v2/catalog', '/v2/nothing', `${instancePath}/last_operation`]) {
    const answer = await platform.get(path).set('x-broker-api-request-identity', 'e26cee84-6b38');
    expect(answer.headers['x-broker-api-request-identity']).toBe('e26cee84-6b38');
  }
});

describe('X-Broker-API-Originating-Identity', () => {
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
  const nested = `${'['.repeat(5000)}${']'.repeat(5000)}`;

  async function identityOf(header: string) {
    const warnings: string[] = [];
    const { platform, asked } = scripted({}, { warn: (message) => void warnings.push(message) });
    const answer = await platform
      .put(instancePath)
      .set('X-Broker-API-Originating-Identity', header)
      .set('X-Vcap-Request-Id', 'request-1')
      .send(provisionBody);
    expect(answer.status).toBe(201);
    const [, command] = asked[0] as [string, { origin: { identity?: unknown } }];
    return { identity: command.origin.identity, warnings };
  }

  test.each([
    ['cloudfoundry', { user_id: '683ea748' }],
    ['kubernetes', { username: 'dûke', uid: 'c2dde242', groups: ['admin'], extra: { mydata: ['x'] } }],
    ['unheard-of', {}],
  ])('HDR-07, HDR-09: of %s is recorded.', async (platform, value) => {
    const identity = { platform, value };
    expect(await identityOf(`${platform} ${base64(value)}`)).toEqual({ identity, warnings: [] });
  });

  test.each([
    ['no value', 'cloudfoundry'],
    ['no platform', base64({ user_id: 'x' })],
    ['no Base64', 'cloudfoundry {"user_id":"x"}'],
    ['no JSON', `cloudfoundry ${Buffer.from('user_id').toString('base64')}`],
    ['no UTF-8', `cloudfoundry ${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64')}`],
    ['a list', `cloudfoundry ${base64(['x'])}`],
    ['null', `cloudfoundry ${base64(null)}`],
    ['three parts', `cloudfoundry ${base64({})} x`],
    ['NUL in it', `cloudfoundry ${base64({ user_id: '\0' })}`],
    ['thousands of levels', `cloudfoundry ${Buffer.from(`{"a":${nested}}`).toString('base64')}`],
  ])('HDR-08: with %s is reported without its value, and else ignored.', async (_what, header) => {
    const warning = expect.stringMatching(
      /^The header X-Broker-API-Originating-Identity is not .*\. Request request-1\.$/,
    );
    expect(await identityOf(header)).toEqual({ identity: undefined, warnings: [warning] });
  });

  test('An empty one is none.', async () => {
    expect(await identityOf('')).toEqual({ identity: undefined, warnings: [] });
  });
});
