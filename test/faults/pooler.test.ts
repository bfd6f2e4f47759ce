// Brokers behind a real PgBouncer, which gives a session to somebody else after each transaction.
import { join } from 'node:path';
import type { Pool } from 'pg';
import { openPool } from '../../src/postgres/connections.ts';
import { openWholeDatabase, type WholeDatabase } from '../support/database.ts';
import { runProgram } from '../support/run-program.ts';
import { aTestPooler, whyNoPooler, type TestPooler } from '../support/pooler.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import {
  environmentOf,
  startBrokerProcess,
  type Answer,
  type BrokerProcess,
  type Shared,
} from './broker-process.ts';
import { offeringId, quick, writeOffering } from './offering.ts';
import { fateOf, looksOf, request, success, type Subject } from './subject.ts';
import { thingsIn } from './things.ts';

const why = whyNoPooler();
const describeIt = why === undefined ? describe : describe.skip;
const sessions = 3;
const scratch = scratchDirectory('pooled');

let database: WholeDatabase;
/** The same without the pooler. */
let pool: Pool;
let pooler: TestPooler;
const brokers: BrokerProcess[] = [];
let one: BrokerProcess;
let two: BrokerProcess;

const shared: Shared = {
  database: { config: {}, schema: 'public' },
  dataDir: join(scratch, 'data'),
  catalogDir: `catalog:${join(scratch, 'offerings')}`,
};

async function start(broker: string, env: Readonly<Record<string, string>> = {}): Promise<BrokerProcess> {
  const through = { DATABASE_URL: `${pooler.url}?application_name=${broker}`, LEASE: '4s' };
  const started = await startBrokerProcess(broker, shared, { ...through, ...env });
  brokers.push(started);
  return started;
}

async function openAll(): Promise<void> {
  writeOffering(scratch, [
    { id: 'steps', with: { provision: { steps: 2, each: '200ms' }, bind: { takes: '100ms' } } },
    { id: 'held', with: { provision: { steps: 3, each: '2s' } } },
    { id: 'endless', with: { provision: { takes: '10m' } } },
  ]);
  database = await openWholeDatabase();
  pool = openPool({ connectionString: database.url, max: 2 });
  pooler = await aTestPooler(database.url, {
    pool_mode: 'transaction',
    default_pool_size: sessions,
    max_client_conn: 200,
  });
  // All of them find no tables.
  [one, two] = await Promise.all([
    start('one'),
    start('two'),
    start('unprepared', { DATABASE_PREPARE: 'false' }),
  ]);
}

async function closeAll(): Promise<void> {
  for (const { signal, ended } of brokers) {
    signal('SIGKILL');
    await ended;
  }
  await pooler?.kill();
  await pool?.end();
  await database?.close();
}

const sold = {
  echo: { service_id: 'echo_service', plan_id: 'big_0001' },
  slow: { service_id: offeringId, plan_id: 'steps' },
  quick: { service_id: offeringId, plan_id: quick },
} as const;
type Sold = keyof typeof sold;

/** What a platform asks, each time of another broker; it asks again only where it is told to. */
function aPlatform(first: number) {
  let turn = first;
  let sentAway = 0;

  async function ask(method: string, path: string, body?: object): Promise<Answer> {
    turn += 1;
    const [broker] = brokers.slice(turn % brokers.length);
    if (!broker) throw new Error('There is no broker.');
    const told = await broker.ask(method, path, body);
    if (told.status === 503) sentAway += 1;
    return told;
  }
  async function carryOut(method: string, path: string, body?: object): Promise<Answer> {
    return until(`${method} ${path} is done`, async () => {
      const told = await ask(method, path, body);
      if (told.status === 202) return untilOver(path);
      return told.status === 503 || told.body['error'] === 'ConcurrencyError' ? undefined : told;
    });
  }
  /** Gives how it has ended. */
  function untilOver(path: string): Promise<Answer> {
    const [bare = ''] = path.split('?');
    return until(`the operation on ${bare} is over`, async () => {
      const told = await ask('GET', `${bare}/last_operation`);
      return told.status === 503 || told.body['state'] === 'in progress' ? undefined : told;
    });
  }
  return { carryOut, sentAway: () => sentAway };
}

/**
 * An instance with a binding from its first request to its last.
 * @returns how often a broker could not reach the database
 */
