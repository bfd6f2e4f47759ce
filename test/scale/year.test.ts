import { randomBytes } from 'node:crypto';
import type { Store } from '../../src/broker/store.ts';
import { heldUpgrades } from '../../src/program/upgrades/held.ts';
import { storedWebhooks } from '../../src/program/webhooks/stored.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { startWholeBroker } from '../support/whole-broker.ts';
import { writeOfferings } from './offerings.ts';

/** A year of history, week by week, each followed by what brokers clear away. */

const weeks = 52;
const eachWeek = 200;
const day = 86_400_000;
const kept = { history: 30 * day, audit: 90 * day };
/** By then as much goes as comes. */
const settled = 14;

const tables = [
  'operations',
  'operation_steps',
  'audit_trail',
  'webhook_deliveries',
  'upgrade_runs',
  'upgrade_items',
] as const;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
  const env = {
    CATALOG_DIR: writeOfferings(scratchDirectory('year')),
    ENCRYPTION_KEYS: `year:${randomBytes(32).toString('base64')}`,
  };
  await (await startWholeBroker(database, env)).stop();
  await database.pool.query(
    `insert into webhook_receivers (name, target) values ('receiver', 'http://there')`,
  );
});
afterAll(() => database.close());

/** What a week leaves behind, of so many days ago. */
const left = [
  `insert into operations (id, kind, instance_id, offering_id, plan_id, state, attempt, failures, origin, confidential,
    created_at, finished_at, due_at, deadline)
  select $1::text || '-' || n, 'provision', n, 'echoes', 'echoes-plan', 'succeeded', 1, 0, '{}', '{}', at, at, at, at
  from generate_series(1, $3::integer) n, lateral (select now() - $2::integer * interval '1 day' as at) t`,
  `insert into operation_steps (operation_id, number, step, tries, undo, ms)
  select $1::text || '-' || n, 1, 'make', 1, false, $2::integer from generate_series(1, $3::integer) n`,
  `insert into audit_trail (id, at, broker, protocol, verb, object_kind, instance_id, outcome, ended_at, confidential)
  select $1::text || '-' || n, now() - $2::integer * interval '1 day', 'broker', 'osb', 'provision', 'instance', n,
    'succeeded', now(), '{}' from generate_series(1, $3::integer) n`,
  `insert into webhook_deliveries (id, receiver, event, data, state, since)
  select $1::text || '-' || n, 'receiver', 'operation.succeeded', '{}', 'dead', now() - $2::integer * interval '1 day'
  from generate_series(1, $3::integer) n`,
  `insert into upgrade_runs (id, state, filter, canaries, at_once, stop_after, watch_ms, approval, origin, finished_at)
  select $1::text, 'succeeded', '{}', 1, 1, $3::integer, 0, false, '{}', now() - $2::integer * interval '1 day'`,
  `insert into upgrade_items (run_id, position, instance_id, state, due_at)
  select $1::text, n, n, 'succeeded', now() - $2::integer * interval '1 day' from generate_series(1, $3::integer) n`,
];

async function liveAWeek(week: number, daysAgo: number): Promise<void> {
  for (const text of left) await database.pool.query(text, [`week-${week}`, daysAgo, eachWeek]);
}

/** As brokers do it, by the clock of then. */
async function clearAway(store: Store, daysAgo: number): Promise<void> {
  const { pool } = database;
  await store.prune(daysAgo * day + kept.history);
  while ((await store.audit.prune(daysAgo * day + kept.audit, 1000)) === 1000);
  await storedWebhooks(pool, 'holder').prune(daysAgo * day + kept.history);
  await heldUpgrades(pool, 'holder').prune(daysAgo * day + kept.history);
  await pool.query(`vacuum ${tables.join(', ')}`);
}

test('In a year the tables of what has been keep their number of rows, and their size on the disk.', async () => {
  const store = postgresStore(database.pool);
  const counts: object[] = [];
  const sizes: Record<string, number>[] = [];
  for (let week = 1; week <= weeks; week++) {
    const daysAgo = (weeks - week) * 7;
    await liveAWeek(week, daysAgo);
    await clearAway(store, daysAgo);
    counts.push(await each('count(*)', (table) => table));
    sizes.push(await each('pg_total_relation_size(t)', (table) => `regclass('${table}') t`));
  }
  const ofHistory = 5 * eachWeek;
  expect(counts.slice(settled)).toEqual(
    Array.from({ length: weeks - settled }, () => ({
      operations: ofHistory,
      operation_steps: ofHistory,
      // And the catalog of the first start.
      audit_trail: 13 * eachWeek + 1,
      webhook_deliveries: ofHistory,
      upgrade_runs: 5,
      upgrade_items: ofHistory,
    })),
  );
  const grown = tables.map(
    (table) => [table, (sizes.at(-1)?.[table] ?? NaN) / (sizes[settled]?.[table] ?? NaN)] as const,
  );
  expect(grown.filter(([, ratio]) => !(ratio < 1.5))).toEqual([]);
});

async function each(what: string, from: (table: string) => string): Promise<Record<string, number>> {
  const parts = tables.map((table) => `(select ${what} from ${from(table)})::integer as ${table}`);
  const { rows } = await database.pool.query<Record<string, number>>(`select ${parts.join(', ')}`);
  return rows[0] ?? {};
}
