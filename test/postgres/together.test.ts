import { Socket } from 'node:net';
import type { Pool, PoolConfig } from 'pg';
import { openPool } from '../../src/postgres/connections.ts';
import { queryThrough, type Query } from '../../src/postgres/query.ts';
import { sql } from '../../src/postgres/sql.ts';
import { statementNames } from '../../src/postgres/statement-names.ts';
import { together } from '../../src/postgres/together.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
const pools: Pool[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
});
afterAll(() => database.close());

function reading(config: PoolConfig = {}): { readonly pool: Pool; readonly query: Query } {
  const pool = openPool({ ...database.config, max: 3, pipeline: true, ...config });
  pools.push(pool);
  const query = queryThrough(
    together(pool),
    statementNames(() => undefined),
  );
  return { pool, query };
}

const numbers = Array.from({ length: 20 }, (_, n) => n);
const session = sql`select pg_backend_pid() as pid`;

async function sessionOf(query: Query): Promise<number> {
  const [row] = await query(session);
  return Number(row?.['pid']);
}

/** The session waits for the lock that the test's own connection has. */
async function isWaiting(pid: number): Promise<boolean> {
  const { rows } = await database.pool.query(
    `select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`,
    [pid],
  );
  return rows.length > 0;
}

test('What is asked at the same time goes through one session, and each gets its own answer.', async () => {
  const { query } = reading();
  const rows = await Promise.all(
    numbers.map((n) => query(sql`select ${n}::int as n, pg_backend_pid() as pid`)),
  );
  expect(rows.map(([row]) => row?.['n'])).toEqual(numbers);
  expect(new Set(rows.map(([row]) => row?.['pid'])).size).toBe(1);
});

test('What is asked in one turn of the event loop leaves in one piece.', async () => {
  const sockets: CountingSocket[] = [];
  const { query } = reading({
    stream: () => {
      const socket = new CountingSocket();
      sockets.push(socket);
      return socket;
    },
  });
  for (const n of numbers) await query(sql`select ${n}::int as n`);
  const [socket] = sockets;
  const before = socket?.pieces ?? NaN;
  await Promise.all(numbers.map((n) => query(sql`select ${n}::int as n`)));
  expect([sockets.length, (socket?.pieces ?? NaN) - before]).toEqual([1, 1]);
});

class CountingSocket extends Socket {
  pieces = 0;

  override _writev(...all: Parameters<NonNullable<Socket['_writev']>>): void {
    this.pieces += 1;
    super._writev?.(...all);
  }
}

test('A statement that fails has no other one fail.', async () => {
  const { query } = reading();
  const asked = numbers.map((n) => query(sql`select ${10 - n}::int, 100 / ${10 - n}::int as n`));
  const came = await Promise.allSettled(asked);
  expect(came.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([10]);
  expect(await query(sql`select 1 as n`)).toEqual([{ n: 1 }]);
});

test('When the session ends while many wait for it, all get their answers from another one.', async () => {
  const { query } = reading();
  const lock = await database.pool.connect();
  try {
    await lock.query('select pg_advisory_lock(71)');
    const pid = await sessionOf(query);
    const asked = Promise.all([
      query(sql`select 0 as n from (select pg_advisory_xact_lock_shared(71)) as waited`),
      ...numbers.map((n) => query(sql`select ${n}::int as n`)),
    ]);
    await until('a session that waits for the lock', () => isWaiting(pid));
    await lock.query('select pg_terminate_backend($1)', [pid]);
    await lock.query('select pg_advisory_unlock(71)');
    expect((await asked).map(([row]) => row?.['n'])).toEqual([0, ...numbers]);
    expect(await sessionOf(query)).not.toBe(pid);
  } finally {
    lock.release(true);
  }
});

test('Behind a statement that does not come to its end nobody waits for long, and it is answered in the end.', async () => {
  const { pool, query } = reading();
  const lock = await database.pool.connect();
  try {
    await lock.query('select pg_advisory_lock(72)');
    const pid = await sessionOf(query);
    const held = query(sql`select true as was_held from (select pg_advisory_xact_lock_shared(72)) as waited`);
    await until('a session that waits for the lock', () => isWaiting(pid));
    await until('another connection', () => {
      void query(sql`select 1`);
      return pool.totalCount === 2;
    });
    expect(await sessionOf(query)).not.toBe(pid);
    await lock.query('select pg_advisory_unlock(72)');
    expect(await held).toEqual([{ was_held: true }]);
  } finally {
    lock.release(true);
  }
});

test('The pool has its connection back when nobody waits for an answer.', async () => {
  const { pool, query } = reading();
  await Promise.all(numbers.map((n) => query(sql`select ${n}::int`)));
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});

test('Whoever asks while the database cannot be reached is told so.', async () => {
  const away = reading({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
  const came = await Promise.allSettled(numbers.map(() => away.query(session)));
  for (const one of came) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
});
