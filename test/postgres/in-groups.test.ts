import { Socket } from 'node:net';
import type { Pool, PoolConfig } from 'pg';
import { openPool } from '../../src/postgres/connections.ts';
import { inGroups } from '../../src/postgres/in-groups.ts';
import { queryThrough, type QueryRow } from '../../src/postgres/query.ts';
import { sql, type Sql } from '../../src/postgres/sql.ts';
import { statementNames } from '../../src/postgres/statement-names.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
const pools: Pool[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  await database.pool.query('create table notes (id integer, note text)');
  await database.pool.query('create table counts (id text primary key, count integer not null)');
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
  await database.pool.query('truncate notes, counts');
});
afterAll(() => database.close());

function aPool(config: PoolConfig): Pool {
  const pool = openPool({ ...database.config, application_name: database.schema, ...config });
  pools.push(pool);
  return pool;
}

type Write = (statement: Sql, order?: string) => Promise<readonly QueryRow[]>;

function writing(config: PoolConfig = {}, lockMs = asLongAsItTakes): Write {
  const groups = inGroups(aPool({ max: 2, pipeline: true, ...config }), aPool({ max: 4 }), lockMs);
  const names = statementNames(() => undefined);
  return (statement, order = '') => queryThrough(groups.of(order), names)(statement);
}

/** Milliseconds. */
const asLongAsItTakes = 300_000;

const numbers = Array.from({ length: 20 }, (_, n) => n);

const noting = (n: number) =>
  sql`insert into notes values (${n}, 'one') returning id, pg_current_xact_id()::text as transaction`;

async function noted(): Promise<readonly number[]> {
  const { rows } = await database.pool.query<{ id: number }>('select id from notes order by id');
  return rows.map(({ id }) => id);
}

