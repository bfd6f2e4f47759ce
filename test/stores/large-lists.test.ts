import type { Pool } from 'pg';
import type { ListQuery, OperationsQuery } from '../../src/broker/listing.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { queryThrough, type Query } from '../../src/postgres/query.ts';
import { renderSql, sql, type Sql } from '../../src/postgres/sql.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { list, listOperations } from '../../src/stores/postgres/list.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

/** How Postgres finds a page among very many rows: by an index, in its order, without looking at the others. */

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
  await fill(database.pool);
});
afterAll(() => database.close());

async function fill(pool: Pool): Promise<void> {
  await pool.query(`
    insert into plan_revisions (revision, offering_id, plan_id, definition)
      values ('old', 'offering-1', 'plan-1', '{}'), ('new', 'offering-1', 'plan-1', '{}')`);
  await pool.query(`
    insert into service_instances (id, version, offering_id, plan_id, revision, context, ready, confidential, node,
      cost, platform, organization, organization_guid, space, space_guid, created_at)
    select md5(n::text), 1, 'offering-' || n % 50, 'plan-' || n % 50,
      case when n % 5000 = 0 then 'old' else 'new' end, '{}', n % 5000 <> 1, '{}', 'node-' || n % 100, 1,
      'platform-' || n % 40, 'organization-' || n % 400, 'o-' || n % 400, 'space-' || n % 900, 's-' || n % 900,
      now() - n * interval '1 minute'
    from generate_series(1, 50000) n`);
  await pool.query(`
    insert into operations (id, kind, instance_id, offering_id, plan_id, state, attempt, failures, origin,
      confidential, created_at, finished_at, deadline)
    select 'operation-' || n, 'update', md5(n::text), 'offering-' || n % 50, 'plan-1',
      case when n % 5000 = 0 then 'in progress' when n % 1000 = 1 then 'failed' else 'succeeded' end, 1, 0,
      '{}', '{}', now() - n * interval '1 minute', case when n % 5000 = 0 then null else now() end, now()
    from generate_series(1, 50000) n`);
  await pool.query('analyze');
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Plan Rows': number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** What reads a whole table, or sorts much of one, in the part that finds the page. */
async function costly(ask: (query: Query) => Promise<unknown>): Promise<readonly string[]> {
  const sent: Sql[] = [];
  const query = queryThrough(database.pool);
  await ask((statement) => {
    sent.push(statement);
    return query(statement);
  });
  const { text, values } = renderSql(sent.at(-1) ?? sql`select`);
  const { rows } = await database.pool.query<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
    `explain (format json) ${text}`,
    values,
  );
  const limit = flatten(rows[0]?.['QUERY PLAN'][0]?.Plan).find((one) => one['Node Type'] === 'Limit');
  expect(limit).toBeDefined();
  return flatten(limit)
    .filter((one) => isCostly(one))
    .map((one) => `${one['Node Type']} ${one['Relation Name'] ?? ''}`.trim());
}

/** Of 50000 rows. */
const few = 2000;

function isCostly(one: PlanNode): boolean {
  return one['Node Type'].includes('Seq Scan') || (one['Node Type'] === 'Sort' && one['Plan Rows'] > few);
}

function flatten(node: PlanNode | undefined): readonly PlanNode[] {
  return node ? [node, ...(node.Plans ?? []).flatMap(flatten)] : [];
}

test.each<Omit<ListQuery, 'limit'>>([
  {},
  { after: '8000' },
  { offeringId: 'offering-7' },
  { offeringId: 'offering-7', planIds: ['plan-7'] },
  { node: 'node-3' },
  { platform: 'platform-9' },
  { organization: 'organization-9' },
  { organizationGuid: 'o-9' },
  { space: 'space-9' },
  { spaceGuid: 's-9' },
  { state: 'ready' },
  { state: 'failed' },
  { state: 'updating' },
  { olderThan: 49_990 * 60_000 },
  { youngerThan: 60 * 60_000 },
  { driftedFrom: [{ offeringId: 'offering-1', id: 'plan-1', revision: 'new' }] },
])('A page of instances with %j is found without reading the table.', async (asked) => {
  expect(await costly((query) => list(query, { limit: 100, ...asked }))).toEqual([]);
});

test.each<Omit<OperationsQuery, 'limit'>>([
  {},
  { state: 'failed' },
  { state: 'in progress' },
  { state: 'succeeded' },
  { olderThan: 49_990 * 60_000 },
  { youngerThan: 3_600_000 },
  { instanceId: 'c4ca4238a0b923820dcc509a6f75849b' },
])('A page of operations with %j is found without reading or sorting the table.', async (asked) => {
  expect(await costly((query) => listOperations(query, { limit: 100, ...asked }))).toEqual([]);
  const { next: after } = await listOperations(queryThrough(database.pool), { limit: 2, ...asked });
  if (after === undefined) return;
  expect(await costly((query) => listOperations(query, { limit: 100, ...asked, after }))).toEqual([]);
});
