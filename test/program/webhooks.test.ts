import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readReceivers } from '../../src/program/webhooks/read.ts';
import { createAuthority, describeTls } from '../support/certificates.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { requireDescribed } from '../support/described-answers.ts';
import { runProgram } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';

/** What happens is told to receivers, signed, at least once, and by whichever broker lives. */

const scratch = scratchDirectory('webhooks');
const catalogDir = join(scratch, 'catalog');
const file = join(scratch, 'webhooks.yaml');
const login = `operator:${operatorPassword}`;
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const [first, second] = [newSecret(), newSecret()];
const offering = '5f0e3f55-7a51-4a4e-9f0b-0000000000b0';
const ids = (plan: string) => ({ service_id: offering, plan_id: `${offering.slice(0, -2)}${plan}` });

interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let database: TestDatabase;
let receiver: Server;
let brokers: readonly WholeBroker[] = [];
const got: Got[] = [];
/** By path: the status that is answered; absent: none, it hangs. */
const answers = new Map<string, number>();

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      got.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString() });
      const status = answers.get(path);
      if (status !== undefined) response.writeHead(status, { location: '/all' }).end('x'.repeat(100_000));
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  for (const path of ['/all', '/failed']) answers.set(path, 204);
  answers.set('/moved', 302);
  answers.set('/broken', 500);
  const at = (path: string) => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}${path}`;
  const secrets = [first];
  writeFileSync(
    file,
    JSON.stringify({
      receivers: [
        { name: 'all', url: at('/all'), secrets: [first, second] },
        { name: 'failed', url: at('/failed'), secrets, events: ['operation.failed'], offerings: ['thing'] },
        { name: 'others', url: at('/others'), secrets, offerings: ['unknown'] },
        { name: 'hanging', url: at('/hanging'), secrets },
        { name: 'moved', url: at('/moved'), secrets, events: ['operation.failed'] },
        { name: 'broken', url: at('/broken'), secrets, events: ['operation.failed'] },
      ],
    }),
  );
  mkdirSync(catalogDir);
  const catalog = join(catalogDir, 'thing.yaml');
  writeFileSync(
    catalog,
    JSON.stringify({
      id: offering,
      name: 'thing',
      description: 'Something.',
      provisioner: 'faulty',
      plans: [
        { ...ids('01'), id: ids('01').plan_id, name: 'good', description: 'One.' },
        {
          id: ids('02').plan_id,
          name: 'bad',
          description: 'One.',
          with: { provision: { fails: 'It is broken.' } },
        },
      ].map(({ id, name, description, ...rest }) => ({
        id,
        name,
        description,
        ...('with' in rest && { with: rest.with }),
      })),
      secrets: { password: { length: 32 } },
      credentials: { password: '{{secrets.password}}' },
    }),
  );
  database = await openTestDatabase();
  const env = { CATALOG_DIR: catalogDir, WEBHOOKS_FILE: file };
  brokers = [await startWholeBroker(database, env), await startWholeBroker(database, env)];
});
afterAll(async () => {
  receiver.closeAllConnections();
  for (const broker of brokers) await broker.stop();
  receiver.closeAllConnections();
  receiver.close();
  await database.close();
});

function ask(method: 'get' | 'put' | 'post', path: string, asked: object = {}) {
  const [broker] = brokers;
  if (!broker) throw new Error('There is no broker.');
  return broker.ask(method, path, asked);
}

async function provision(id: string, plan: '01' | '02'): Promise<void> {
  const body = { ...ids(plan), organization_guid: 'o', space_guid: 's' };
  const { status } = await ask('put', `/v2/service_instances/${id}`, { body });
  expect(status).toBe(plan === '01' ? 201 : 500);
}

interface Said {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const said = ({ body }: Got) => JSON.parse(body) as Said;

function told(path: string, id: string): Promise<Got> {
  return until(`${path} is told of ${id}`, () =>
    got.find((one) => one.path === path && said(one).data['instance_id'] === id),
  );
}

test('The end of an operation is told once it is written, signed by each secret, with names and without a secret', async () => {
  await provision('told', '01');
  const { status } = await ask('put', '/v2/service_instances/told/service_bindings/b', { body: ids('01') });
  expect(status).toBe(201);
  const one = await told('/all', 'told');
  expect(said(one)).toMatchObject({
    type: 'operation.succeeded',
    data: {
      kind: 'provision',
      state: 'succeeded',
      instance_id: 'told',
      binding_id: null,
      offering: 'thing',
      plan: 'good',
      failure: null,
      protocol: 'osb',
    },
  });
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures } = one.headers;
  const expected = [first, second].map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    return `v1,${createHmac('sha256', key)
      .update(`${String(id)}.${String(seconds)}.${one.body}`)
      .digest('base64')}`;
  });
  expect(String(signatures).split(' ')).toEqual(expected);
  expect(Math.abs(Date.now() / 1000 - Number(seconds))).toBeLessThan(300);
  await until('the binding is told', () => got.some((other) => said(other).data['binding_id'] === 'b'));
  const { rows } = await database.pool.query<{ data: object }>('select data from webhook_deliveries');
  expect(JSON.stringify([got.map(said), rows])).not.toMatch(/password|credentials|secret/);
  expect(brokers.map((broker) => broker.output()).join('')).not.toContain(first);
});

test('A receiver is told of its events and offerings alone, and one that hangs holds up no other', async () => {
  await provision('fails', '02');
  const one = await told('/failed', 'fails');
  const failure = { word: expect.any(String) as string, sentence: 'It is broken.' };
  expect(said(one)).toMatchObject({ type: 'operation.failed', data: { state: 'failed', failure } });
  await told('/hanging', 'fails');
  await told('/all', 'fails');
  expect(
    got.filter(({ path }) => path === '/failed').every((other) => said(other).type === 'operation.failed'),
  ).toBe(true);
  expect(got.filter(({ path }) => path === '/others')).toEqual([]);
});

test('What was not taken, or led elsewhere, is told again under its id, then given up, and told again when an operator wants it', async () => {
  await provision('again', '02');
  const one = await told('/broken', 'again');
  await told('/moved', 'again');
  const row = (id: unknown) =>
    database.pool.query<{ state: string; trouble: string | null }>(
      'select * from webhook_deliveries where id = $1',
      [id],
    );
  const failed = await until('it is written that it failed', async () =>
    (await row(one.headers['webhook-id'])).rows.find((found) => found.trouble !== null),
  );
  expect(failed.trouble).toBe('It answered with status 500.');
  const listed = await ask('get', '/operator/webhooks', { login });
  requireDescribed({
    method: 'get',
    path: '/operator/webhooks',
    status: listed.status,
    body: listed.body as object,
  });
  expect((listed.body as { webhooks: readonly object[] }).webhooks).toMatchObject([
    { name: 'all' },
    {
      name: 'broken',
      target: /^http:\/\/127[^/]+$/.exec(
        String((listed.body as { webhooks: readonly { target: string }[] }).webhooks[1]?.target),
      )?.[0],
      trouble: 'It answered with status 500.',
    },
    {},
    {},
    {},
    {},
  ]);
  // As if its day were over.
  await database.pool.query(
    "update webhook_deliveries set since = now() - interval '1 day', due_at = now() where receiver = 'broken'",
  );
  const dead = await until('it is given up', async () => {
    const answer = await ask('get', '/operator/webhooks/broken/dead', { login });
    requireDescribed({
      method: 'get',
      path: '/operator/webhooks/:receiver/dead',
      status: answer.status,
      body: answer.body as object,
    });
    return (answer.body as { messages: readonly { id: string; instance_id: string }[] }).messages.find(
      (message) => message.instance_id === 'again',
    );
  });
  expect(dead.id).toBe(one.headers['webhook-id']);
  answers.set('/broken', 200);
  const env = { PORT: new URL(brokers[1]?.url ?? '').port, OPERATOR_PASSWORD: operatorPassword };
  const words = ['webhooks', 'retry', 'broken', '--message', dead.id];
  expect(await runProgram(words, env).ended).toEqual({ code: 0, output: 'Told again: 1.\n', errors: '' });
  await until('it is taken', async () => (await row(dead.id)).rows.length === 0);
  const tries = got.filter(({ headers }) => headers['webhook-id'] === dead.id);
  expect(tries.length).toBeGreaterThan(2);
  expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
  const trail = await database.pool.query("select verb, outcome from audit_trail where object_id = 'broken'");
  expect(trail.rows).toEqual([{ verb: 'retry-webhooks', outcome: 'succeeded' }]);
  expect((await ask('get', '/operator/webhooks/unknown/dead', { login })).status).toBe(404);
  expect((await runProgram(['webhooks'], env).ended).output).toMatch(
    /^RECEIVER +TOLD AT[^]*\nhanging +http:\/\/127/,
  );
});

test('What a broker was telling when it died is told by another, and a change of status is told', async () => {
  await provision('changes', '01');
  await told('/all', 'changes');
  const seen = (status: string) =>
    JSON.stringify({ units: [{ unit: 'main', status, reason: `It is ${status}.` }] });
  const write = (status: string) =>
    database.pool.query(
      `insert into instance_checks (instance_id, due_at, seen) values ('changes', now() + interval '1 day', $1)
       on conflict (instance_id) do update set seen = excluded.seen`,
      [seen(status)],
    );
  for (const status of ['started', 'started', 'error']) await write(status);
  const one = await until('it is told', () =>
    got.find((other) => other.path === '/all' && said(other).type === 'instance.status'),
  );
  expect(said(one).data).toMatchObject({
    instance_id: 'changes',
    from: 'started',
    to: 'error',
    reason: 'It is error.',
    offering: 'thing',
  });
  await database.pool.query(
    `insert into webhook_deliveries (receiver, event, data, tries, holder, due_at)
     values ('all', 'operation.succeeded', '{"instance_id":"of-a-dead-one"}', 1, 'a dead one', now() + interval '2 s')`,
  );
  await told('/all', 'of-a-dead-one');
});

describeTls('Receivers that speak TLS', () => {
  test('A receiver with an authority of its own is told from when it stands in the file, and nobody is told by a wrong one.', async () => {
    const [authority, other] = [createAuthority('Receivers'), createAuthority('Others')];
    const { cert, key } = authority.issue();
    const seen: string[] = [];
    const secure = createSecureServer({ cert, key }, (request, response) => {
      request.on('data', (chunk: Buffer) => seen.push(chunk.toString()));
      request.on('end', () => response.writeHead(204).end());
    }).listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/secure`;
    const others = JSON.parse(readFileSync(file, 'utf8')) as { receivers: readonly object[] };
    const secret = newSecret();
    const put = (ca: string) => {
      const receiver = { name: 'secure', url, secrets: [secret], events: ['operation.succeeded'], ca };
      writeFileSync(`${file}.new`, JSON.stringify({ receivers: [...others.receivers, receiver] }));
      renameSync(`${file}.new`, file);
    };
    const output = () => brokers.map((broker) => broker.output()).join('');
    const registered = () => database.pool.query("select from webhook_receivers where name = 'secure'");
    try {
      put(other.certFile);
      await until('the receiver is known', async () => (await registered()).rows.length === 1);
      await provision('secure', '01');
      const failed = await until('it was tried', async () => {
        const { rows } = await database.pool.query<{ trouble: string | null }>(
          "select trouble from webhook_deliveries where receiver = 'secure' and trouble is not null",
        );
        return rows[0]?.trouble ?? undefined;
      });
      expect(failed).toMatch(/^It could not be told: UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
      expect(seen).toEqual([]);
      const before = brokers.map((broker) => broker.output().length);
      put(authority.certFile);
      // Whichever broker tells it does so by the right one.
      await until('all have read it', () =>
        brokers.every((broker, index) => broker.output().slice(before[index]).includes('receivers loaded')),
      );
      await database.pool.query("update webhook_deliveries set due_at = now() where receiver = 'secure'");
      await until('it is told', () => seen.join('').includes('"instance_id":"secure"'));
      writeFileSync(file, '{"receivers": [{"name": "secure"}]}');
      await until('it is refused', () => output().includes('The receivers from before stay in use.'));
      await provision('later', '01');
      await until('it is told still', () => seen.join('').includes('"instance_id":"later"'));
      expect(output()).not.toContain(secret);
    } finally {
      writeFileSync(file, JSON.stringify(others));
      secure.closeAllConnections();
      secure.close();
    }
  });
});