async function live(what: Sold, number: number): Promise<number> {
  const { carryOut, sentAway } = aPlatform(number);
  const ids = sold[what];
  const query = new URLSearchParams({ ...ids, accepts_incomplete: 'true' }).toString();
  const path = `/v2/service_instances/${what}-${number}`;
  const binding = `${path}/service_bindings/b`;
  const asked = what === 'echo' ? {} : { parameters: { size: 1 + (number % 10) } };
  const made = { ...ids, ...asked, organization_guid: 'o', space_guid: 's' };
  expect([200, 201]).toContain((await carryOut('PUT', `${path}?${query}`, made)).status);
  expect(await carryOut('PUT', `${path}?${query}`, made)).toMatchObject({ status: 200 });
  expect([200, 201]).toContain((await carryOut('PUT', `${binding}?${query}`, ids)).status);
  expect(await carryOut('GET', path)).toMatchObject({ status: 200, body: { ...ids, ...asked } });
  const { body } = await carryOut('GET', binding);
  if (what === 'echo') await say(body['credentials'] as { uri: string }, `hello ${number}`);
  // Gone already where the answer was lost.
  expect([200, 410]).toContain((await carryOut('DELETE', `${binding}?${query}`)).status);
  expect([200, 410]).toContain((await carryOut('DELETE', `${path}?${query}`)).status);
  expect((await carryOut('GET', path)).status).toBe(404);
  return sentAway();
}

async function say({ uri }: { readonly uri: string }, message: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await until('the echo is there', async () => {
    const told = await fetch(uri, { method: 'POST', headers, body: JSON.stringify({ message }) });
    return told.status === 503 ? undefined : told;
  });
  expect(await answer.json()).toMatchObject({ response: message });
}

/** So many of each that is sold, beside each other. */
async function liveAll(first: number, count: number): Promise<number> {
  const numbers = Array.from({ length: count }, (_, n) => first + n);
  const each = (Object.keys(sold) as Sold[]).flatMap((what) => numbers.map((number) => live(what, number)));
  return (await Promise.all(each)).reduce((sum, one) => sum + one, 0);
}

/** While the work goes on, all sessions of the pooler are replaced again and again; gives how often. */
async function replacing(work: Promise<unknown>): Promise<number> {
  let isOver = false;
  let times = 0;
  const done = work.finally(() => (isOver = true));
  done.catch(() => undefined);
  while (!isOver) {
    await pooler.command('reconnect');
    times += 1;
    await until('all sessions are new', async () => isOver || (await newSessions()) === sessions);
  }
  await done;
  return times;
}

/** Open, and neither about to end nor only beginning. */
async function newSessions(): Promise<number> {
  return (await pooler.command('show servers')).filter(
    ({ database: of, state, close_needed: ends }) =>
      of === database.name && ends === 0 && /^(active|idle|used)$/.test(String(state)),
  ).length;
}

/** Nothing is there any more, and everything was done once: one operation of each kind for each life. */
async function requireDoneOnce(first: number, count: number): Promise<void> {
  const ids = (Object.keys(sold) as Sold[]).flatMap((what) =>
    Array.from({ length: count }, (_, n) => `${what}-${first + n}`),
  );
  const { rows } = await pool.query(
    `select kind, state, count(*)::integer as count from operations
      where instance_id = any ($1) group by 1, 2 order by 1`,
    [ids],
  );
  expect(rows).toEqual(
    ['bind', 'deprovision', 'provision', 'unbind'].map((kind) => ({
      kind,
      state: 'succeeded',
      count: ids.length,
    })),
  );
  expect(await thingsIn({ pool })).toEqual([]);
}

/** Why it could not answer requests, but for a machine that is so slow that it took too long. */
function troublesOf(broker: BrokerProcess): readonly unknown[] {
  const failed = broker.lines().filter((line) => 'status' in line && line.status === 503);
  return failed.filter((line) => 'detail' in line && !/timeout/.test(String(line.detail)));
}

function timesNamesWereLost(broker: BrokerProcess): number {
  return broker.lines().filter((line) => 'doing' in line && line.doing === 'keeping statements prepared')
    .length;
}

