import { copyFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate, type MigrationSet } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { openPool } from '../../src/postgres/connections.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { openGate } from '../support/database-gate.ts';
import { claim } from './contract/steps.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const ours = readdirSync(brokerMigrations.directory).toSorted();

let database: TestDatabase;
let directory: string;
let set: MigrationSet;

beforeEach(async () => {
  database = await openTestDatabase();
  directory = scratchDirectory('migrations');
  set = { name: 'fruit', directory };
  write('0001_apples.sql', 'create table apples (id integer primary key);\ninsert into apples values (1);\n');
});
afterEach(async () => {
  await database.close();
});

function write(file: string, text: string): void {
  writeFileSync(join(directory, file), text);
}

async function applied(): Promise<unknown[]> {
  const { rows } = await database.pool.query('select set_name, number from schema_migrations order by 1, 2');
  return rows.map(({ set_name, number }) => `${set_name} ${number}`);
}

test('An empty database gets all tables, and nothing the second time.', async () => {
  expect(await migrate(database.pool, [brokerMigrations])).toEqual(ours);
  expect(await migrate(database.pool, [brokerMigrations])).toEqual([]);
  const { rows } = await database.pool.query(
    'select tablename from pg_tables where schemaname = $1 order by 1',
    [database.schema],
  );
  expect(rows.map(({ tablename }) => tablename)).toEqual(
    expect.arrayContaining([
      'brokers',
      'encryption_keys',
      'instance_checks',
      'known_keys',
      'node_ports',
      'nodes',
      'operation_steps',
      'operations',
      'orphan_suspects',
      'plan_revisions',
      'schema_migrations',
      'service_bindings',
      'service_instances',
    ]),
  );
});

test('What brokers before there were nodes have written is read and carried on after.', async () => {
  const first = '0001_broker.sql';
  copyFileSync(join(brokerMigrations.directory, first), join(directory, first));
  rmSync(join(directory, '0001_apples.sql'));
  expect(await migrate(database.pool, [{ name: 'broker', directory }])).toEqual([first]);
  await database.pool.query(`
    insert into service_instances (id, version, operation_id, offering_id, plan_id, revision, context, ready, confidential)
      values ('i1', 3, null, 'cache', 'small', 'r', '{}', true, '{"parameters":{"a":1},"secrets":{},"facts":{}}'),
        ('i2', 1, 'op2', 'cache', 'small', 'r', '{}', false, '{"parameters":{},"secrets":{},"facts":{}}');
    insert into service_bindings (instance_id, id, context, ready, confidential)
      values ('i1', 'b1', '{}', true, '{"parameters":{},"secrets":{},"facts":{},"answer":{}}');
    insert into operations (id, kind, instance_id, binding_id, offering_id, plan_id, state, attempt, failures, origin,
        confidential, finished_at, deadline)
      values ('op1', 'bind', 'i1', 'b1', 'cache', 'small', 'succeeded', 1, 0, '{}', '{}', now(), now()),
        ('op2', 'provision', 'i2', null, 'cache', 'small', 'in progress', 0, 0, '{}', '{"memo":1}', null, now())`);
  expect(await migrate(database.pool, [brokerMigrations])).toEqual(ours.slice(1));
  const store = postgresStore(database.pool);
  const { found, binding } = await store.findBinding('i1', 'b1');
  expect(found).toMatchObject({ instance: { ready: true, version: 3 }, bindingsBusy: false });
  for (const name of ['key', 'lost', 'place', 'stopped', 'stoppedUnits', 'checkEvery', 'parent']) {
    expect(found?.instance).not.toHaveProperty(name);
  }
  expect(binding).toMatchObject({ ready: true });
  expect(await store.history('i1', 9)).toMatchObject([{ id: 'op1', kind: 'bind' }]);
  expect(await store.nextUnitCheck()).toBeUndefined();
  const held = await claim(store, 'worker', 1000, 'n1');
  expect(held.operation).toMatchObject({ id: 'op2', confidential: { memo: 1 } });
  const did = { step: 'start', tries: 1, undo: false, ms: 1 };
  expect(await store.settle(held, { did, instance: { put: { ...held.instance, ready: true } } })).toBe(true);
  expect(await store.timeline('op2')).toMatchObject([did]);
});

test('A broker that is at work and the change of its tables may be in the way of each other.', async () => {
  await migrate(database.pool, [set]);
  write(
    '0002_more.sql',
    // Longer than it takes until the other one waits too, and shorter than that one's own patience: this one gives way.
    `set local deadlock_timeout = '2s';
    create table pears (); alter table apples add sort text; alter table plums add sort text`,
  );
  await database.pool.query('create table plums ()');
  const worker = await database.pool.connect();
  await worker.query(`set deadlock_timeout = '1min'; begin; lock table plums in row exclusive mode`);
  const migrated = migrate(database.pool, [set]);
  await until('the other migration waits for the lock', async () => {
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%create table pears%' and pid <> pg_backend_pid()`;
    return (await database.pool.query(waiting)).rowCount || undefined;
  });
  await worker.query('select from apples');
  await worker.query('commit; reset deadlock_timeout');
  worker.release();
  expect(await migrated).toEqual(['0002_more.sql']);
});

