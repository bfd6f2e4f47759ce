// Transactions that are in each other's way, until the server ends one of them.
import type { PoolClient } from 'pg';
import { databaseReason, isAway } from '../../src/postgres/trouble.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { persistently, queryThrough } from '../../src/postgres/query.ts';
import { sql } from '../../src/postgres/sql.ts';
import { inTransaction } from '../../src/postgres/transaction.ts';
import { postgresApps } from '../../src/protocols/tsuru/apps/postgres-apps.ts';
import { tsuruMigrations } from '../../src/protocols/tsuru/migrations.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations, tsuruMigrations]);
  await database.pool.query('create table counters (name text primary key, n integer not null)');
});
beforeEach(() =>
  database.pool.query(`truncate counters; insert into counters values ('one', 0), ('two', 0)`),
);
afterAll(() => database.close());

const count = (client: PoolClient, name: string) =>
  client.query('update counters set n = n + 1 where name = $1', [name]);

const counted = async () =>
  (await database.pool.query('select n from counters order by name')).rows.map(({ n }: { n: number }) => n);

test('Two transactions that wait for each other are both done, each once.', async () => {
  let arrived = 0;
  const tried = { there: 0, back: 0 };
  const both = Promise.withResolvers<void>();
  const change = (way: keyof typeof tried, first: string, second: string) =>
    inTransaction(database.pool, async (client) => {
      tried[way] += 1;
      await count(client, first);
      arrived += 1;
      if (arrived === 2) both.resolve();
      await both.promise;
      await count(client, second);
    });
  await Promise.all([change('there', 'one', 'two'), change('back', 'two', 'one')]);
  expect(await counted()).toEqual([2, 2]);
  expect(tried.there + tried.back).toBe(3);
});

test('Transactions that have read what another one changes meanwhile are done, each once.', async () => {
  const raise = () =>
    persistently(() =>
      inTransaction(database.pool, async (client) => {
        await client.query('set transaction isolation level serializable');
        const { rows } = await client.query<{ n: number }>(`select n from counters where name = 'one'`);
        await client.query(`update counters set n = $1 where name = 'one'`, [(rows[0]?.n ?? 0) + 1]);
      }),
    );
  await Promise.all([raise(), raise(), raise(), raise()]);
  expect(await counted()).toEqual([4, 0]);
});

test('A bind of tsuru is done that a removal of its instance was in the way of, and which was ended for it.', async () => {
  await database.pool.query(
    `insert into service_instances (id, version, offering_id, plan_id, revision, context, ready, confidential)
     values ('i', 1, 'o', 'p', 'r', '{}', true, '{}')`,
  );
  const other = await database.pool.connect();
  try {
    // It waits longer than the bind, which is therefore the one that the server ends.
    await other.query(`begin; set local deadlock_timeout = '30s'`);
    await other.query(`select from service_instances where id = 'i' for update`);
    const arrival = postgresApps(database.pool).arrive(
      { instanceId: 'i' },
      { kind: 'app', name: 'a', host: 'h' },
      'h',
      1000,
    );
    await until('the bind waits for the instance', async () => {
      const waiting = await database.pool.query(
        `select from pg_locks where not granted and locktype in ('tuple', 'transactionid')`,
      );
      return waiting.rows.length > 0;
    });
    // The number of tsuru's turns: whoever goes on waits for the bind.
    await other.query(`select pg_advisory_xact_lock(1953722229, hashtext('i'))`);
    await other.query('commit');
    expect(await arrival).toMatchObject({ instanceId: 'i', knownAs: 'a' });
  } finally {
    other.release(true);
  }
  expect((await database.pool.query('select from tsuru_apps')).rows).toHaveLength(1);
});

test.each([
  ['deadlock', '40P01'],
  ['failure to be in order', '40001'],
])('A %s that comes again and again is told as an outage, after a few tries.', async (_what, code) => {
  let tries = 0;
  const work = persistently(() =>
    inTransaction(database.pool, async (client) => {
      tries += 1;
      await client.query(`do $$ begin raise exception 'again' using errcode = '${code}'; end $$`);
    }),
  );
  await expect(work).rejects.toMatchObject({ name: 'Refusal', code: 'unavailable', cause: { code } });
  expect(tries).toBeGreaterThan(2);
  expect(tries).toBeLessThan(20);
});

test('A statement that takes longer than the database allows is told as an outage, without the statement.', async () => {
  const slow = await database.pool.connect();
  try {
    await slow.query(`set statement_timeout = '10ms'`);
    const ended: unknown = await slow.query('select pg_sleep(10)').catch((error: unknown) => error);
    expect(isAway(ended)).toBe(true);
    expect(databaseReason(ended)).toBe('too much is going on in it (57014)');
  } finally {
    slow.release(true);
  }
});

test('What is wrong in a statement of ours is no outage.', async () => {
  const wrong: unknown = await queryThrough(database.pool)(sql`select from nowhere`).catch(
    (error: unknown) => error,
  );
  expect(isAway(wrong)).toBe(false);
  expect(wrong).toMatchObject({ code: '42P01' });
});
