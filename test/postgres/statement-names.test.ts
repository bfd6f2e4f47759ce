import type { Pool, PoolConfig } from 'pg';
import { openPool } from '../../src/postgres/connections.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { queryThrough, type Query } from '../../src/postgres/query.ts';
import { takingTurns } from '../../src/postgres/serialized.ts';
import { raw, sql } from '../../src/postgres/sql.ts';
import { statementNames } from '../../src/postgres/statement-names.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import {
  aBindingIn,
  anInstanceIn,
  ended,
  numbered,
  open,
  provisioning,
  readBinding,
  readInstance,
  unbinding,
} from '../stores/contract/steps.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
const pools: Pool[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
});
afterAll(() => database.close());

/** A pool of one session, so that what is kept in a session can be looked at. */
function aSession(config: PoolConfig = {}): Pool {
  const pool = openPool({ ...database.config, max: 1, ...config });
  pools.push(pool);
  return pool;
}

/** What is kept prepared in its session: texts by name. */
async function keptIn(pool: Pool): Promise<ReadonlyMap<string, string>> {
  const { rows } = await pool.query<{ name: string; statement: string }>(
    `select name, statement from pg_prepared_statements where name <> ''`,
  );
  return new Map(rows.map(({ name, statement }) => [name, statement]));
}

function naming(pool: Pool): { readonly query: Query; readonly losses: () => number } {
  let losses = 0;
  const query = queryThrough(
    pool,
    statementNames(() => (losses += 1)),
  );
  return { query, losses: () => losses };
}

/** More often than it takes to get a name. */
async function often(query: Query, statement = (n: number) => sql`select ${n}::int as n`): Promise<void> {
  for (const n of numbered(5)) expect(await query(statement(n))).toEqual([{ n }]);
}

describe('A statement that comes often', () => {
  test('A statement that comes often is kept once in a session, whatever its values; one that came twice is not.', async () => {
    const pool = aSession();
    const { query } = naming(pool);
    await often(query);
    for (const n of numbered(2)) await query(sql`select ${n}::int as rare`);
    expect([...(await keptIn(pool)).values()]).toEqual(['select $1::int as n']);
  });

  test('A statement has the same name at every broker, since sessions may be shared.', async () => {
    const [one, other] = [aSession(), aSession()];
    await often(naming(one).query);
    await often(naming(other).query);
    expect(await keptIn(one)).toEqual(await keptIn(other));
  });

  test('A session keeps a hundred statements at most, and those beyond are answered all the same.', async () => {
    const pool = aSession();
    const { query } = naming(pool);
    for (const column of numbered(130)) {
      const statement = (n: number) => sql`select ${n}::int as n, ${raw(String(column))} as also`;
      for (const n of numbered(3)) expect(await query(statement(n))).toEqual([{ n, also: column }]);
    }
    expect((await keptIn(pool)).size).toBe(100);
  });

  test('Texts of unlimited variety that come once each get no names and take no room of those that come often.', async () => {
    const pool = aSession();
    const { query } = naming(pool);
    for (const column of numbered(1500)) await query(sql`select ${raw(String(column))} as once`);
    await often(query);
    expect((await keptIn(pool)).size).toBe(1);
  });

  test('A failure of the statement itself is told as it is, and its name stays in use.', async () => {
    const pool = aSession();
    const { query, losses } = naming(pool);
    const divided = (by: number) => query(sql`select 1 / ${by}::int as n`);
    for (const by of [1, 1, 1, 1]) expect(await divided(by)).toEqual([{ n: 1 }]);
    await expect(divided(0)).rejects.toMatchObject({ code: '22012' });
    expect(await divided(1)).toEqual([{ n: 1 }]);
    expect((await keptIn(pool)).size).toBe(1);
    expect(losses()).toBe(0);
  });
});

describe('A pooler that keeps no names', () => {
  test('A session that has lost the names answers the statement all the same; none is used from then on, and that is told once.', async () => {
    const pool = aSession();
    const { query, losses } = naming(pool);
    await often(query);
    await pool.query('deallocate all');
    await often(query);
    await often(query, (n) => sql`select ${n}::int + 0 as n`);
    expect(await keptIn(pool)).toEqual(new Map());
    expect(losses()).toBe(1);
  });

  test('A session that has the name from another broker answers the statement all the same, and none is used from then on.', async () => {
    const first = aSession();
    await often(naming(first).query);
    const [name = ''] = (await keptIn(first)).keys();
    const second = aSession();
    await second.query(`prepare "${name}" as select 'of another'`);
    const { query, losses } = naming(second);
    await often(query);
    expect(losses()).toBe(1);
    expect(await keptIn(second)).toEqual(new Map());
  });

  test('What is done in turn has names, too, and is done again as a whole where one is lost.', async () => {
    const pool = aSession();
    const inTurn = takingTurns(
      pool,
      statementNames(() => undefined),
    );
    await pool.query('create table taken (n int)');
    const take = (n: number) =>
      inTurn('a test', async (query) => {
        await query(sql`insert into taken values (${n})`);
        return query(sql`select array_agg(n) as all from taken`);
      });
    for (const n of numbered(4)) await take(n);
    expect([...(await keptIn(pool)).values()]).toContain('insert into taken values ($1)');
    await pool.query('deallocate all');
    const [row] = await take(5);
    expect(row?.['all']).toEqual([...numbered(4), 5]);
  });

  test('A write whose name is lost is done once.', async () => {
    const pool = aSession();
    const { query } = naming(pool);
    await pool.query('create table written (n int)');
    const write = (n: number) => query(sql`insert into written values (${n})`);
    for (const n of [1, 2, 3, 4]) await write(n);
    await pool.query('deallocate all');
    await write(5);
    expect((await pool.query('select n from written order by n')).rows.map(({ n }) => n as number)).toEqual([
      1, 2, 3, 4, 5,
    ]);
  });
});

