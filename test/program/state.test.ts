import { appendFileSync, copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeBy, migrate, type MigrationSet } from '../../src/postgres/migrate.ts';
import { shippedMigrations } from '../../src/program/shipped.ts';
import { openState } from '../../src/program/state/file.ts';
import { loadState } from '../../src/program/state/load.ts';
import { saveState, type SavedState } from '../../src/program/state/save.ts';
import { readKeys } from '../../src/stores/keyring.ts';
import { leaveKeys, requireKeys } from '../../src/stores/postgres/keys.ts';
import { fillWorld, idOf } from '../scale/world.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** All that brokers know, out of one database and into another one. */

const keys = readKeys(`one:${Buffer.alloc(32, 'one').toString('base64')}`);
const holder = { id: 'h', label: 'the broker h' };
const origin = { protocol: 'cli', principal: 'ops' };
const directory = scratchDirectory('state');
const sets = shippedMigrations();

let from: TestDatabase;
let to: TestDatabase;
let file: string;
let number = 0;
beforeEach(async () => {
  from = await openTestDatabase();
  to = await openTestDatabase();
  file = join(directory, `state-${(number += 1)}`);
});
afterEach(async () => {
  await from.close();
  await to.close();
});

const save = (what = sets): Promise<SavedState> => saveState(from.pool, what, file, () => undefined);

async function load({ replace = false, ring = keys, what = sets } = {}): Promise<number> {
  const loading = { sets: what, keys: ring, origin, replace, onProgress: () => undefined };
  return loadState(to.pool, await openState(file), loading);
}

/** A database as brokers have left it, with texts in it that lines and quotes do not bear. */
async function fill({ pool }: TestDatabase): Promise<void> {
  await migrate(pool, sets);
  await requireKeys(pool, keys, holder);
  await pool.query(`insert into plan_revisions select p || '-1', p, p || '-plan', '{}'
    from unnest(array['rarely', 'counted', 'folders', 'echoes']) p`);
  await fillWorld(pool, 20, keys);
  const odd = `"it's"\n\r\t\\ ,()  {} ${String.fromCodePoint(0x2028)}\u0001é😀`;
  await pool.query('update service_instances set organization = $1, context = $2 where id = $3', [
    odd,
    `{"a":  "\\u0000\\ud800", "a": 1.10}`,
    idOf(7),
  ]);
  await pool.query('update service_bindings set app_guid = $1', ['']);
  await pool.query(`insert into webhook_receivers values ('r', 'http://r', '{"a,b",c}', null)`);
}

