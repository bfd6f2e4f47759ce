// Whoever changes something by whichever route leaves one row, and nothing secret in it.
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../../src/broker/key.ts';
import { osb } from '../../../src/protocols/osb/index.ts';
import { operator } from '../../../src/protocols/operator/index.ts';
import { tsuru, type TsuruSettings } from '../../../src/protocols/tsuru/index.ts';
import { auditedRoutes, type Case, made, nameOf, osbPath, type Sent, ticker } from './audited-routes.ts';
import { canary, holds } from '../../faults/canary.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { runProgram } from '../../support/run-program.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';
import { noOffices } from '../../support/no-offices.ts';

const secrets = { parameter: canary('parameter'), argument: canary('argument'), guess: canary('guess') };
const folders = scratchDirectory('audited-folders');
const env = {
  CATALOG_DIR: `test/support/node-catalog:${folders}`,
  NODE_PORTS: '26200-26299',
  TSURU_PASSWORD: 'tsuru-password',
  ASYNC_PATIENCE: '30s',
  BACKUP_DIR: scratchDirectory('audited-backups'),
};
const logins = {
  osb: undefined,
  operator: `operator:${operatorPassword}`,
  tsuru: 'ticker:tsuru-password',
} as const;

let database: TestDatabase;
let broker: WholeBroker;
let orphan: string;
let directory: string;

beforeAll(async () => {
  database = await openTestDatabase();
  directory = scratchDirectory('audit');
  const plans = [{ id: 'folder-one', name: 'one', description: 'One' }];
  const folder = {
    id: 'folder',
    name: 'folder',
    description: 'Directories',
    provisioner: 'directory',
    plans,
  };
  writeFileSync(
    join(folders, 'folder.json'),
    JSON.stringify({ ...folder, credentials: { path: '{{mount.path}}' } }),
  );
  orphan = keyOf('an instance that nobody has');
  mkdirSync(join(directory, 'process', orphan), { recursive: true });
  broker = await startWholeBroker(database, { ...env, NODE_NAME: 'here', NODE_DIR: directory });
});
afterAll(async () => {
  await broker.stop();
  await database.close();
});

type Row = Readonly<Record<string, unknown>>;

async function rowsOf(requestId: string): Promise<readonly Row[]> {
  const asked = 'select * from audit_trail where request_id = $1';
  return (await database.pool.query<Row>(asked, [requestId])).rows;
}

const identity = `cloudfoundry ${Buffer.from('{"user_id":"a-person-by-name"}').toString('base64')}`;

async function send([protocol, method, , path, , , sent = {}]: Case) {
  const requestId = randomUUID();
  const { query } = sent;
  const body = typeof sent.body === 'function' ? sent.body() : sent.body;
  const login = logins[protocol];
  const answer = await broker.ask(method, path(), {
    headers: { 'x-vcap-request-id': requestId, 'x-broker-api-originating-identity': identity },
    ...(query && { query }),
    ...(login && { login }),
    ...(body || method === 'post' ? { body: body ?? {} } : {}),
  });
  return { status: answer.status, requestId };
}

/** What a request that was answered with a 202 has begun. */
async function settled(): Promise<void> {
  await until('nothing is in progress', async () => {
    const { rows } = await database.pool.query(`select id from operations where state = 'in progress'`);
    return rows.length === 0;
  });
}

/** A node that is down; with an instance, it was there when it went. */
async function leaveNode(name: string, instanceId?: string): Promise<void> {
  const other = await startWholeBroker(database, { ...env, NODE_NAME: name });
  if (instanceId) {
    await broker.ask('post', '/operator/nodes/here/drain', { login: logins.operator, body: {} });
    const body = { ...ticker, organization_guid: 'o', space_guid: 's' };
    expect((await other.ask('put', `${osbPath}/${instanceId}`, { body })).status).toBe(201);
    await broker.ask('post', '/operator/nodes/here/undrain', { login: logins.operator, body: {} });
    const { status } = await other.ask('post', `/operator/instances/${instanceId}/actions/stop`, {
      login: logins.operator,
      body: {},
    });
    expect([200, 202]).toContain(status);
    await settled();
  }
  await other.stop();
  await database.pool.query(`update nodes set beat_at = now() - interval '1 minute' where name = $1`, [name]);
}