test('Where no broker has a receiver nothing is written, and what none has had for a day is forgotten', async () => {
  const other = await openTestDatabase();
  const broker = await startWholeBroker(other, { CATALOG_DIR: catalogDir });
  const enabled = async () =>
    (
      await other.pool.query(
        "select tgname from pg_trigger where tgname like 'webhooks_%' and tgenabled <> 'D' and tgrelid in ('operations'::regclass, 'instance_checks'::regclass)",
      )
    ).rows.length;
  expect(await enabled()).toBe(0);
  await broker.stop();
  const told = await startWholeBroker(other, { CATALOG_DIR: catalogDir, WEBHOOKS_FILE: file });
  expect(await enabled()).toBe(3);
  await told.stop();
  await other.pool.query("update webhook_receivers set seen_at = now() - interval '25 hours'");
  await (await startWholeBroker(other, { CATALOG_DIR: catalogDir })).stop();
  expect([await enabled(), (await other.pool.query('select from webhook_receivers')).rows.length]).toEqual([
    0, 0,
  ]);
  await other.close();
});

test.each<[what: string, content: unknown, sentence: RegExp]>([
  ['no list', {}, /receivers.*This must be a list/],
  [
    'an unknown key',
    { receivers: [{ name: 'a', url: 'https://a', secrets: [first], secret: 'x' }] },
    /no such key/,
  ],
  ['no secret', { receivers: [{ name: 'a', url: 'https://a' }] }, /secrets.*one or two secrets/],
  [
    'a secret of another form',
    { receivers: [{ name: 'a', url: 'https://a', secrets: ['a-canary'] }] },
    /one or two secrets/,
  ],
  [
    'an unknown event',
    { receivers: [{ name: 'a', url: 'https://a', secrets: [first], events: ['x'] }] },
    /operation\.succeeded/,
  ],
  [
    'an address of another kind',
    { receivers: [{ name: 'a', url: 'ftp://a', secrets: [first] }] },
    /https or http/,
  ],
  [
    'a name that stands twice',
    { receivers: [1, 2].map(() => ({ name: 'a', url: 'https://a', secrets: [first] })) },
    /stands twice/,
  ],
  [
    'an authority that is not there',
    { receivers: [{ name: 'a', url: 'https://a', secrets: [first], ca: 'none.pem' }] },
    /ca.*ENOENT/,
  ],
])(
  'A file of receivers with %s is refused with a sentence, and no secret in it',
  (_what, content, sentence) => {
    const wrong = join(scratch, 'wrong.json');
    writeFileSync(wrong, JSON.stringify(content));
    const log = { note: () => undefined, hide: () => undefined };
    const read = () => readReceivers(wrong, readFileSync(wrong), log);
    expect(read).toThrow(/^WEBHOOKS_FILE cannot be used\./);
    expect(read).toThrow(sentence);
    expect(read).not.toThrow(/canary|whsec_[A-Za-z0-9]/);
  },
);
