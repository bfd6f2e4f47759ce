import { randomBytes } from 'node:crypto';
import type { Store } from '../../src/broker/store.ts';
import { readKeys } from '../../src/stores/keyring.ts';
import { sealText } from '../../src/stores/sealed-text.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { resealRows } from '../../src/stores/postgres/reseal.ts';
import { resealer, sealedStore } from '../../src/stores/sealed.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { aBindingIn, anInstanceIn, begun, long, open, provisioning, readInstance } from './contract/steps.ts';
import { empty } from './contract/remembered.ts';

const keyOf = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const own = readKeys(keyOf('k1'));
const strange = readKeys(keyOf('lost'));

let database: TestDatabase;
let plain: Store;
let store: Store;
let told: string[];

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
  plain = postgresStore(database.pool, { channel: database.schema });
});
afterAll(() => database.close());
beforeEach(async () => {
  await empty(database.pool);
  told = [];
  store = sealedStore(plain, own, ({ table, ids }, detail) =>
    told.push(`${table} ${ids.join('/')}: ${detail}`),
  );
});

/** Every way in which a row can be beyond reading. */
const damages: Readonly<Record<string, (place: string) => string>> = {
  'under a key that nobody has': (place) => JSON.stringify({ sealed: sealText(strange, place, '{}') }),
  'sealed for another row': () => JSON.stringify({ sealed: sealText(own, 'elsewhere', '{}') }),
  'cut off': (place) => JSON.stringify({ sealed: sealText(own, place, '{}') }).slice(0, -20),
  'sealed without its data': () => JSON.stringify({ sealed: { key: 'k1' } }),
  'sealed without anything': () => JSON.stringify({ sealed: null }),
  'sealed, and no JSON inside': (place) => JSON.stringify({ sealed: sealText(own, place, 'no JSON') }),
  'sealed, and no object inside': (place) => JSON.stringify({ sealed: sealText(own, place, 'null') }),
  'no object': () => 'null',
  empty: () => '',
};

async function damage(how: string, table: string, id: string, ids = [id]): Promise<void> {
  const text = damages[how]?.(`${table} ${JSON.stringify(ids)}`);
  const { rowCount } = await database.pool.query(`update ${table} set confidential = $1 where id = $2`, [
    text,
    id,
  ]);
  expect(rowCount).toBe(1);
}

describe.each(Object.keys(damages))('a row that is %s', (how) => {
  test('An unreadable row refuses who asks for it with a sentence, and nobody else; it is told of once.', async () => {
    const instance = await anInstanceIn(store, { id: 'bad' });
    await anInstanceIn(store, { id: 'good' });
    await aBindingIn(store, instance, { id: 'b1' });
    await damage(how, 'service_instances', 'bad');
    const refused = { code: 'unreadable', message: expect.stringMatching(/cannot read .* service instance/) };
    await expect(store.findInstance('bad')).rejects.toMatchObject(refused);
    await expect(store.findBinding('bad', 'b1')).rejects.toMatchObject(refused);
    await readInstance(store, 'good');
    expect(await store.list({ limit: 10 })).toMatchObject([
      { instance: { id: 'bad' }, bindings: 1 },
      { instance: { id: 'good' } },
    ]);
    expect(told).toEqual([expect.stringMatching(/^service_instances bad: ./)]);
  });

  test('An unreadable row is passed over by those who look for what is due: operations, units, expired bindings.', async () => {
    for (const id of ['i1', 'i2', 'i3']) await open(store, provisioning({ id }));
    const { rows } = await database.pool.query(`select id from operations where instance_id = 'i1'`);
    await damage(how, 'operations', rows[0].id);
    await damage(how, 'service_instances', 'i2');
    expect((await store.claim('worker', long))?.instance.id).toBe('i3');
    expect(await store.claim('worker', long)).toBeUndefined();
    const due = Number(await store.nextDue());
    expect(due).toBeGreaterThan(0);
    expect(due).toBeLessThanOrEqual(3000);
    for (const id of ['u1', 'u2']) await anInstanceIn(store, { id, checkEvery: 10_000 });
    await damage(how, 'service_instances', 'u1');
    expect((await store.claimUnitCheck())?.instance.id).toBe('u2');
    expect(await store.claimUnitCheck()).toBeUndefined();
    await aBindingIn(store, await readInstance(store, 'u2'), { id: 'b1', expiresAt: new Date(0) });
    await damage(how, 'service_bindings', 'b1', ['u2', 'b1']);
    expect(await store.expired(1)).toMatchObject([{ instanceId: 'u2', id: 'b1' }]);
    expect(told).toHaveLength(3);
  });

  test('An unreadable row still says how an operation goes.', async () => {
    const instance = await anInstanceIn(store);
    const operation = begun('update', { instanceId: 'i1' });
    await open(store, { operation, leaseMs: 0, instance: { put: instance } });
    await damage(how, 'operations', operation.id);
    expect((await store.lastOperation({ instanceId: 'i1' })).operation).toMatchObject({
      state: 'in progress',
    });
    expect((await store.history('i1', 9))[0]).toMatchObject({ id: operation.id, confidential: {} });
  });

  test('An unreadable row does not keep the others from being sealed anew, and stays as it is.', async () => {
    for (const id of ['i1', 'i2', 'i3']) await anInstanceIn(store, { id });
    await damage(how, 'service_instances', 'i2');
    const now = async () =>
      (await database.pool.query(`select confidential from service_instances where id = 'i2'`)).rows[0];
    const before = await now();
    const unread = new Set<string>();
    const both = readKeys(`${keyOf('k2')},${keyOf('other')}`);
    const ring = [both[0], ...own] as const;
    const options = {
      batch: 1,
      onUnreadable: (row: { ids: readonly string[] }) => unread.add(row.ids.join('/')),
    };
    expect(await resealRows(database.pool, resealer(ring), options)).toBe(2);
    expect([...unread]).toEqual(['i2']);
    expect(await now()).toEqual(before);
  });
});