async function make(id: string, bindingId?: string): Promise<void> {
  expect((await broker.ask('put', `${osbPath}/${id}`, { body: made })).status).toBe(201);
  if (bindingId === undefined) return;
  const bound = await broker.ask('put', `${osbPath}/${id}/service_bindings/${bindingId}`, { body: ticker });
  expect(bound.status).toBe(201);
}

/** As if that had been asked for, and had failed, or were due in an hour. */
async function copyOperation(instanceId: string, id: string, kind: string, state: string): Promise<void> {
  await make(instanceId);
  await database.pool.query(
    `insert into operations (id, kind, instance_id, offering_id, plan_id, node, state, attempt, failures, failure,
       origin, confidential, finished_at, due_at, deadline)
     select $2, $3, instance_id, offering_id, plan_id, node, $4, 1, 0,
       case when $4 = 'failed' then '{"word":"w","sentence":"s"}'::json end, origin, '{}',
       case when $4 = 'failed' then now() end, now() + interval '1 hour', now() + interval '2 hours'
     from operations where instance_id = $1`,
    [instanceId, id, kind, state],
  );
  if (state === 'in progress')
    await database.pool.query('update service_instances set operation_id = $2 where id = $1', [
      instanceId,
      id,
    ]);
}

/** As if its plan had been another one when it was made. */
async function makeDrifted(): Promise<void> {
  await database.pool.query(
    `insert into plan_revisions (revision, offering_id, plan_id, definition)
    select 'of-old', offering_id, plan_id, definition from plan_revisions where plan_id = $1 limit 1`,
    [ticker.plan_id],
  );
  await database.pool.query(`update service_instances set revision = 'of-old' where id = 'i1'`);
}

async function makeUpgrades(id: string, state: string): Promise<void> {
  await database.pool.query(
    `insert into upgrade_runs (id, state, filter, canaries, at_once, stop_after, watch_ms, approval, origin, due_at)
     values ($1, $2, '{}', 0, 1, 1, 0, false, '{}', now() + interval '1 hour')`,
    [id, state],
  );
  await database.pool.query(
    `insert into upgrade_items (run_id, position, instance_id, state) values ($1, 1, $1, 'waiting')`,
    [id],
  );
}

async function makeDead(receiver: string): Promise<void> {
  await database.pool.query(`insert into webhook_receivers (name, target) values ($1, 'http://nowhere')`, [
    receiver,
  ]);
  await database.pool.query(
    `insert into webhook_deliveries (receiver, event, data, state) values ($1, 'operation.failed', '{}', 'dead')`,
    [receiver],
  );
}

