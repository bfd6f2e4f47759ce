import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import supertest from 'supertest';
import type { JsonObject } from '../../src/broker/json.ts';
import type { OperationKind } from '../../src/broker/records.ts';
import type { Opening, Store } from '../../src/broker/store.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { createServer } from '../../src/http/server.ts';
import { postgresMessages } from '../../src/provisioners/echo/messages.ts';
import { echoMigrations } from '../../src/provisioners/echo/migrations.ts';
import { echoPage, echoService } from '../../src/provisioners/echo/service.ts';
import { dashboards } from '../../src/protocols/dashboard/index.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { aBinding, anInstance, anOperation } from '../broker/fixtures.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { shippedProvisioners } from '../support/shipped-provisioners.ts';
import { aBroker } from './composed-core.ts';
import { shippedTraits } from '../../src/program/shipped.ts';

/** The echo service as applications and people meet it: over HTTP, on a real Postgres. */

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations, echoMigrations]);
  store = postgresStore(database.pool);
});
afterAll(() => database.close());

/** A broker of its own; all share the database. */
function serve(messages = postgresMessages(database.pool)) {
  const settings = { store: () => store, messages: () => messages };
  const broker = { owned: async () => undefined, dashboard: async () => 'none' } as never;
  const seals = { seal: () => '', open: () => undefined };
  const pages = dashboards({ pages: [echoPage(settings)], broker, seals, url: () => 'http://broker' });
  const { app } = createServer({
    protocols: [echoService(settings), pages],
    logins: [],
    observe: () => undefined,
  });
  return supertest(app);
}

/** Writes what an operation that is over leaves in the rows. */
async function settle(
  kind: OperationKind,
  instanceId: string,
  change: Omit<Opening, 'operation' | 'leaseMs'>,
) {
  const { binding } = change;
  const bound = binding && ('put' in binding ? binding.put : binding.remove);
  const bindingId = bound ? { bindingId: bound.id } : {};
  const over = { state: 'succeeded', finishedAt: new Date() } as const;
  const operation = anOperation(kind, { id: randomUUID(), instanceId, ...bindingId, ...over });
  expect(await store.open({ operation, leaseMs: 1000, ...change })).toBe(true);
}

interface Made {
  readonly answer?: 'echo' | 'invert';
  readonly keep?: number;
  readonly facts?: JsonObject;
  readonly context?: JsonObject;
  readonly instanceId?: string;
}

/** An instance, its dashboard's path and a function that binds it and gives the path to post to. */
async function anEcho({
  answer = 'echo',
  keep = 10,
  facts,
  context = {},
  instanceId = randomUUID(),
}: Made = {}) {
  const confidential = {
    parameters: {},
    secrets: { dashboard_token: randomUUID() },
    facts: facts ?? { echo: { answer, keep } },
  };
  const made = anInstance({ id: instanceId, version: 0, confidential, context });
  await settle('provision', instanceId, { instance: { put: made } });
  const instance = (await store.findInstance(instanceId))?.instance ?? made;
  return {
    instance,
    dashboard: `/dashboard/${encodeURIComponent(instanceId)}?token=${confidential.secrets.dashboard_token}`,
    bind: async (id: string = randomUUID(), ready = true) => {
      const token = randomUUID();
      const secrets = { parameters: {}, secrets: { token }, facts: {}, answer: {} };
      const binding = aBinding({ instanceId, id, ready, confidential: secrets });
      await settle('bind', instanceId, { instance: { keep: instance }, binding: { put: binding } });
      const path = `/services/echo/${encodeURIComponent(instanceId)}/${encodeURIComponent(id)}`;
      return { id, token, path, uri: `${path}?token=${token}` };
    },
  };
}

function send(uri: string, body: object, on = serve()) {
  return on.post(uri).send(body);
}

const unauthorized = { description: 'This needs the token of a binding that exists.' };

