import request from 'supertest';
import { trialPlatform, type Binding } from '../support/trial-platform.ts';
import { post, postTo, dashboard, dashboardOf } from './echo-client.ts';

/** What applications send to echo and invert with their credentials (acceptance E8 to E10). */

const platform = trialPlatform({
  CATALOG_DIR: 'catalog',
  BROKER_USERNAME_2: 'user',
  BROKER_PASSWORD_2: 'pass',
});

const { binding, deprovision, instance, unbind } = platform;

describe('A message', () => {
  test.each([
    'Hello World',
    'añb👍🏽',
    '',
    'line\nbreak\t"quoted" \\ \u0000',
    5,
    -1.5e-7,
    true,
    null,
    [1, 'two', [null]],
    { a: { b: ['c'] } },
  ])('A message comes back from echo as it was: %j [E6]', async (message) => {
    const { status, body } = await post(await binding(await instance('echo/large')), { message });
    expect({ status, body: body as object }).toEqual({ status: 200, body: { response: message } });
  });

  test.each([
    ['Hello World', 'dlroW olleH'],
    ['añb👍🏽', '👍🏽bña'],
    ['e\u0301a', 'ae\u0301'],
    ['👨‍👩‍👧x', 'x👨‍👩‍👧'],
    ['🇩🇪🇫🇷', '🇫🇷🇩🇪'],
    ['', ''],
  ])('A message comes back from invert by visible character: %j as %j [E6]', async (message, response) => {
    const { status, body } = await post(await binding(await instance('invert/small')), { message });
    expect({ status, body: body as object }).toEqual({ status: 200, body: { response } });
  });

  test('A message can be sent with the token in a header as well as with the address alone [E6]', async () => {
    const { told } = await binding(await instance('echo/large'));
    const { uri = '', token = '' } = told.credentials ?? {};
    const plain = uri.replace(/\?.*/, '');
    expect((await postTo(plain, { message: 'x' })).status).toBe(401);
    const answer = await request(plain)
      .post('')
      .set('authorization', `Bearer ${token}`)
      .send({ message: 'x' });
    expect({ status: answer.status, body: answer.body as object }).toEqual({
      status: 200,
      body: { response: 'x' },
    });
  });

  test('A message after the unbind, with the token of another binding, or with none, is answered 401 [E8]', async () => {
    const on = await instance('echo/large');
    const [one, other] = [await binding(on), await binding(on)];
    const elsewhere = await binding(await instance('echo/large'));
    const tokenOf = ({ told }: Binding) => told.credentials?.['token'] ?? '';
    const uri = one.told.credentials?.['uri'] ?? '';
    for (const token of [tokenOf(other), tokenOf(elsewhere), '', 'x'.repeat(40), '__proto__']) {
      expect((await postTo(uri.replace(/token=.*/, `token=${token}`), { message: 'x' })).status).toBe(401);
    }
    expect((await post(one, { message: 'x' })).status).toBe(200);
    await unbind(one);
    expect((await post(one, { message: 'x' })).status).toBe(401);
    expect((await post(other, { message: 'x' })).status).toBe(200);
    await binding(on, { id: one.id });
    expect((await post(one, { message: 'x' })).status).toBe(401);
    await deprovision(on);
    expect((await post(other, { message: 'x' })).status).toBe(401);
  });

  test.each<[string, object | string, string, number]>([
    ['JSON with a charset', { message: 'x' }, 'application/json; charset=utf-8', 200],
    ['JSON in capitals', { message: 'x' }, 'Application/JSON', 200],
    ['plain text', '{"message":"x"}', 'text/plain', 415],
    ['a form', 'message=x', 'application/x-www-form-urlencoded', 415],
    ['a list', [1], 'application/json', 400],
    ['no message', { massage: 'x' }, 'application/json', 400],
    ['an inherited message', '{"__proto__":{"message":"x"}}', 'application/json', 400],
    ['half of JSON', '{"message":', 'application/json', 400],
    ['2 MB', { message: 'x'.repeat(2_000_000) }, 'application/json', 413],
  ])(
    'A message as %s is answered in JSON, and counts only when it was taken [E9]',
    async (_what, body, type, status) => {
      const on = await instance('echo/large');
      const answer = await post(await binding(on), body, type);
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json' });
      expect(answer.body).toEqual(
        status === 200 ? { response: 'x' } : { description: expect.stringMatching(/./) as string },
      );
      expect((await dashboard(await dashboardOf(platform, on))).counts).toEqual([1, status === 200 ? 1 : 0]);
    },
  );

  test('A message of HTML is shown as text, and so are the names that platforms give [E10]', async () => {
    const context = { platform: 'cloudfoundry', instance_name: '<img src=x onerror=alert(1)>' };
    const on = await instance('echo/large', { id: '<b>id</b>', body: { context } });
    await post(await binding(on, { id: '"><i>binding</i>' }), { message: '<script>alert("x")</script>' });
    const answer = await fetch(await dashboardOf(platform, on));
    const text = await answer.text();
    expect(text).toContain('&lt;script&gt;alert(');
    expect(text).toContain('&lt;img src=x');
    expect(text).not.toMatch(/<script|<img|<b>id|<i>binding/);
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
  });
});