async function makeFinal(): Promise<void> {
  suspect = await until('the orphan is seen', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select name from orphan_suspects where node = 'here'`,
    );
    return rows[0]?.name;
  });
  await database.pool.query(`update orphan_suspects set first_seen_at = first_seen_at - interval '301 s'`);
}

async function findBackup(): Promise<void> {
  const { rows } = await database.pool.query<{ id: string }>('select id from backups');
  backup = rows[0]?.id ?? '';
}

let suspect = '';
let backup = '';
const cases = auditedRoutes({
  failed: (instanceId, id) => copyOperation(instanceId, id, 'deprovision', 'failed'),
  waiting: (instanceId, id) => copyOperation(instanceId, id, 'stop', 'in progress'),
  instance: make,
  drift: makeDrifted,
  async deleted(id) {
    await make(id);
    await database.pool.query(
      `update service_instances set kept_until = now() + interval '1 day' where id = $1`,
      [id],
    );
  },
  upgrades: makeUpgrades,
  dead: makeDead,
  binding: () => broker.ask('put', `${osbPath}/i1/service_bindings/b2`, { body: ticker }),
  leftNode: leaveNode,
  finalOrphan: makeFinal,
  orphan: () => ({ provisioner: 'process', node: 'here', name: suspect }),
  argument: secrets.argument,
  findBackup,
  backup: () => backup,
  folder() {
    const path = join(directory, 'directory', keyOf('a directory that nobody has'));
    mkdirSync(join(path, 'data'), { recursive: true });
    return `directory ${path}`;
  },
});

test('Every route that changes something, or looks into a log, leaves exactly one row, with who asked, for what and its end', async () => {
  for (const one of cases) {
    const [protocol, , , , verb, object, { before, status = 200 } = {}] = one;
    await before?.();
    const sent = await send(one);
    const ok = sent.status === 202 ? 200 : sent.status;
    expect({ what: nameOf(one), status: ok }).toEqual({ what: nameOf(one), status });
    await settled();
    const rows = await rowsOf(sent.requestId);
    expect({ what: nameOf(one), count: rows.length }).toEqual({ what: nameOf(one), count: 1 });
    const [row = {}] = rows;
    const user = { osb: 'broker', operator: 'operator', tsuru: 'ticker' }[protocol];
    expect(row).toMatchObject({ verb, protocol, principal: user, outcome: 'succeeded' });
    if (object !== '') expect(row['object_id'] ?? row['instance_id']).toBe(object);
  }
});

test('No route that changes something is missing in the table of those that leave a row', () => {
  const protocols = [
    osb({} as never, { acceptMissingVersion: false }),
    operator({} as never, {} as never, {
      offices: noOffices,
      logins: [],
    }),
    tsuru({ logins: {} } as unknown as TsuruSettings),
  ];
  const changing = protocols
    .flatMap(({ routes }) => routes)
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method.toLowerCase()} ${path}`);
  expect(new Set(changing)).toEqual(new Set(cases.map(nameOf).filter((name) => !name.startsWith('get '))));
});

test('A request that changes nothing, and one that is refused, leave no row', async () => {
  const body = { ...made, plan_id: 'unknown' };
  const repeated: Sent = { body: made };
  const put = (id: string, sent: Sent): Case => ['osb', 'put', '', () => `${osbPath}/${id}`, '', '', sent];
  expect((await rowsOf((await send(put('n1', repeated))).requestId)).length).toBe(1);
  const again = await send(put('n1', repeated));
  const refused = await send(put('n2', { body }));
  const absent = await send(['osb', 'delete', '', () => `${osbPath}/n2`, '', '', { query: ticker }]);
  expect([again.status, refused.status, absent.status]).toEqual([200, 400, 410]);
  for (const { requestId } of [again, refused, absent]) expect(await rowsOf(requestId)).toEqual([]);
  await send(['osb', 'delete', '', () => `${osbPath}/n1`, '', '', { query: ticker }]);
  await settled();
});

test('A command and a log that were refused have a row that says why', async () => {
  const exec = { body: { command: ['true'] } };
  const { requestId, status } = await send([
    'operator',
    'post',
    '',
    () => '/operator/instances/none/exec',
    '',
    '',
    exec,
  ]);
  expect(status).toBe(404);
  expect(await rowsOf(requestId)).toMatchObject([
    { verb: 'exec', instance_id: 'none', outcome: 'refused', reason: 'not-found' },
  ]);
});

async function audit(
  query: Readonly<Record<string, string>>,
): Promise<{ entries: readonly Row[]; next?: string }> {
  const { status, body } = await broker.ask('get', '/operator/audit', { login: logins.operator, query });
  expect(status).toBe(200);
  return body as Awaited<ReturnType<typeof audit>>;
}

