import { migrate } from '../../src/postgres/migrate.ts';
import { type BackupTurns, backupTurns } from '../../src/program/backups/turns.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

/** Turns are found by entries, which may be absent, late or wrong: what is due is what is due all the same. */

const day = 86_400_000;
const daily = { offeringId: 'files', planId: 'daily', every: day };
const weekly = { offeringId: 'files', planId: 'weekly', every: 7 * day };
const plans = [daily, weekly];
let database: TestDatabase;
let turns: BackupTurns;

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
  turns = backupTurns(database.pool);
});
beforeEach(async () => {
  await database.pool.query('truncate service_instances, backups cascade');
});
afterAll(() => database.close());

async function made(count: number, planId: string, daysAgo: number, ready = true): Promise<void> {
  await database.pool.query(
    `insert into service_instances (id, version, offering_id, plan_id, revision, context, ready, confidential, created_at)
    select $2 || n, 1, 'files', $2, 'r', '{}', $4, '{}', now() - ($3::float8 + n / 100.0) * interval '1 day'
    from generate_series(1, $1::integer) n`,
    [count, planId, daysAgo, ready],
  );
}

/** As a broker goes through all instances once. */
async function enterAll(): Promise<number> {
  let pages = 0;
  for (const plan of plans) {
    let after: string | undefined;
    do {
      after = await turns.enter(plan, after);
      pages += 1;
    } while (after !== undefined);
  }
  return pages;
}

async function due(): Promise<string | undefined> {
  const turn = await turns.claim(plans, day);
  if (turn) await turns.pass(turn);
  return turn?.instanceId;
}

test('However many there are, all that are due have their turn once, those first that are due longest.', async () => {
  // Of which the last twenty are a week old.
  await made(520, 'weekly', 1.995);
  await made(3, 'daily', 0.5);
  expect(await enterAll()).toBe(3);
  const order: (string | undefined)[] = [];
  for (let at = 0; at <= 20; at += 1) order.push(await due());
  expect(order).toEqual([...Array.from({ length: 20 }, (_, at) => `weekly${520 - at}`), undefined]);
});

test('Two who claim at once get no turn twice.', async () => {
  await made(10, 'daily', 2);
  await enterAll();
  const claimed = (await Promise.all(Array.from({ length: 20 }, () => turns.claim(plans, day)))).flatMap(
    (turn) => (turn ? [turn.instanceId] : []),
  );
  expect(claimed.length).toBeGreaterThan(0);
  expect(new Set(claimed).size).toBe(claimed.length);
});

test('An instance of another plan than before is due when that plan says so.', async () => {
  await made(1, 'weekly', 2);
  await enterAll();
  expect(await due()).toBeUndefined();
  await database.pool.query(`update service_instances set plan_id = 'daily'`);
  await enterAll();
  expect(await due()).toBe('weekly1');
  await database.pool.query(`update service_instances set plan_id = 'weekly'`);
  await database.pool.query(`update backup_turns set last_at = last_at - interval '2 days', since = null`);
  await enterAll();
  expect(await due()).toBeUndefined();
});

test('What is not ready has no turn, until it is.', async () => {
  await made(1, 'daily', 2, false);
  await enterAll();
  expect(await due()).toBeUndefined();
  await database.pool.query('update service_instances set ready = true');
  await enterAll();
  await database.pool.query('update service_instances set ready = false');
  expect(await due()).toBeUndefined();
  await database.pool.query('update service_instances set ready = true');
  expect(await due()).toBe('daily1');
});

test('A turn that a broker of before has passed is not due by its entry, and is found when it is.', async () => {
  await made(1, 'daily', 2);
  await enterAll();
  await database.pool.query('update backup_turns set last_at = now()');
  expect(await due()).toBeUndefined();
  await database.pool.query(`update backup_turns set last_at = now() - interval '1 day', plan_id = null`);
  expect(await due()).toBeUndefined();
  await enterAll();
  expect(await due()).toBe('daily1');
});

test('Of very many backups those that have had their time are found, page by page, each once.', async () => {
  await made(60, 'daily', 0);
  await database.pool.query(`
    insert into backups (id, name, instance_id, offering_id, plan_id, revision, size, sha256, protocol, created_at)
    select i.id || '-' || n, 'n', i.id, 'files', 'daily', 'r', 1, '', case when n = 4 then 'operator' else 'broker' end,
      now() - n * interval '1 day' from service_instances i, generate_series(1, 4) n
    union all select 'alone', 'n', 'gone', 'files', 'daily', 'r', 1, '', 'broker', now() - interval '9 days'`);
  const found: string[] = [];
  let after: string | undefined;
  let pages = 0;
  do {
    const { ids, next } = await turns.expired([{ planId: 'daily', count: 2, time: 8 * day }], after);
    found.push(...ids);
    after = next;
    pages += 1;
  } while (after !== undefined);
  expect(pages).toBe(2);
  expect(found.filter((id) => id.endsWith('-3')).length).toBe(60);
  expect(found.filter((id) => !id.endsWith('-3'))).toEqual(['alone']);
});
