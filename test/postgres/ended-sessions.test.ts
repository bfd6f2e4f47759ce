// Sessions that somebody ends, at every place that has one, in the very bytes that make it ready.
import { randomBytes } from 'node:crypto';
import type { Pool, PoolConfig } from 'pg';
import { Refusal } from '../../src/broker/errors.ts';
import { openClient, openPool } from '../../src/postgres/connections.ts';
import { isAway } from '../../src/postgres/trouble.ts';
import { queryThrough } from '../../src/postgres/query.ts';
import { sql } from '../../src/postgres/sql.ts';
import { together } from '../../src/postgres/together.ts';
import { inTransaction } from '../../src/postgres/transaction.ts';
import { postgresApps } from '../../src/protocols/tsuru/apps/postgres-apps.ts';
import { tsuruMigrations } from '../../src/protocols/tsuru/migrations.ts';
import { postgresMessages } from '../../src/provisioners/echo/messages.ts';
import { echoMigrations } from '../../src/provisioners/echo/migrations.ts';
import { readKeys } from '../../src/stores/keyring.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { requireKeys, retireKeys } from '../../src/stores/postgres/keys.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { postgresNodes } from '../../src/stores/postgres/nodes.ts';
import { postgresPorts } from '../../src/stores/postgres/ports.ts';
import { resealRows } from '../../src/stores/postgres/reseal.ts';
import { leftOf, openDatabases } from '../provisioners/postgres/databases.ts';
import { openSessionEnder, type SessionEnder } from '../support/ending-sessions.ts';
import { until } from '../support/until.ts';

let ender: SessionEnder;
const pools: Pool[] = [];

beforeAll(async () => {
  ender = await openSessionEnder();
  await migrate(ender.database.pool, [brokerMigrations, echoMigrations, tsuruMigrations]);
});
beforeEach(() => ender.endAt(() => false));
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
});
afterAll(() => ender.close());

function aPool(config: PoolConfig = {}): Pool {
  const pool = openPool({ connectionString: ender.url, max: 2, connectionTimeoutMillis: 5000, ...config });
  pools.push(pool);
  return pool;
}

const sets = [brokerMigrations, echoMigrations, tsuruMigrations];
const ring = readKeys(`1:${randomBytes(32).toString('base64')}`);
const profile = {
  name: 'n',
  host: 'h',
  url: 'http://h',
  directory: '/d',
  ports: { first: 20000, last: 20009 },
  capacity: 1,
  executables: [],
  isolation: 'none' as const,
  allowsUnisolated: true,
};

/** Each takes a session to a pool, or more of them. What it gives is the same however often it is done. */
const uses: Readonly<Record<string, (pool: Pool) => Promise<unknown>>> = {
  'A statement of the store': (pool) => postgresStore(pool).findInstance('none'),
  'Reads that go together': ({ options }) => {
    const read = queryThrough(together(aPool({ ...options, pipeline: true })));
    return Promise.all([1, 2, 3].map((n) => read(sql`select ${n}::int`)));
  },
  'A transaction': (pool) => inTransaction(pool, (client) => client.query('select 1')),
  'A search for the tables that are missing': (pool) => migrate(pool, sets),
  'A check of the encryption keys': (pool) => requireKeys(pool, ring, { id: 'b', label: 'the broker b' }),
  'A change of the encryption keys': async (pool) => {
    await resealRows(pool, () => undefined);
    await retireKeys(pool, ring);
  },
  'A heartbeat': (pool) => postgresNodes(pool).beat(profile, 'holder', 'machine'),
  'A list of the nodes': (pool) => postgresNodes(pool).list(),
  'A turn at the ports of a node': (pool) => postgresPorts(pool).take('n', 'none', []),
  'A message of echo': (pool) =>
    postgresMessages(pool).add({ instanceId: 'none', bindingId: 'b', text: '{}', keep: 1 }),
  'A summary of echo': (pool) => postgresMessages(pool).summarize('none', 1),
  'A unit of tsuru that goes': (pool) => postgresApps(pool).depart({ instanceId: 'none' }, 'host'),
  'A look of tsuru at its apps': (pool) => postgresApps(pool).bound('none'),
};

/** How it came out; anything but these two is told by failing. */
async function outcome(work: Promise<unknown>): Promise<'done' | 'away'> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (isAway(error) || (error instanceof Refusal && error.code === 'unavailable')) return 'away';
    throw error;
  }
}

