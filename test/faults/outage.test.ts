// Brokers whose database goes away while they work, and comes back.
import { join } from 'node:path';
import type { Response } from 'supertest';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import type { Answer, BrokerProcess } from './broker-process.ts';
import { kinds, offeringId, quick, writeOffering, type Kind } from './offering.ts';
import { outages, type Fragile } from './outage.ts';
import { openStatementGate, type StatementGate } from './statement-gate.ts';
import { fateOf, looksOf, prepare, request, success, type Subject } from './subject.ts';
import { thingsIn } from './things.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const scratch = scratchDirectory('outage');
const catalogDir = writeOffering(scratch, [
  // Not over before the database has gone away, however slow the machine is.
  { id: 'long', with: { provision: { takes: '8s' } } },
  { id: 'steps', with: { provision: { steps: 3, each: '300ms' } } },
  { id: 'endless', with: { provision: { takes: '10m' } } },
]);

/** A broker on the database; those with one directory share what they make, and the name of their connections. */
function start({ url, schema }: Pick<Fragile, 'url' | 'schema'>, directory: string): Promise<WholeBroker> {
  const connectionString = `${url}${url.includes('?') ? '&' : '?'}application_name=${encodeURIComponent(directory)}`;
  const database = { config: { connectionString }, schema } as TestDatabase;
  return startWholeBroker(database, {
    DATA_DIR: join(scratch, directory),
    CATALOG_DIR: `catalog:${catalogDir}`,
    LEASE: '1s',
    ASYNC_PATIENCE: '100ms',
  });
}

type Asker = Pick<BrokerProcess, 'ask'>;

/** As other tests ask brokers in processes of their own. */
function asker(broker: WholeBroker): Asker {
  return {
    async ask(method, path, body) {
      const verb = method.toLowerCase() as 'get' | 'put' | 'patch' | 'delete';
      const { status, body: told } = await broker.ask(verb, path, body ? { body } : {});
      return { status, body: told as Answer['body'] };
    },
  };
}

/** Accepts incomplete work. */
function requestLater(broker: WholeBroker, { id, plan }: Subject): Promise<Response> {
  const body = { service_id: offeringId, plan_id: plan, organization_guid: 'o', space_guid: 's' };
  return broker.ask('put', `/v2/service_instances/${id}`, { query: { accepts_incomplete: 'true' }, body });
}

function readiness(broker: WholeBroker): Promise<Response> {
  return broker.ask('get', '/readyz', { login: undefined });
}

function untilReady(broker: WholeBroker): Promise<unknown> {
  return until('it is ready again', async () => (await readiness(broker)).status === 200);
}

const asked: readonly Subject[] = kinds.map((kind) => ({ id: `kept-${kind}`, kind, plan: quick }));
const running: Subject = { id: 'running', kind: 'provision', plan: 'long' };
const open: Subject = { id: 'open', kind: 'provision', plan: 'steps' };

// Each has a database of its own, and most of the time they wait.
test.concurrent.each(outages)(
  'A broker whose database %s says so, and goes on with everything when it is back.',
  async (how, openDatabase) => {
    const database = await openDatabase(scratch);
    const broker = await start(database, how);
    try {
      await Promise.all(asked.map((subject) => prepare(asker(broker), subject)));
      const cut = request(asker(broker), running);
      expect((await requestLater(broker, open)).status).toBe(202);

      await database.goAway();
      expect(await cut).toMatchObject({ status: 503 });
      await expectUnavailable(broker);
      await database.comeBack();
      await untilReady(broker);

      for (const subject of [running, open]) await expectCompleted(broker, subject);
      for (const subject of asked) await request(asker(broker), subject);
      for (const subject of asked) await expectCompleted(broker, subject);
      const things = [...asked, running, open].flatMap(({ id, kind }) =>
        success[kind].things.map((thing) => id + thing),
      );
      expect(await thingsIn(database)).toEqual(things.toSorted());
      await until('it listens again', async () => (await listenersOf(database, how)) === 1);
    } finally {
      await broker.stop();
      await database.close();
    }
  },
);

async function expectCompleted(broker: WholeBroker, subject: Subject): Promise<void> {
  await until(`the ${subject.kind} of ${subject.id} has ended`, async () => {
    return (await looksOf(asker(broker), subject)).lastOperation.body['state'] !== 'in progress';
  });
  expect(await fateOf(asker(broker), subject)).toMatchObject(success[subject.kind].fate);
}

async function expectUnavailable(broker: WholeBroker): Promise<void> {
  const requests = asked.map((subject) => request(asker(broker), subject));
  const looks = asked.map((subject) => looksOf(asker(broker), subject));
  const looked = (await Promise.all(looks)).flatMap((seen) => [seen.lastOperation, seen.fetched]);
  for (const answer of [...(await Promise.all(requests)), ...looked]) {
    expect(answer).toEqual({ status: 503, body: { error: 'ServiceUnavailable', description: sentence } });
  }
  const { headers } = await broker.ask('get', '/v2/service_instances/open');
  expect(headers['retry-after']).toBe('5');
  expect((await broker.ask('get', '/v2/catalog')).status).toBe(200);
  expect((await broker.ask('get', '/healthz', { login: undefined })).status).toBe(200);
  const { status, body } = await readiness(broker);
  expect([status, body]).toMatchObject([503, { reason: 'its database cannot be reached' }]);
}