describeIt(`Brokers behind a pooler${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  beforeAll(openAll);
  afterAll(closeAll);

  test('Behind a pooler of three sessions brokers that started at once make and remove everything once, while its sessions are replaced.', async () => {
    const replaced = await replacing(liveAll(0, 5));
    expect(brokers.flatMap(troublesOf)).toEqual([]);
    expect(replaced).toBeGreaterThan(2);
    await requireDoneOnce(0, 5);
    const clients = (await pooler.command('show clients')).filter((one) => one['database'] === database.name);
    expect(clients.length).toBeGreaterThan(sessions);
  });

  test('Behind a pooler brokers notice once that names are lost; one that prepares nothing has none to lose.', () => {
    const lost = brokers.map((broker) => [broker.name, timesNamesWereLost(broker)]);
    expect(Object.fromEntries(lost)).toEqual({ one: 1, two: 1, unprepared: 0 });
  });

  test('Behind a pooler each of many who ask at once hears of its own instance.', async () => {
    const subjects = Array.from({ length: 10 }, (_, n): Subject => ({
      id: `read-${n}`,
      kind: 'provision',
      plan: quick,
    }));
    for (const [n, { id }] of subjects.entries()) {
      const body = { ...sold.quick, organization_guid: 'o', space_guid: 's', parameters: { size: n + 1 } };
      expect((await one.ask('PUT', `/v2/service_instances/${id}`, body)).status).toBe(201);
    }
    const times = Array.from({ length: 10 }, () => subjects).flat();
    await replacing(
      Promise.all(
        brokers.flatMap((broker) =>
          times.map(async ({ id }, n) => {
            const told = await until('it is told', async () => {
              const answer = await broker.ask('GET', `/v2/service_instances/${id}`);
              return answer.status === 503 ? undefined : answer;
            });
            expect(told).toMatchObject({ status: 200, body: { parameters: { size: (n % 10) + 1 } } });
          }),
        ),
      ),
    );
    for (const subject of subjects)
      expect((await request(one, { ...subject, kind: 'deprovision' })).status).toBe(200);
  });

  test('Behind a pooler, where brokers do not hear each other, what one is making is removed by another.', async () => {
    const subject: Subject = { id: 'endless', kind: 'provision', plan: 'endless' };
    const given = request(one, subject);
    await until('it is being made', async () => {
      return (await looksOf(two, subject)).lastOperation.body['state'] === 'in progress';
    });
    const removal: Subject = { ...subject, kind: 'deprovision' };
    expect((await request(two, removal)).status).toBe(200);
    expect(await given).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
    expect(await fateOf(one, removal)).toMatchObject(success.deprovision.fate);
    expect(await thingsIn({ pool })).toEqual([]);
  });

  test('A pooler that is killed and comes back costs no more than being asked to come again.', async () => {
    const lives = liveAll(100, 4);
    lives.catch(() => undefined);
    await until('they are at work', async () => {
      const { rows } = await pool.query(`select from operations where state = 'in progress'`);
      return rows.length > 0;
    });
    await pooler.kill();
    for (const broker of brokers) {
      const { status, body } = await broker.ask('GET', '/v2/service_instances/quick-100');
      expect([status, body['error']]).toEqual([503, 'ServiceUnavailable']);
    }
    await pooler.start();
    expect(await lives).toBeGreaterThan(0);
    await requireDoneOnce(100, 4);
  });

  test('Behind a pooler what a broker was making when it was killed is completed by another.', async () => {
    const subject: Subject = { id: 'held', kind: 'provision', plan: 'held' };
    void request(one, subject).catch(() => undefined);
    await until('it is being made', async () => {
      const text = `select from operations where instance_id = 'held' and holder like $1`;
      return (await pool.query(text, [`%-${one.pid}-%`])).rows.length === 1;
    });
    one.signal('SIGKILL');
    await one.ended;
    await until('it is made', async () => (await looksOf(two, subject)).fetched.status === 200);
    expect(await fateOf(two, subject)).toMatchObject(success.provision.fate);
    expect((await thingsIn({ pool })).length).toBe(1);
  });

  test('A broker behind a pooler that gives each statement another session waits, and says why.', async () => {
    const statements = await aTestPooler(database.url, { pool_mode: 'statement' });
    const broker = runProgram([], { ...environmentOf('waiting', shared), DATABASE_URL: statements.url });
    await broker.shows(/waiting for it: it says: transaction blocks not allowed/);
    broker.signal('SIGTERM');
    expect((await broker.ended).code).toBe(0);
    await statements.kill();
  });
});
