import { randomBytes } from 'node:crypto';
import type { Store } from '../../src/broker/store.ts';
import { auditOutcomes } from '../../src/broker/audit.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { renderSql } from '../../src/postgres/sql.ts';
import { readKeys } from '../../src/stores/keyring.ts';
import { writePageMark } from '../../src/stores/page-mark.ts';
import { auditPage } from '../../src/stores/postgres/audit/trail.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { resealRows } from '../../src/stores/postgres/reseal.ts';
import { resealer, sealedStore } from '../../src/stores/sealed.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { anEntry } from './contract/audit.ts';

/** Of a trail of many rows, most of which succeeded. */
const rows = 50_000;

const oldKey = `k1:${randomBytes(32).toString('base64')}`;
const newKey = `k2:${randomBytes(32).toString('base64')}`;

let database: TestDatabase;
let store: Store;

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
  store = postgresStore(database.pool);
  await database.pool.query(
    `insert into audit_trail (id, at, broker, protocol, principal, verb, object_kind, object_id, instance_id, outcome,
      confidential)
    select 'old-' || n, now() - interval '500 days' + n * interval '1 second', 'b', 'osb', 'user-' || n % 1000,
      case when n % 1000 = 0 then 'drain' else 'bind' end, 'binding', 'binding-' || n, 'instance-' || n % 5000,
      case when n % 1000 = 1 then 'failed' else 'succeeded' end, '{}'
    from generate_series(1, $1::integer) n`,
    [rows],
  );
  await database.pool.query('analyze audit_trail');
});
afterAll(() => database.close());

async function write(statement: string, values: readonly unknown[] = []): Promise<string> {
  return database.pool.query(statement, [...values]).then(
    () => 'done',
    ({ message }: Error) => message,
  );
}

describe('The rows of the audit trail', () => {
  test.each([
    ['whose verb is another one', `verb = 'log'`],
    ['whose time is another one', `at = now()`],
    ['whose principal goes', 'principal = null'],
    ['whose content before it is another one', `before = '{"a":1}'`],
  ])('Postgres refuses a row %s', async (_what, change) => {
    const entry = anEntry();
    await store.audit.record(entry);
    expect(await write(`update audit_trail set ${change} where id = $1`, [entry.id])).toBe(
      'What stands in the audit trail is not changed.',
    );
  });

  test('Postgres refuses another outcome than the first one', async () => {
    const entry = anEntry({ outcome: 'failed' });
    await store.audit.record(entry);
    const change = `update audit_trail set outcome = 'succeeded' where id = $1`;
    expect(await write(change, [entry.id])).toBe('What stands in the audit trail is not changed.');
  });

  test('Postgres refuses to delete a row that is younger than a day, and to empty the table', async () => {
    const entry = anEntry();
    await store.audit.record(entry);
    expect(await write('delete from audit_trail where id = $1', [entry.id])).toMatch(/younger than a day/);
    expect(await write('truncate audit_trail')).toMatch(/is not emptied/);
    expect(await write(`delete from audit_trail where id = 'old-1'`)).toBe('done');
  });
});

/** How Postgres finds the rows of a page. */
async function planOf(query: Parameters<typeof auditPage>[0]): Promise<string> {
  const { text, values } = renderSql(auditPage(query));
  const { rows: lines } = await database.pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
  return lines.map((line) => line['QUERY PLAN']).join('\n');
}

describe('A page of the audit trail', () => {
  let after: string;
  beforeAll(async () => {
    const middle = `select to_json(at)#>>'{}' as at from audit_trail where id = 'old-25000'`;
    const { rows } = await database.pool.query<{ at: string }>(middle);
    after = writePageMark([rows[0]?.at ?? '', 'old-25000']);
  });
  test.each([
    ['without a filter', {}, 'audit_trail_at'],
    ['by instance', { instanceId: 'instance-7' }, 'audit_trail_instance'],
    ['by object', { objectId: 'binding-7' }, 'audit_trail_object'],
    ['by verb', { verb: 'drain' as const }, 'audit_trail_verb'],
    ['by principal', { principal: 'user-7' }, 'audit_trail_principal'],
    ['by a failed outcome', { outcome: 'failed' as const }, 'audit_trail_trouble'],
    ['by time', { since: new Date(0), until: new Date() }, 'audit_trail_at'],
  ])('Postgres reads a page %s by an index, and scans nothing', async (_by, query, index) => {
    for (const oldestFirst of [false, true]) {
      const plan = await planOf({ ...query, after, oldestFirst, limit: 100 });
      expect(plan).toMatch(new RegExp(`(using|on) ${index} `));
      expect(plan).not.toContain('Seq Scan');
    }
  });

  test.each(auditOutcomes)('The outcome %s finds rows with it and no others', async (outcome) => {
    const found = (await store.audit.list({ outcome, principal: 'user-1', limit: 10 })).entries;
    expect(found.every((one) => one.outcome === outcome)).toBe(true);
    expect(found.length > 0).toBe(outcome === 'failed');
  });
});

test('Old entries of the trail are forgotten in batches, the oldest first', async () => {
  const count = async () =>
    Number((await database.pool.query('select count(*) from audit_trail')).rows[0].count);
  const before = await count();
  expect(await store.audit.prune(400 * 86_400_000, 100)).toBe(100);
  expect(await count()).toBe(before - 100);
  expect((await store.audit.list({ objectId: 'binding-50', limit: 1 })).entries).toEqual([]);
  expect((await store.audit.list({ objectId: 'binding-5000', limit: 1 })).entries).toHaveLength(1);
  expect(await store.audit.prune(600 * 86_400_000, 100)).toBe(0);
});

describe('What of the trail is data of persons', () => {
  const confidential = { identity: { user: 'somebody-by-name' }, address: '192.0.2.7' };

  async function rawOf(id: string): Promise<string> {
    const { rows: found } = await database.pool.query('select to_json(a) from audit_trail a where id = $1', [
      id,
    ]);
    return JSON.stringify(found);
  }

  test('The sealed store writes it encrypted, and reads it again after the key was changed', async () => {
    const entry = anEntry({ confidential });
    await sealedStore(store, readKeys(oldKey)).audit.record(entry);
    expect(await rawOf(entry.id)).not.toMatch(/somebody-by-name|192\.0\.2\.7/);
    const both = readKeys(`${newKey},${oldKey}`);
    await resealRows(database.pool, resealer(both));
    expect(await rawOf(entry.id)).toContain('k2');
    const fresh = sealedStore(store, readKeys(newKey));
    const { instanceId } = entry.object as { instanceId: string };
    const { entries } = await fresh.audit.list({ instanceId, limit: 1 });
    expect(entries).toMatchObject([{ id: entry.id, confidential }]);
  });

  test('An entry whose key is gone is told without it', async () => {
    const entry = anEntry({ confidential });
    await sealedStore(store, readKeys(oldKey)).audit.record(entry);
    const { instanceId } = entry.object as { instanceId: string };
    const found = (await sealedStore(store, readKeys(newKey)).audit.list({ instanceId, limit: 1 })).entries;
    expect(found).toMatchObject([{ id: entry.id, verb: 'exec', confidential: {} }]);
  });
});