async function listenersOf(database: Fragile, how: string): Promise<number> {
  const [row] = await database.query(
    `select count(*)::integer as count from pg_stat_activity
      where query = 'listen "purveyor"' and application_name = '${how}'`,
  );
  return Number(row?.['count']);
}

const sentence = 'The service broker cannot reach its database at the moment. Try again later.';

describe('The connection breaks when a change is made and before that is known', () => {
  /** By what their statements say. */
  const changes = { 'the intent': 'opened as (', 'the end': 'ended as (' } as const;
  const cases = Object.entries(changes).flatMap(([what, statement]) =>
    kinds.map((kind) => ({ what, statement, kind, subject: subjectOf(what, kind) })),
  );
  const answers = new Map<Subject, Answer>();
  let database: TestDatabase;
  let gate: StatementGate;
  let broker: WholeBroker;

  beforeAll(async () => {
    database = await openTestDatabase();
    gate = await openStatementGate(database.config);
    broker = await start({ url: gate.url, schema: database.schema }, 'lost');
    await Promise.all(cases.map(({ subject }) => prepare(asker(broker), subject)));
    for (const { statement, subject } of cases) {
      answers.set(subject, await loseAnswerTo(statement, () => request(asker(broker), subject)));
    }
    await Promise.all(cases.map(({ subject }) => request(asker(broker), subject)));
  });
  afterAll(async () => {
    await broker.stop();
    await gate.close();
    await database.close();
  });

  function subjectOf(what: string, kind: Kind): Subject {
    return { id: `lost-${what.replace('the ', '')}-${kind}`, kind, plan: quick };
  }

  async function loseAnswerTo(statement: string, asked: () => Promise<Answer>): Promise<Answer> {
    const lost = gate.loseAnswerTo(statement);
    const [answer] = await Promise.all([asked(), lost]);
    return answer;
  }

  test.each(cases)(
    'The connection breaks when a change is made and before that is known, of $what of its $kind: a repetition finds it, and nothing is made twice [PRV-06, BND-04]',
    async (one) => {
      const { subject, what, kind } = one;
      // Of an intent nobody knows whether it was written; how something ended can be looked up.
      expect(answers.get(subject)?.status).toBe(what === 'the intent' ? 503 : success[kind].status);
      expect(await fateOf(asker(broker), subject)).toMatchObject(success[kind].fate);
      const things = (await thingsIn(database)).filter((thing) => thing.split('/')[0] === subject.id);
      expect(things).toEqual(success[kind].things.map((thing) => subject.id + thing));
      const { rows } = await database.pool.query(
        'select state from operations where instance_id = $1 and kind = $2',
        [subject.id, kind],
      );
      expect(rows).toEqual([{ state: 'succeeded' }]);
    },
  );

  test('The connection breaks when a change is made and before that is known, of what is written as one: a repetition finds the same instance', async () => {
    const body = { service_id: 'echo_service', plan_id: 'big_0001', organization_guid: 'o', space_guid: 's' };
    const put = () => asker(broker).ask('PUT', '/v2/service_instances/lost-echo', body);
    const rows = async () =>
      (await database.pool.query(`select * from service_instances where id = 'lost-echo'`)).rows;
    expect((await loseAnswerTo('opened as (', put)).status).toBe(503);
    const written = await rows();
    expect(written).toHaveLength(1);
    expect((await put()).status).toBe(200);
    expect(await rows()).toEqual(written);
  });
});

describe('Brokers that cannot hear each other, as behind some poolers,', () => {
  let brokers: readonly WholeBroker[];
  let database: TestDatabase;
  let gate: StatementGate;

  beforeAll(async () => {
    database = await openTestDatabase();
    gate = await openStatementGate(database.config);
    // With the quote: offering files that are stored may hold the word.
    gate.forbid('listen "');
    const through = { url: gate.url, schema: database.schema };
    brokers = await Promise.all([start(through, 'deaf'), start(through, 'deaf')]);
    await until('they have tried', () => {
      return brokers.every((broker) => broker.output().includes('listening for hints'));
    });
  });
  afterAll(async () => {
    await Promise.all(brokers.map((broker) => broker.stop()));
    await gate.close();
    await database.close();
  });

  test('Brokers that cannot hear each other, as behind some poolers, delete what another one is making', async () => {
    const [one, two] = brokers.map(asker) as [Asker, Asker];
    const subject: Subject = { id: 'endless', kind: 'provision', plan: 'endless' };
    const given = request(one, subject);
    await until('it is being made', async () => {
      return (await looksOf(two, subject)).lastOperation.body['state'] === 'in progress';
    });
    const removal: Subject = { ...subject, kind: 'deprovision' };
    expect((await request(two, removal)).status).toBe(200);
    expect(await given).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
    expect(await fateOf(one, removal)).toMatchObject(success.deprovision.fate);
    expect(await thingsIn(database)).toEqual([]);
  });

  test('Brokers that cannot hear each other, as behind some poolers, complete what another one has begun', async () => {
    const [one, two] = brokers as [WholeBroker, WholeBroker];
    const subject: Subject = { id: 'steps', kind: 'provision', plan: 'steps' };
    expect((await requestLater(one, subject)).status).toBe(202);
    await one.stop();
    brokers = [two];
    await until('it is made', async () => (await looksOf(asker(two), subject)).fetched.status === 200);
    expect(await fateOf(asker(two), subject)).toMatchObject(success.provision.fate);
    expect(await thingsIn(database)).toEqual(['steps']);
  });
});
