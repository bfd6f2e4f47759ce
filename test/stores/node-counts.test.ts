import type { Pool } from 'pg';
import { openPool } from '../../src/postgres/connections.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { postgresNodes } from '../../src/stores/postgres/nodes.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { heldFromBirth, numbered, readInstance } from './contract/steps.ts';
import {
  aNodeIn,
  aPlacedInstance,
  aRoom,
  placeOne,
  type Remembered,
  rememberedInPostgres,
  removeIn,
} from './contract/remembered.ts';

/** Nodes count what they have: it is always what is there. */

let database: TestDatabase;
let pools: readonly Pool[];

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
});
beforeEach(() => {
  pools = numbered(2).map(() => openPool({ ...database.config, application_name: database.schema }));
});
afterEach(async () => {
  for (const pool of pools) await pool.end();
  await database.pool.query('truncate service_instances, operations, nodes, node_ports cascade');
});
afterAll(() => database.close());

function brokers(): readonly Remembered[] {
  const stores = pools.map((pool) => postgresStore(pool, { channel: database.schema }));
  return pools.map((pool, at) => {
    const [here, there] = [stores[at], stores[1 - at]];
    if (!here || !there) throw new Error('There are two.');
    return rememberedInPostgres(pool, here, there);
  });
}

/** Each with what it has counted, and what is there. */
async function countedAndThere(): Promise<readonly (readonly [counted: unknown, there: unknown])[]> {
  const { rows } = await database.pool.query<{ counted: unknown; there: unknown }>(`
    select json_build_array(n.instances, n.used::float8, n.ports_taken) as counted, json_build_array(
      (select count(*) from service_instances i where i.node = n.name),
      (select coalesce(sum(greatest(i.cost, o.cost)), 0)::float8
        from service_instances i left join operations o on o.id = i.operation_id
        where i.node = n.name and (i.ready or i.operation_id is not null)),
      (select count(*) from node_ports p where p.node = n.name and p.instance_id is not null)) as there
    from nodes n order by n.name`);
  return rows.map(({ counted, there }) => [counted, there]);
}

/** Made or not, larger or not, gone or not: as far as it comes. */
async function live(broker: Remembered, id: string, at: number): Promise<void> {
  const { store, ports } = broker;
  const demand = { room: aRoom({ cost: 1 + (at % 3) }) };
  const placed = await placeOne(broker, { id }, demand);
  if (placed === 'stale' || 'short' in placed) return;
  const { placed: instance, operation } = placed;
  const node = instance.place?.node ?? '';
  await ports.take(node, id, ['main', 'admin']);
  const held = { operation, instance, remainingMs: 1000 };
  if (at % 5 === 0) {
    await store.settle(held, { failure: { word: 'w', sentence: 's' } });
    return;
  }
  await store.settle(held, { instance: { put: { ...instance, ready: true } } });
  const larger = heldFromBirth('update', { instanceId: id });
  const now = (await store.findInstance(id))?.instance;
  if (!now) return;
  const changing = { operation: larger, leaseMs: 1000, instance: { put: now } };
  await store.place(changing, { room: aRoom({ cost: 7, on: node }) });
  if (at % 5 === 1) return;
  await store.settle({ operation: larger, instance: now, remainingMs: 1000 }, {});
  const last = (await store.findInstance(id))?.instance;
  if (!last || at % 5 === 2) return;
  await ports.release(node, id);
  const removal = heldFromBirth('deprovision', { instanceId: id });
  await store.open({ operation: removal, leaseMs: 1000, instance: { put: last } });
  await store.settle(
    { operation: removal, instance: last, remainingMs: 1000 },
    { instance: { remove: last } },
  );
}

test('With two brokers at once whose sessions are ended in the middle, nodes count exactly what they have.', async () => {
  const [one, other] = brokers();
  if (!one || !other) throw new Error('There are two.');
  for (const name of ['n1', 'n2', 'n3']) await aNodeIn(one, { name, capacity: 100 });
  let living = true;
  const ending = (async () => {
    for (let times = 0; living && times < 200; times += 1)
      await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and state = 'active'
        order by random() limit 1`,
        [database.schema],
      );
  })();
  const ends = await Promise.allSettled(numbered(100).map((at) => live(at % 2 ? one : other, `i${at}`, at)));
  living = false;
  await ending;
  expect(ends.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  const all = await countedAndThere();
  expect(all.map(([counted]) => counted)).toEqual(all.map(([, there]) => there));
  expect(all.flatMap(([counted]) => counted)).not.toContain(0);
}, 120_000);

test('A node that is forgotten with all that it had has nothing when it comes again, and one with a former name has what is there.', async () => {
  const [broker] = brokers();
  if (!broker) throw new Error('There are two.');
  await aNodeIn(broker, { capacity: 100 });
  for (const at of numbered(5)) await aPlacedInstance(broker, { id: `i${at}` });
  const nodes = postgresNodes(database.pool);
  await nodes.leave('n1', 'broker-n1');
  expect(await nodes.forget('n1', true)).toBe(true);
  await aNodeIn(broker);
  expect(await countedAndThere()).toEqual([
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
  ]);
  await aPlacedInstance(broker, { id: 'i6' });
  await database.pool.query('delete from nodes');
  await aNodeIn(broker);
  expect(await countedAndThere()).toEqual([
    [
      [1, 1, 0],
      [1, 1, 0],
    ],
  ]);
});

test('What is of no node leaves no trace at nodes.', async () => {
  const [broker] = brokers();
  if (!broker) throw new Error('There are two.');
  await aNodeIn(broker);
  const before = await database.pool.query('select ctid from nodes');
  const placed = await placeOne(broker, {}, { maxInstances: 9 });
  if (placed === 'stale' || 'short' in placed) throw new Error('It was not placed.');
  const { operation, placed: instance } = placed;
  await broker.store.settle(
    { operation, instance, remainingMs: 1000 },
    { instance: { put: { ...instance, ready: true } } },
  );
  await removeIn(broker, await readInstance(broker.store));
  expect((await database.pool.query('select ctid from nodes')).rows).toEqual(before.rows);
});