test('Several sets live beside each other, and a later one may build on an earlier one.', async () => {
  write(
    '0002_crates.sql',
    'create table crates (instance_id text references service_instances on delete cascade)',
  );
  expect(await migrate(database.pool, [brokerMigrations, set])).toEqual([
    ...ours,
    '0001_apples.sql',
    '0002_crates.sql',
  ]);
  expect(await applied()).toEqual([
    ...ours.map((file) => `broker ${Number(file.slice(0, 4))}`),
    'fruit 1',
    'fruit 2',
  ]);
});

test('Only what is new is applied.', async () => {
  await migrate(database.pool, [set]);
  write('0002_more.sql', 'insert into apples values (2)');
  expect(await migrate(database.pool, [set])).toEqual(['0002_more.sql']);
  expect((await database.pool.query('select id from apples')).rowCount).toBe(2);
});

test('Of four brokers that start at once, one migrates and the others wait for it.', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => migrate(database.pool, [brokerMigrations, set])));
  expect(all.flat()).toEqual([...ours, '0001_apples.sql']);
});

test('A file that was changed after it was applied is refused, and nothing is applied.', async () => {
  await migrate(database.pool, [set]);
  write('0001_apples.sql', 'create table pears ()');
  write('0002_more.sql', 'insert into apples values (2)');
  await expect(migrate(database.pool, [set])).rejects.toThrow(
    "The migration 0001_apples.sql of 'fruit' is not the one that the database was made with.",
  );
  expect(await applied()).toEqual(['fruit 1']);
});

test('A checkout with other ends of lines is no change.', async () => {
  await migrate(database.pool, [set]);
  write(
    '0001_apples.sql',
    'create table apples (id integer primary key);\r\ninsert into apples values (1);\r\n',
  );
  expect(await migrate(database.pool, [set])).toEqual([]);
});

test('A database that a newer program has used is refused.', async () => {
  write('0002_more.sql', 'insert into apples values (2)');
  await migrate(database.pool, [set]);
  rmSync(join(directory, '0002_more.sql'));
  await expect(migrate(database.pool, [set])).rejects.toThrow(
    "The database is newer than this program: it has the migration 0002_more.sql of 'fruit'.",
  );
});

test('A migration that fails leaves nothing behind, of the others neither.', async () => {
  write('0002_bad.sql', 'create table half (); select from nowhere');
  await expect(migrate(database.pool, [brokerMigrations, set])).rejects.toThrow(
    /^The migration 0002_bad.sql of 'fruit' failed: .*"nowhere" does not exist/,
  );
  const { rowCount } = await database.pool.query('select from pg_tables where schemaname = $1', [
    database.schema,
  ]);
  expect(rowCount).toBe(0);
  write('0002_bad.sql', 'create table half ()');
  expect(await migrate(database.pool, [brokerMigrations, set])).toHaveLength(ours.length + 2);
});

test.each(['0001_twice.sql', 'nameless.sql'])(
  'Files are numbered, each with a number of its own: not %s.',
  async (file) => {
    write(file, 'select 1');
    await expect(migrate(database.pool, [set])).rejects.toThrow(/The migrations of 'fruit' are not numbered/);
  },
);

test('A file may leave a gap before it, which nobody can fill any more when it was applied.', async () => {
  write('0003_gap.sql', 'select 1');
  expect(await migrate(database.pool, [set])).toEqual(['0001_apples.sql', '0003_gap.sql']);
  write('0002_late.sql', 'select 1');
  await expect(migrate(database.pool, [set])).rejects.toThrow(
    "The migration 0002_late.sql of 'fruit' comes before 0003_gap.sql, which was applied already.",
  );
});

test('A connection that breaks meanwhile is told to who migrates, and does not end the process.', async () => {
  const gate = await openGate();
  gate.open();
  const pool = openPool({ connectionString: gate.url.href });
  const schema = gate.url.searchParams.get('options')?.split('=')[1];
  const blocker = await database.pool.connect();
  await blocker.query(`begin; create table ${schema}.apples ()`);
  const migrating = migrate(pool, [set]);
  const refused = expect(migrating).rejects.toMatchObject({ name: 'Refusal', code: 'unavailable' });
  await until('the migration waits for the lock', async () => {
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like 'create table apples%'`;
    return (await database.pool.query(waiting)).rowCount || undefined;
  });
  gate.shut();
  await refused;
  await blocker.query('rollback');
  blocker.release();
  gate.open();
  expect(await until('the migration is done', () => migrate(pool, [set]))).toEqual(['0001_apples.sql']);
  await pool.end();
  await gate.close();
});