async function everythingIn(
  { pool }: TestDatabase,
  level = sets,
): Promise<Readonly<Record<string, unknown>>> {
  const { tables } = await madeBy(level);
  const entries = [];
  for (const table of tables) {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${table} t order by 1`);
    entries.push([table, rows.map(({ row }) => row)]);
  }
  return Object.fromEntries(entries) as Readonly<Record<string, unknown>>;
}

test('What was saved is there again as it was, row by row, with one more entry in the audit trail', async () => {
  await fill(from);
  const { rows, keys: ids, sha256 } = await save();
  expect(ids).toEqual(['one']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).not.toContain('a secret');
  expect(await load()).toBe(0);
  const { audit_trail: trail, brokers, ...others } = await everythingIn(to);
  const { audit_trail: before, brokers: lived, ...expected } = await everythingIn(from);
  expect(others).toEqual(expected);
  expect([lived, brokers]).toEqual([[expect.stringContaining('the broker h')], []]);
  expect(rows).toBe(Object.values({ ...expected, before }).flat().length);
  expect(trail).toEqual(expect.arrayContaining(before as unknown[]));
  const entry = "select verb, principal, object_id, outcome from audit_trail where verb = 'load-state'";
  expect((await to.pool.query(entry)).rows).toEqual([
    { verb: 'load-state', principal: 'ops', object_id: sha256, outcome: 'succeeded' },
  ]);
});

test('Numbers that the database gives go on behind those that were saved', async () => {
  await fill(from);
  await save();
  await load();
  const { rows } = await to.pool.query<{ last: string; next: string }>(
    `with former as (select max(seq) as last from operations), added as (
      insert into operations (id, kind, instance_id, offering_id, plan_id, state, attempt, failures, origin,
        confidential, deadline) values ('new', 'update', 'x', 'o', 'p', 'in progress', 0, 0, '{}', '{}', now())
      returning seq as next) select last, next from former, added`,
  );
  expect(Number(rows[0]?.next)).toBe(Number(rows[0]?.last) + 1);
});

test('A database that a broker has used is left as it is, unless it is said that it may go and no broker lives', async () => {
  await fill(from);
  await save();
  await fill(to);
  await to.pool.query("update service_instances set organization = 'mine'");
  await to.pool.query('create table foreign_goods (id integer)');
  await expect(load()).rejects.toThrow('Nothing was changed: a broker has used this database already.');
  await expect(load({ replace: true })).rejects.toThrow(
    'Nothing was changed: the broker h uses this database.',
  );
  const mine = "select count(*)::integer as count from service_instances where organization = 'mine'";
  expect((await to.pool.query(mine)).rows).toEqual([{ count: 20 }]);
  await leaveKeys(to.pool, holder);
  expect(await load({ replace: true })).toBe(0);
  expect((await to.pool.query(mine)).rows).toEqual([{ count: 0 }]);
  expect((await to.pool.query('select * from foreign_goods')).rows).toEqual([]);
  // It is a database like another: the next program finds its tables.
  expect(await migrate(to.pool, sets)).toEqual([]);
});

const other = (id: string, fillWith: string) => `${id}:${Buffer.alloc(32, fillWith).toString('base64')}`;

test.each([
  ['another key under the same id', other('one', 'two'), "key 'one' is not the key that this database"],
  ['a key of another id', other('two', 'one'), "ENCRYPTION_KEYS lacks key 'one'"],
])('With %s nothing is loaded.', async (_what, ring, sentence) => {
  await fill(from);
  await save();
  await expect(load({ ring: readKeys(ring) })).rejects.toThrow(sentence);
  expect((await to.pool.query('select from pg_tables where schemaname = $1', [to.schema])).rowCount).toBe(0);
});

test('Records that could not be read are loaded all the same, and counted', async () => {
  await fill(from);
  await from.pool.query(
    `update service_instances set confidential = replace(confidential, '"data":"', '"data":"AAAA') where id = $1`,
    [idOf(3)],
  );
  await save();
  expect(await load()).toBe(1);
});

test('A file that is cut, changed, of another kind or of a newer program is told as such, and changes nothing', async () => {
  await fill(from);
  await save();
  const text = readFileSync(file, 'utf8');
  const cases: readonly (readonly [string, string])[] = [
    [text.slice(0, text.lastIndexOf('\n', text.length - 2)), 'is not whole: its end is missing'],
    [text.replace('"table":"nodes"', '"table":"n0des"'), 'is damaged: its sum is another one'],
    ['{"some":"thing"}\n', "is not what 'state save' writes"],
    ['', 'is not whole'],
    [text.replace('"format":1', '"format":2'), 'was written by a newer program'],
  ];
  for (const [changed, sentence] of cases) {
    writeFileSync(file, changed);
    await expect(load()).rejects.toThrow(sentence);
  }
  await expect(openState(`${file}-none`)).rejects.toThrow('there is no such file');
  await expect(openState(directory)).rejects.toThrow('it is a directory');
  expect((await to.pool.query('select from pg_tables where schemaname = $1', [to.schema])).rowCount).toBe(0);
});

test('What an older program has saved is loaded by a newer one, and not the other way round', async () => {
  const newer = scratchDirectory('newer');
  const [{ directory: ours }] = sets as [MigrationSet];
  for (const one of readdirSync(ours)) copyFileSync(join(ours, one), join(newer, one));
  appendFileSync(
    join(newer, '9999_more.sql'),
    "alter table service_instances add column more text;\nupdate service_instances set more = 'of ' || id;\n",
  );
  const later = [{ name: 'broker', directory: newer }, ...sets.slice(1)];
  await fill(from);
  await save();
  expect(await load({ what: later })).toBe(0);
  const { rows } = await to.pool.query('select more from service_instances where id = $1', [idOf(1)]);
  expect(rows).toEqual([{ more: `of ${idOf(1)}` }]);
  await migrate(from.pool, later);
  await expect(saveState(from.pool, sets, `${file}-2`, () => undefined)).rejects.toThrow(
    'The database is newer than this program',
  );
  await saveState(from.pool, later, `${file}-2`, () => undefined);
  file = `${file}-2`;
  await expect(load({ replace: true })).rejects.toThrow(
    "The file is newer than this program: it has the migration 9999_more.sql of 'broker'.",
  );
});

test('A save shows one moment, keeps nobody from writing, and puts itself in the place of no file', async () => {
  await fill(from);
  const before = await everythingIn(from);
  let isChanged = false;
  await saveState(from.pool, sets, file, () => {
    if (isChanged) return;
    isChanged = true;
    void from.pool.query("update service_instances set organization = 'later'");
  });
  await expect(save()).rejects.toThrow(`${file} is there already`);
  await load();
  expect((await everythingIn(to))['service_instances']).toEqual(before['service_instances']);
  await expect(saveState(to.pool, sets, '/nowhere/file', () => undefined)).rejects.toThrow(
    '/nowhere/file cannot be written: there is no such file or directory.',
  );
  expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('Where no broker has been there is nothing to save', async () => {
  await expect(save()).rejects.toThrow('There is nothing to save: no broker has used this database yet.');
});

test('All that migrations make is known by name, so that nothing is forgotten', async () => {
  await migrate(from.pool, sets);
  const made = await madeBy(sets);
  const { rows: tables } = await from.pool.query<{ name: string }>(
    'select tablename as name from pg_tables where schemaname = $1',
    [from.schema],
  );
  const { rows: functions } = await from.pool.query<{ name: string }>(
    'select proname as name from pg_proc where pronamespace = $1::regnamespace',
    [from.schema],
  );
  const names = (rows: readonly { name: string }[]) => rows.map(({ name }) => name).toSorted();
  expect([...made.tables, 'schema_migrations'].toSorted()).toEqual(names(tables));
  expect(made.functions.toSorted()).toEqual(names(functions));
});