test('Tables that change under a prepared statement are read as they are, in every session, and statements stay prepared.', async () => {
  const [one, also] = [aSession(), aSession()];
  const { query, losses } = naming(one);
  await one.query(`create table changing as select 1 as n`);
  const all = () => query(sql`select * from changing`);
  for (const _ of numbered(4)) expect(await all()).toEqual([{ n: 1 }]);
  await also.query(`alter table changing add column more int default 2`);
  for (const _ of numbered(4)) expect(await all()).toEqual([{ n: 1, more: 2 }]);
  await also.query(`alter table changing drop column n`);
  for (const _ of numbered(4)) expect(await all()).toEqual([{ more: 2 }]);
  expect((await keptIn(one)).size).toBe(1);
  expect(losses()).toBe(0);
});

describe('The store', () => {
  /** Whole lives of instances with a binding, and what a broker asks all the time. */
  async function live(pool: Pool, prepares: boolean): Promise<void> {
    const store = postgresStore(pool, { channel: database.schema, prepares });
    for (const number of numbered(6)) {
      const id = `lived-${prepares}-${number}`;
      const instance = await anInstanceIn(store, { id });
      await aBindingIn(store, instance, { id: 'kept' });
      await aBindingIn(store, instance, { id: 'b' });
      await open(
        store,
        unbinding(await readInstance(store, id), await readBinding(store, id, 'b'), ended('unbind')),
      );
      await store.findInstance(id);
      await store.lastOperation({ instanceId: id, bindingId: undefined, operationId: undefined });
      await store.claim('w', 60_000);
      await store.nextDue(undefined);
      await store.expired(10);
      await store.prune(3_600_000);
      await store.claimUnitCheck(undefined);
      await store.nextUnitCheck(undefined);
    }
  }

  test('The store keeps nothing prepared where that is switched off.', async () => {
    const pool = aSession();
    await live(pool, false);
    expect(await keptIn(pool)).toEqual(new Map());
  });

  test('Whatever plan Postgres keeps for the statements of requests and loops, it reads no table of many rows as a whole.', async () => {
    const pool = aSession();
    await live(pool, true);
    const kept = await keptIn(pool);
    expect(kept.size).toBeGreaterThan(6);
    await fill(pool, 'many');
    for (const text of kept.values()) {
      const { rows } = await pool.query<Record<'QUERY PLAN', string>>(`explain (generic_plan) ${text}`);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect({
        text,
        whole: plan.match(/Seq Scan on (service_instances|service_bindings|operations).*/g),
      }).toEqual({
        text,
        whole: null,
      });
    }
  });

  test('History that is old is removed, however much of it there is, and nothing that is going on.', async () => {
    const pool = aSession();
    const store = postgresStore(pool, { channel: database.schema });
    await anInstanceIn(store, { id: 'done' });
    await fill(pool, 'old');
    await open(store, provisioning({ id: 'busy' }));
    expect(await store.prune(0)).toBeGreaterThanOrEqual(20_000);
    expect((await pool.query('select instance_id as id from operations')).rows).toEqual([{ id: 'busy' }]);
  });

  /** Twenty thousand instances, each with a binding and an operation that has ended. */
  async function fill(pool: Pool, name: string): Promise<void> {
    for (const table of ['service_instances', 'service_bindings', 'operations']) {
      const own = table === 'service_instances' ? 'id' : 'instance_id';
      const more =
        table === 'operations' ? `, 'id', '${name}-' || n, 'seq', (select max(seq) from operations) + n` : '';
      await pool.query(`
        insert into ${table} overriding system value
        select copy.* from (select * from ${table} limit 1) t, generate_series(1, 20000) n,
          lateral jsonb_populate_record(null::${table},
            to_jsonb(t) || jsonb_build_object('${own}', '${name}-' || n${more})) copy`);
    }
    await pool.query('analyze');
  }
});