describe('A message', () => {
  test.each([
    ['Hello World'],
    ['añb👍🏽'],
    [''],
    ['\u0000 and \ud83d alone'],
    [42],
    [-1.5e-7],
    [true],
    [null],
    [[1, ['two', { three: 3 }]]],
    [{ a: { b: null }, message: 'inner' }],
  ])('A message comes back from echo as it was: %j.', async (message) => {
    const { uri } = await (await anEcho()).bind();
    const { status, body, type } = await send(uri, { message });
    expect([status, type, body]).toEqual([200, 'application/json', { response: message }]);
  });

  test('A message comes back from invert by visible character.', async () => {
    const { uri } = await (await anEcho({ answer: 'invert' })).bind();
    expect((await send(uri, { message: 'Hello World' })).body).toEqual({ response: 'dlroW olleH' });
    expect((await send(uri, { message: 'añb👍🏽' })).body).toEqual({ response: '👍🏽bña' });
  });

  test('A message that cannot be inverted is refused and not counted.', async () => {
    const invert = await anEcho({ answer: 'invert' });
    const { uri } = await invert.bind();
    const { status, body } = await send(uri, { message: [1] });
    expect([status, body]).toEqual([400, { description: 'The message must be a string to be inverted.' }]);
    expect((await serve().get(invert.dashboard)).text).toContain('<dt>Messages</dt><dd>0</dd>');
  });

  test.each([
    [[1], 'The body must be a JSON object with a message.'],
    [{}, 'The body must have a message.'],
    [{ Message: 'x' }, 'The body must have a message.'],
    [{ message: 'x'.repeat(65_535) }, 'The message must not have more than 65536 bytes.'],
  ])('A message is refused when the body is not right (%#).', async (sent, description) => {
    const { uri } = await (await anEcho()).bind();
    const { status, body } = await send(uri, sent);
    expect([status, body]).toEqual([description.includes('bytes') ? 413 : 400, { description }]);
  });

  test('A message is refused as JSON when the body is missing, malformed or of 2 MB.', async () => {
    const { uri } = await (await anEcho()).bind();
    const sent = ['', '{"message":', JSON.stringify({ message: 'x'.repeat(2_000_000) })].map((text) =>
      serve().post(uri).set('Content-Type', 'application/json').send(text),
    );
    const replies = await Promise.all(sent);
    expect(replies.map(({ status }) => status)).toEqual([400, 400, 413]);
    for (const { body } of replies) expect(body).toEqual({ description: expect.stringMatching(/\.$/) });
  });

  test.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON;charset="UTF-8"', 200],
    ['text/plain', 415],
    ['application/json-seq', 415],
    ['application/x-www-form-urlencoded', 415],
    ['', 415],
  ])('A message of the content type %j gets %d.', async (type, expected) => {
    const { uri } = await (await anEcho()).bind();
    const { status, body } = await serve().post(uri).set('Content-Type', type).send('{"message":"x"}');
    expect(status).toBe(expected);
    if (status === 415) expect(body).toEqual({ description: 'The content type must be application/json.' });
  });
});

describe('A token', () => {
  test.each([
    ['in the address', (path: string, token: string) => serve().post(`${path}?token=${token}`)],
    [
      'as Bearer',
      (path: string, token: string) => serve().post(path).set('Authorization', `Bearer ${token}`),
    ],
    [
      'as bearer',
      (path: string, token: string) => serve().post(path).set('Authorization', `bearer ${token}`),
    ],
  ])('A token is taken %s.', async (_where, post) => {
    const { path, token } = await (await anEcho()).bind();
    expect((await post(path, token).send({ message: 1 })).status).toBe(200);
  });

  test('A token that is wrong, of another binding or of nothing that exists gets one and the same 401.', async () => {
    const [one, other] = [await anEcho(), await anEcho()];
    const [mine, second, foreign] = [await one.bind(), await one.bind(), await other.bind()];
    const unfinished = await one.bind(randomUUID(), false);
    const notEcho = await (await anEcho({ facts: { thing: {} } })).bind();
    const addresses = [
      mine.path,
      `${mine.path}?token=`,
      `${mine.path}?token=undefined`,
      `${mine.path}?token=${second.token}`,
      `${mine.path}?token=${foreign.token}`,
      `${mine.path}?token=${one.instance.confidential.secrets['dashboard_token'] ?? ''}`,
      `/services/echo/${one.instance.id}/nobody?token=${mine.token}`,
      `/services/echo/nobody/${mine.id}?token=${mine.token}`,
      `/services/echo/${other.instance.id}/${mine.id}?token=${mine.token}`,
      unfinished.uri,
      notEcho.uri,
    ];
    const replies = await Promise.all(addresses.map((address) => send(address, { message: 'x' })));
    for (const { status, body, headers } of replies) {
      expect([status, body]).toEqual([401, unauthorized]);
      expect(headers['www-authenticate']).toBe('Bearer');
    }
    const page = await serve().get(one.dashboard);
    expect(page.text).toContain('<dt>Messages</dt><dd>0</dd>');
  });

  test('A token ends with its binding.', async () => {
    const { instance, bind } = await anEcho();
    const [gone, left] = [await bind(), await bind()];
    const { binding } = await store.findBinding(instance.id, gone.id);
    if (!binding) throw new Error('The binding was not stored.');
    await settle('unbind', instance.id, { instance: { keep: instance }, binding: { remove: binding } });
    expect((await send(gone.uri, { message: 'x' })).body).toEqual(unauthorized);
    expect((await send(left.uri, { message: 'x' })).status).toBe(200);
  });

  test('A token works for ids that are anything.', async () => {
    const { dashboard, bind } = await anEcho({ instanceId: `a/b?c#d ${randomUUID()} ñ` });
    const { uri } = await bind('../👍🏽');
    expect((await send(uri, { message: 'x' })).status).toBe(200);
    expect((await serve().get(dashboard)).status).toBe(200);
  });
});