describe.each(Object.entries(uses))('%s', (_name, use) => {
  test('Work on the database comes to its end although a session is ended as it becomes ready, at whichever moment.', async () => {
    const moments = Array.from({ length: 6 }, (_, index) => index + 1);
    for (const moment of moments) {
      ender.endAt(({ count }) => count === moment);
      const came = await outcome(use(aPool()));
      // What was lost at the last word of a transaction only the server knows: then nobody says that it was done.
      if (moment === 1) expect(came).toBe('done');
      expect(await outcome(use(aPool()))).toBe('done');
    }
  });

  test('Work on the database comes to its end when the only connection of its pool is handed on as its session is ended.', async () => {
    for (let moment = 1; moment <= 6; moment += 1) {
      ender.endAt(({ count }) => count === moment);
      const pool = aPool({ max: 1 });
      await Promise.all([1, 2, 3].map(() => outcome(use(pool))));
      expect(await outcome(use(pool))).toBe('done');
    }
  });

  test('Work on the database says that the database is away when every session is ended as soon as it is there.', async () => {
    ender.endAt(({ ofConnection }) => ofConnection === 1);
    expect(await outcome(use(aPool()))).toBe('away');
    expect(ender.ended()).toBeGreaterThan(1);
  });
});

test('A transaction whose session is ended before its end is done once, in another session.', async () => {
  const pool = aPool();
  await pool.query('create table ended_sessions (n integer)');
  ender.endAt(({ count, inTransaction: isOpen }) => isOpen && count < 4);
  await inTransaction(pool, (client) => client.query('insert into ended_sessions values (1)'));
  expect(ender.ended()).toBeGreaterThan(0);
  expect((await pool.query('select n from ended_sessions')).rows).toEqual([{ n: 1 }]);
});

test('A transaction that is lost at its commit without a word is not repeated.', async () => {
  const pool = aPool();
  let times = 0;
  const work = inTransaction(pool, async (client) => {
    times += 1;
    await client.query('select 1');
    // As when the network goes: the commit is on its way, and no answer comes.
    setImmediate(() => (client as unknown as { connection: Connection }).connection.stream.destroy());
  });
  await expect(work).rejects.toThrow('Connection terminated unexpectedly');
  expect(times).toBe(1);
});

interface Connection {
  readonly stream: { destroy(): void };
}

test('A connection of its own is lost without harm, idle or just made.', async () => {
  ender.endAt(({ ofConnection }) => ofConnection === 1);
  const client = openClient({ connectionString: ender.url });
  const ended = new Promise((resolve) => client.once('end', resolve));
  await client.connect();
  await ended;
  expect(ender.ended()).toBe(1);
});

test('Hints are heard again after the sessions that hear them were ended.', async () => {
  const told: string[] = [];
  const store = postgresStore(aPool(), {
    listener: { connectionString: ender.url },
    onTrouble: (_doing, detail) => told.push(detail),
  });
  ender.endAt(({ count }) => count < 3);
  let hints = 0;
  const stop = store.listen(() => (hints += 1));
  await until('a session hears hints', () => hints > 0);
  expect(told.length).toBeGreaterThan(0);
  await stop();
});

describe('A database on a shared server', () => {
  test('A database on a shared server is made, bound, looked at, unbound and removed although sessions are ended at every moment.', async () => {
    const databases = openDatabases(ender.url);
    for (let moment = 1; moment <= 24; moment += 1) {
      const instance = databases.anInstance();
      ender.endAt(({ count }) => count === moment || count === moment + 24);
      await persistently(() => instance.provision());
      await persistently(() => instance.bind('b'));
      await persistently(() => instance.unbind('b'));
      await persistently(() => instance.deprovision());
      ender.endAt(() => false);
      expect(await leftOf(databases.pool, instance)).toEqual([]);
    }
    await databases.close();
  });

  /** As the core tries again a step that has failed. */
  async function persistently(step: () => Promise<unknown>): Promise<void> {
    await until('the step is done', async () => (await outcome(step())) === 'done');
  }

  test('A database on a shared server is not down because one session of a look at it was ended.', async () => {
    const databases = openDatabases(ender.url);
    const instance = databases.anInstance();
    await instance.provision();
    for (let moment = 1; moment <= 4; moment += 1) {
      ender.endAt(({ count }) => count === moment);
      const units = await databases.provisioner.units?.inspect(instance.work());
      expect(units).toMatchObject([{ alive: true, answer: 'ready' }]);
    }
    ender.endAt(() => false);
    await persistently(() => instance.deprovision());
    await databases.close();
  });
});