test('A failed login has a row, and many of them have few', async () => {
  const guess = (user: string) => broker.ask('get', '/v2/catalog', { login: `${user}:${secrets.guess}` });
  for (let tries = 0; tries < 3; tries += 1) expect((await guess('broker')).status).toBe(401);
  await Promise.all(Array.from({ length: 40 }, (_, n) => guess(`user-${n}`)));
  const { entries } = await audit({ verb: 'login', limit: '1000' });
  const own = entries.find(({ principal }) => principal === 'broker');
  expect(own).toMatchObject({
    protocol: 'osb',
    kind: 'login',
    outcome: 'refused',
    address: expect.any(String),
    after: { tries: expect.any(Number) },
  });
  expect(entries.length).toBeLessThan(43);
  expect(entries.some(({ principal }) => String(principal).startsWith('unknown-'))).toBe(true);
});

test('Operators read who asked, by filters and page by page', async () => {
  const { entries } = await audit({ instance: 'i1', verb: 'provision' });
  expect(entries).toMatchObject([
    {
      kind: 'instance',
      object_id: 'i1',
      identity: { platform: 'cloudfoundry', value: { user_id: 'a-person-by-name' } },
      after: { offering: 'ticker', plan: 'one', parameters: [] },
    },
  ]);
  const all = (await audit({ instance: 'i1', limit: '1000' })).entries.map(({ id }) => id);
  const read: unknown[] = [];
  let after: string | undefined;
  do {
    const page = await audit({ instance: 'i1', limit: '3', ...(after && { after }) });
    read.push(...page.entries.map(({ id }) => id));
    after = page.next;
  } while (after);
  expect(read).toEqual(all);
  expect(await audit({ object: 'here', verb: 'drain', outcome: 'failed' })).toEqual({ entries: [] });
});

test.each([
  ['verb', 'dance', 'verb must be one of provision, '],
  ['outcome', 'good', 'outcome must be one of succeeded, failed, refused.'],
  ['since', 'yesterday', 'since must be a time such as 2026-01-31 '],
  ['until', '2026-13-41', 'until must be a time such as '],
  ['limit', '1001', 'limit must be a whole number from 1 to 1000.'],
])('The audit trail refuses the filter %s=%s', async (field, value, sentence) => {
  const query = { [field]: value };
  const { status, body } = await broker.ask('get', '/operator/audit', { login: logins.operator, query });
  expect(status).toBe(400);
  expect(body).toMatchObject({ field, description: expect.stringContaining(sentence) });
});

test('The login of a platform does not open the audit trail', async () => {
  expect((await broker.ask('get', '/operator/audit')).status).toBe(401);
});

async function run(words: string): Promise<string> {
  const { port } = new URL(broker.url);
  const { ended } = runProgram(words.split(' '), { PORT: port, OPERATOR_PASSWORD: operatorPassword });
  const { code, output, errors } = await ended;
  expect({ words, code, errors }).toEqual({ words, code: 0, errors: '' });
  return output;
}

test('The commands show the trail as a table, and write all of it as JSON lines, the oldest first', async () => {
  expect(await run('audit --object here --verb drain --until 2999-01-01')).toMatch(
    /^TIME +WHO +VERB +OBJECT +OUTCOME +CHANGE\n\S+Z +operator:operator +drain +here +succeeded +-\n/,
  );
  expect(await run('audit --object nothing')).toBe('There is nothing to show.\n');
  const lines = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
  const [latest] = lines(await run('audit --instance i1 --limit 1 --json'));
  expect(latest).toMatchObject({ verb: 'deprovision', object_id: 'i1', outcome: 'succeeded' });
  const exported = lines(await run('audit export'));
  const { rows } = await database.pool.query('select id from audit_trail order by at, id');
  expect(exported.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
});

test('No secret, and no person by name, is in any row', async () => {
  const { rows } = await database.pool.query('select to_json(a)::text as text from audit_trail a');
  const text = rows.map((row) => String(row.text)).join('\n');
  for (const [name, secret] of Object.entries(secrets))
    expect({ name, found: holds(text, secret) }).toEqual({ name, found: false });
  expect(text).not.toContain('a-person-by-name');
});