describe('The dashboard', () => {
  const counts = async (path: string) =>
    [...(await serve().get(path)).text.matchAll(/<dd>(\d+)<\/dd>/g)].map(([, digits]) => Number(digits));

  test('The dashboard counts bindings and messages, on every broker of the database.', async () => {
    const { dashboard, bind } = await anEcho();
    expect(await counts(dashboard)).toEqual([0, 0]);
    const { uri } = await bind();
    await send(uri, { message: 'one' }, serve());
    await send(uri, { message: 'two' }, serve());
    expect(await counts(dashboard)).toEqual([1, 2]);
  });

  test('The dashboard shows the name that the platform gave, the id and the latest messages.', async () => {
    const { dashboard, bind, instance } = await anEcho({ context: { instance_name: 'my-echo' } });
    const { uri, id } = await bind();
    await send(uri, { message: { a: [1, 2] } });
    const { text, status, type } = await serve().get(dashboard);
    expect([status, type]).toEqual([200, 'text/html']);
    for (const shown of ['<h1>my-echo</h1>', instance.id, id, '{&quot;a&quot;:[1,2]}'])
      expect(text).toContain(shown);
  });

  test('The dashboard shows what strangers sent as text.', async () => {
    const evil = `</code><script>alert("1")</script><img src=x onerror='a'>`;
    const { dashboard, bind } = await anEcho({
      context: { instance_name: evil },
      instanceId: `${evil}${randomUUID()}`,
    });
    await send((await bind(evil)).uri, { message: evil });
    const { text } = await serve().get(dashboard);
    expect(text).not.toMatch(/<script|<img|<\/code><\/code>/i);
    expect(text.match(/&lt;script&gt;/g)?.length).toBeGreaterThanOrEqual(4);
  });

  test('The dashboard keeps the newest messages and counts all.', async () => {
    const { dashboard, bind, instance } = await anEcho({ keep: 3 });
    const { uri } = await bind();
    for (const message of ['m1', 'm2', 'm3', 'm4', 'm5']) await send(uri, { message });
    expect(await counts(dashboard)).toEqual([1, 5]);
    const { latest } = await postgresMessages(database.pool).summarize(instance.id, 50);
    expect(latest.map(({ number, text }) => [number, text])).toEqual([
      [5, '"m5"'],
      [4, '"m4"'],
      [3, '"m3"'],
    ]);
  });

  test('The dashboard counts every message of many that come at once.', async () => {
    const { dashboard, bind, instance } = await anEcho({ keep: 1000 });
    const { uri } = await bind();
    const [one, other] = [serve(), serve()];
    await Promise.all(Array.from({ length: 60 }, (_, i) => send(uri, { message: i }, i % 2 ? one : other)));
    expect(await counts(dashboard)).toEqual([1, 60]);
    const { latest } = await postgresMessages(database.pool).summarize(instance.id, 100);
    expect(latest.map(({ number }) => number)).toEqual(Array.from({ length: 60 }, (_, i) => 60 - i));
    expect(new Set(latest.map(({ text }) => text)).size).toBe(60);
  });

  test('The dashboard is not found without its token, and tells nobody which ids exist.', async () => {
    const [one, other] = [await anEcho(), await anEcho()];
    const { token } = await one.bind();
    const path = `/dashboard/${one.instance.id}`;
    const foreign = other.instance.confidential.secrets['dashboard_token'] ?? '';
    const addresses = [path, `${path}?token=`, `${path}?token=${token}`, `${path}?token=${foreign}`];
    const pages = await Promise.all([...addresses, '/dashboard/nobody?token=x'].map((at) => serve().get(at)));
    expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([404]));
    expect(new Set(pages.map(({ text }) => text)).size).toBe(1);
    expect(pages[0]?.text).toContain('There is no dashboard at this address');
  });

  test('The dashboard may load nothing, run nothing and is stored nowhere.', async () => {
    const { dashboard } = await anEcho();
    for (const address of [dashboard, '/dashboard/nobody']) {
      const { headers, text } = await serve().get(address);
      const [, style = ''] = /<style>([\s\S]*)<\/style>/.exec(text) ?? [];
      const hash = createHash('sha256').update(style).digest('base64');
      expect(headers).toMatchObject({
        'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
      expect(text).not.toMatch(/(src|href|action)=|https?:|@import|url\(/);
    }
  });
});

test.each([
  ['echo', 'Hello World'],
  ['invert', 'dlroW olleH'],
])(
  'What the shipped offering %s gives to users works, on every broker, until it is unbound.',
  async (name, response) => {
    const known = await shippedProvisioners('/nowhere');
    const directory = join(import.meta.dirname, '../../catalog');
    const { catalog = { offerings: [], loadedAt: new Date() } } = await loadCatalog(
      [directory],
      shippedTraits(),
    );
    const broker = aBroker(store, catalog, known);
    const [plan] = catalog.offerings.find((offering) => offering.name === name)?.plans ?? [];
    if (!plan) throw new Error(`There is no offering ${name}.`);
    const instanceId = `an id/${randomUUID()}`;
    const ids = { instanceId, bindingId: 'b 1', offeringId: plan.offeringId, planId: plan.id };
    const command = {
      ...ids,
      parameters: {},
      context: {},
      acceptsIncomplete: false,
      origin: { protocol: 'test' },
    };

    expect(await broker.provision(command)).toMatchObject({ is: 'done' });
    expect(await broker.bind(command)).toMatchObject({ is: 'done' });
    const { credentials } = (await broker.binding(instanceId, 'b 1')).confidential.answer;
    const { uri, token } = credentials as { uri: string; token: string };
    const [address = ''] = uri.split('?');
    const byAddress = await send(uri, { message: 'Hello World' });
    const bearer = { Authorization: `Bearer ${token}` };
    const byToken = await serve().post(address).set(bearer).send({ message: 'Hello World' });
    expect([byAddress.body, byToken.body]).toEqual([{ response }, { response }]);
    const page = await serve().get((await broker.instance(instanceId)).confidential.dashboardUrl ?? '');
    expect(page.text).toContain('<dt>Bindings</dt><dd>1</dd></div>\n<div><dt>Messages</dt><dd>2</dd>');

    expect(await broker.unbind(command)).toMatchObject({ is: 'done' });
    expect((await send(uri, { message: 'x' })).status).toBe(401);
    expect(await broker.deprovision(command)).toMatchObject({ is: 'done' });
  },
);

describe('The memory of an instance', () => {
  test('The memory of an instance goes with it, and the same id begins anew.', async () => {
    const { instance, bind } = await anEcho();
    await send((await bind()).uri, { message: 'x' });
    const current = (await store.findInstance(instance.id))?.instance ?? instance;
    await settle('deprovision', instance.id, { instance: { remove: current } });
    for (const table of ['echo_counts', 'echo_messages']) {
      const { rows } = await database.pool.query(`select 1 from ${table} where instance_id = $1`, [
        instance.id,
      ]);
      expect(rows).toEqual([]);
    }
    const again = await anEcho({ instanceId: instance.id });
    expect((await serve().get(again.dashboard)).text).toContain('<dt>Messages</dt><dd>0</dd>');
  });

  test('The memory of an instance takes no message of an instance that has just gone.', async () => {
    const message = { instanceId: 'gone', bindingId: 'b', text: '1', keep: 10 };
    expect(await postgresMessages(database.pool).add(message)).toBe(false);
  });

  test('The memory of an instance is said to be away with 503 when the database is.', async () => {
    const pool = new pg.Pool({ host: '127.0.0.1', port: 1, user: 'nobody', database: 'nothing' });
    const [messages, away] = [postgresMessages(pool), serve(postgresMessages(pool))];
    const { uri } = await (await anEcho()).bind();
    const { status, body } = await send(uri, { message: 'x' }, away);
    expect([status, body]).toEqual([503, { description: expect.stringContaining('Try again later.') }]);
    await expect(messages.summarize('i', 1)).rejects.toMatchObject({ code: 'unavailable' });
    await pool.end();
  });
});