/** Of ours, for a lock that the test has. */
async function waitingSessions(): Promise<readonly number[]> {
  const { rows } = await database.pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = $1`,
    [database.schema],
  );
  return rows.map(({ pid }) => pid);
}

function untilWaiting(sessions: number): Promise<readonly number[]> {
  return until(`${sessions} sessions that wait`, async () => {
    const waiting = await waitingSessions();
    return waiting.length === sessions && waiting;
  });
}

test('What is written at the same time is one transaction, and each gets its own answer.', async () => {
  const write = writing();
  const rows = await Promise.all(numbers.map((n) => write(noting(n))));
  expect(rows.map(([row]) => row?.['id'])).toEqual(numbers);
  expect(new Set(rows.map(([row]) => row?.['transaction'])).size).toBe(1);
  expect(await noted()).toEqual(numbers);
});

test('Statements with names go together as those without do.', async () => {
  const write = writing();
  for (let time = 0; time < 5; time += 1) await Promise.all(numbers.map((n) => write(noting(n))));
  expect(await noted()).toEqual(numbers.flatMap((n) => Array.from({ length: 5 }, () => n)));
});

test('What is asked for while others are written is written together afterwards.', async () => {
  const write = writing();
  const lock = await database.pool.connect();
  try {
    await lock.query('begin');
    await lock.query('lock table notes');
    const first = [write(noting(0)), write(noting(1))];
    await untilWaiting(1);
    const second = [write(noting(2)), write(noting(3))];
    await untilWaiting(2);
    const third = numbers.slice(4).map((n) => write(noting(n)));
    await lock.query('commit');
    const groups = await Promise.all([first, second, third].map((all) => Promise.all(all)));
    const transactions = groups.map((all) => new Set(all.map(([row]) => row?.['transaction'])));
    expect(transactions.map(({ size }) => size)).toEqual([1, 1, 1]);
    expect(new Set(transactions.flatMap((all) => [...all])).size).toBe(3);
  } finally {
    lock.release(true);
  }
  expect(await noted()).toEqual(numbers);
});

test('A statement that fails has no other one fail, and none is carried out twice.', async () => {
  const write = writing();
  const asked = numbers.map((n) => write(sql`insert into notes select ${n}, (100 / ${10 - n}::int)::text`));
  const came = await Promise.allSettled(asked);
  expect(came.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([10]);
  expect(came[10]).toMatchObject({ reason: { code: '22012' } });
  expect(await noted()).toEqual(numbers.filter((n) => n !== 10));
});

test('When the session ends before the commit, all is carried out once, by others.', async () => {
  const write = writing();
  const lock = await database.pool.connect();
  try {
    await lock.query('begin');
    await lock.query('lock table counts');
    const asked = Promise.all([
      ...numbers.map((n) => write(noting(n), 'a')),
      write(sql`insert into counts values ('last', 1)`, 'b'),
    ]);
    const [pid] = await untilWaiting(1);
    await lock.query('select pg_terminate_backend($1)', [pid]);
    await lock.query('commit');
    await asked;
  } finally {
    lock.release(true);
  }
  expect(await noted()).toEqual(numbers);
});

test('When the answer to the commit is lost, each is told that the database is away, and nothing is done again.', async () => {
  const sockets: Socket[] = [];
  const stream = () => {
    const socket = new Socket();
    sockets.push(socket);
    return socket;
  };
  const write = writing({ stream });
  await Promise.all(numbers.map((n) => write(noting(n))));
  const [socket] = sockets;
  socket?.pause();
  const asked = Promise.allSettled(numbers.map((n) => write(noting(100 + n))));
  await until('the commit', async () => (await noted()).length === 2 * numbers.length);
  socket?.destroy();
  for (const one of await asked)
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
  expect(await noted()).toEqual([...numbers, ...numbers.map((n) => 100 + n)]);
});

test('Whoever waits for what somebody has locked soon holds up nobody else.', async () => {
  const write = writing({}, 10);
  const lock = await database.pool.connect();
  try {
    await lock.query('begin');
    await lock.query('lock table counts');
    const [held, ...others] = [
      write(sql`insert into counts values ('first', 1)`, 'a'),
      ...numbers.map((n) => write(noting(n), 'b')),
    ];
    await Promise.all(others);
    expect(await noted()).toEqual(numbers);
    await untilWaiting(1);
    await lock.query('commit');
    await held;
  } finally {
    lock.release(true);
  }
  const { rows } = await database.pool.query('select id from counts');
  expect(rows).toEqual([{ id: 'first' }]);
});

test('Whatever is asked for behind statements that do not come to their end is soon written by itself.', async () => {
  const write = writing();
  const lock = await database.pool.connect();
  try {
    await lock.query('begin');
    await lock.query('lock table counts');
    const count = (id: string) => write(sql`insert into counts values (${id}, 1)`);
    const held = [count('a'), count('b')];
    await untilWaiting(1);
    held.push(count('c'), count('d'));
    await untilWaiting(2);
    await write(noting(1));
    await lock.query('commit');
    await Promise.all(held);
  } finally {
    lock.release(true);
  }
  const { rows } = await database.pool.query('select id from counts order by id');
  expect(rows.map(({ id }: { id: string }) => id)).toEqual(['a', 'b', 'c', 'd']);
});

test('Transactions lock rows in one order, so no two of them wait for each other.', async () => {
  const lost: string[] = [];
  const writer = (): Write => {
    const pool = aPool({ max: 2, pipeline: true }).on('remove', () => lost.push('a session'));
    const groups = inGroups(pool, aPool({ max: 4 }), asLongAsItTakes);
    return (statement, order = '') => queryThrough(groups.of(order))(statement);
  };
  const [one, other] = [writer(), writer()];
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ids) await database.pool.query('insert into counts values ($1, 0)', [id]);
  const raise = (write: Write) => (id: string) =>
    write(sql`update counts set count = count + 1 where id = ${id}`, id);
  for (let time = 0; time < 40; time += 1)
    await Promise.all([...ids.map(raise(one)), ...ids.toReversed().map(raise(other))]);
  const { rows } = await database.pool.query<{ count: number }>('select count from counts');
  expect(rows.map(({ count }) => count)).toEqual(ids.map(() => 80));
  expect(lost).toEqual([]);
});

test('Whoever writes while the database cannot be reached is told so.', async () => {
  const connectionString = 'postgres://nobody@127.0.0.1:1/none';
  const groups = inGroups(aPool({ connectionString, pipeline: true }), aPool({ connectionString }));
  const came = await Promise.allSettled(numbers.map((n) => queryThrough(groups.of(''))(noting(n))));
  for (const one of came) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
});
