import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { Store } from '../../src/broker/store.ts';
import { readKeys } from '../../src/stores/keyring.ts';
import { openText, sealText } from '../../src/stores/sealed-text.ts';
import { memoryStore } from '../../src/stores/memory/index.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { resealRows } from '../../src/stores/postgres/reseal.ts';
import { resealer, sealedStore } from '../../src/stores/sealed.ts';
import { aBinding, anInstance } from '../broker/fixtures.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { describeStore, describeRemembered } from './contract.ts';
import {
  aBindingIn,
  anInstanceIn,
  begun,
  binding,
  claim,
  long,
  numbered,
  open,
  readBinding,
  readInstance,
} from './contract/steps.ts';
import { rememberedInMemory, rememberedInPostgres, empty, type Remembered } from './contract/remembered.ts';
import { until } from '../support/until.ts';

const oldKey = `k1:${randomBytes(32).toString('base64')}`;
const newKey = `k2:${randomBytes(32).toString('base64')}`;
const keys = readKeys(newKey);

let database: TestDatabase;
let plain: Store;
let another: Store;

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
  plain = postgresStore(database.pool, { listener: database.config, channel: database.schema });
  another = postgresStore(database.pool, { channel: database.schema });
});
afterAll(() => database.close());

async function emptied(): Promise<Store> {
  await empty(database.pool);
  return sealedStore(plain, keys);
}

async function emptiedTables(): Promise<Remembered> {
  await empty(database.pool);
  return rememberedInPostgres(database.pool, sealedStore(plain, keys), sealedStore(another, keys));
}

describeStore('the sealed store over memory', () => sealedStore(memoryStore(), keys));
describeStore('the sealed store over Postgres', emptied);
describeRemembered('the sealed store over memory', () =>
  rememberedInMemory((store) => sealedStore(store, keys)),
);
describeRemembered('the sealed store over Postgres', emptiedTables);

/** All that lies in the database, as text. */
async function dump(): Promise<string> {
  const tables = ['service_instances', 'service_bindings', 'operations'];
  const texts = tables.map((table) => `select to_json(t)::text as row from ${table} t`);
  const { rows } = await database.pool.query<{ row: string }>(texts.join(' union all '));
  return rows.map(({ row }) => row).join('\n');
}

const canary = 'CANARY-5d1c';
const secret = {
  parameters: { password: canary },
  secrets: { token: canary },
  facts: { seen: [canary] },
  dashboardUrl: `https://d/?token=${canary}`,
};

/** An instance, two bindings and an update, each in a different state and full of secrets. */
async function fill(store: Store): Promise<void> {
  const instance = await anInstanceIn(store, { confidential: secret });
  const answer = { credentials: { uri: canary }, syslogDrainUrl: canary, volumeMounts: [canary] };
  await aBindingIn(store, instance, { confidential: { ...secret, answer } });
  await open(store, binding(instance, { id: 'b2', confidential: { ...secret, answer } }));
  await store.postpone(await claim(store), {
    memo: canary,
    trace: canary,
    failures: 0,
    until: { holdMs: long },
  });
  const other = await anInstanceIn(store, { id: 'i2', confidential: secret });
  const target = { ...other, confidential: secret };
  const confidential = { memo: canary, request: { parameters: { a: canary } }, target };
  const operation = begun('update', { instanceId: 'i2', confidential });
  await open(store, { operation, leaseMs: 0, instance: { put: other } });
}

describe('what lies in the database', () => {
  test('What lies in the database shows no secret, at any time of an operation.', async () => {
    const store = await emptied();
    await fill(store);
    expect(await dump()).not.toContain(canary);
    const held = await claim(store);
    expect(held.operation.confidential.target?.confidential).toEqual(secret);
    await store.postpone(held, { memo: { again: canary }, failures: 0, until: { dueMs: 0 } });
    expect(await dump()).not.toContain(canary);
    const last = await claim(store);
    expect(last.operation.confidential).toMatchObject({
      memo: { again: canary },
      request: { parameters: { a: canary } },
    });
    await store.settle(last, { instance: { put: { ...last.instance, confidential: secret } } });
    expect(await dump()).not.toContain(canary);
    expect((await readInstance(store, 'i2')).confidential).toEqual(secret);
  });

  test('What lies in the database is legible where it holds no secret: why a step failed, whatever else is remembered with it.', async () => {
    const store = await emptied();
    await fill(store);
    const held = await claim(store);
    await store.postpone(held, { memo: canary, failures: 1, trouble: 'Error: no', until: { dueMs: 0 } });
    expect(await dump()).toContain('"trouble":"Error: no"');
    expect(await dump()).not.toContain(canary);
    expect((await claim(store)).operation.trouble).toBe('Error: no');
  });

  test('What lies in the database differs for the same secret, each time it is written.', async () => {
    const store = await emptied();
    await fill(store);
    const { rows } = await database.pool.query('select confidential from service_instances');
    const sealed = rows.map((row) => JSON.parse(row.confidential).sealed);
    expect(sealed.map(({ key }) => key)).toEqual(['k2', 'k2']);
    expect(new Set(sealed.map(({ iv }) => iv)).size).toBe(2);
    expect(new Set(sealed.map(({ data }) => data)).size).toBe(2);
    expect(Buffer.from(sealed[0].iv, 'base64')).toHaveLength(12);
  });

  test('What lies in the database opens in no other row.', async () => {
    const store = await emptied();
    await fill(store);
    await database.pool.query(`update service_instances set confidential =
      (select confidential from service_instances where id = 'i1') where id = 'i2'`);
    await expect(store.findInstance('i2')).rejects.toMatchObject({
      code: 'unreadable',
      cause: new Error(
        `service_instances ["i2"] cannot be decrypted: it was changed, or the key 'k2' is another one.`,
      ),
    });
    await readInstance(store, 'i1');
  });

  test('What lies in the database cannot be changed unnoticed.', async () => {
    const sealed = sealText(keys, 'here', 'text');
    const data = Buffer.from(sealed.data, 'base64');
    for (const at of numbered(data.length)) {
      const broken = Buffer.from(data);
      broken.writeUInt8(broken.readUInt8(at) ^ 1, at);
      expect(() => openText(keys, 'here', { ...sealed, data: broken.toString('base64') })).toThrow(
        'here cannot',
      );
    }
    expect(() => openText(keys, 'here', { ...sealed, data: '' })).toThrow('here cannot');
    expect(openText(keys, 'here', sealed)).toBe('text');
  });
});

describe('several keys', () => {
  test('The newest encrypts, and any decrypts.', async () => {
    await emptied();
    await fill(sealedStore(plain, readKeys(oldKey)));
    const store = sealedStore(plain, readKeys(`${newKey},${oldKey}`));
    expect((await readBinding(store)).confidential).toMatchObject(secret);
    await aBindingIn(store, await readInstance(store), { id: 'b3', confidential: { ...secret, answer: {} } });
    const { rows } = await database.pool.query(
      `select id, confidential::json #>> '{sealed,key}' as key from service_bindings order by id`,
    );
    expect(rows.map(({ id, key }) => `${id} ${key}`)).toEqual(['b1 k1', 'b2 k1', 'b3 k2']);
  });

  test('A key that is missing is named.', async () => {
    await emptied();
    await fill(sealedStore(plain, readKeys(oldKey)));
    await expect(sealedStore(plain, keys).findInstance('i1')).rejects.toMatchObject({
      code: 'unreadable',
      cause: new Error(
        `There is no encryption key with the id 'k1', which service_instances ["i1"] was encrypted with.`,
      ),
    });
  });

  test('Of a binding past its expiry is known under a missing key, too, that it is to be revoked.', async () => {
    await emptied();
    const old = sealedStore(plain, readKeys(oldKey));
    await aBindingIn(old, await anInstanceIn(old), { expiresAt: new Date(0) });
    expect(await sealedStore(plain, keys).expired(1)).toMatchObject([{ instanceId: 'i1', id: 'b1' }]);
  });

  test('After all rows were sealed anew the older key is not needed any more.', async () => {
    await emptied();
    await fill(sealedStore(plain, readKeys(oldKey)));
    const reseal = resealer(readKeys(`${newKey},${oldKey}`));
    // Two instances, two bindings, the bind and the update that are open; ended operations hold nothing.
    const progress: number[][] = [];
    const onProgress = (...numbers: number[]) => progress.push(numbers);
    expect(await resealRows(database.pool, reseal, { batch: 1, onProgress })).toBe(6);
    expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7].map((seen) => [seen, 7]));
    expect(await resealRows(database.pool, reseal)).toBe(0);
    const store = sealedStore(plain, keys);
    expect((await readInstance(store)).confidential).toEqual(secret);
    expect((await store.findBinding('i1', 'b2')).operation?.confidential).toEqual({
      memo: canary,
      trace: canary,
    });
    expect((await claim(store)).operation.confidential.target?.updatedAt).toBeInstanceOf(Date);
  });

  test('Rows from before there were keys are read, and sealed with the others.', async () => {
    const store = await emptied();
    await fill(plain);
    expect((await readInstance(store)).confidential).toEqual(secret);
    expect(await resealRows(database.pool, resealer(keys))).toBe(6);
    expect(await dump()).not.toContain(canary);
    expect((await readInstance(store)).confidential).toEqual(secret);
  });

  test('What a broker writes while rows are sealed anew is not overwritten.', async () => {
    await emptied();
    const both = readKeys(`${newKey},${oldKey}`);
    await fill(sealedStore(plain, readKeys(oldKey)));
    const client = await database.pool.connect();
    await client.query('begin');
    const fresh = JSON.stringify({
      sealed: sealText(readKeys(oldKey), 'service_instances ["i1"]', '{"newer":true}'),
    });
    await client.query(`update service_instances set confidential = $1 where id = 'i1'`, [fresh]);
    const resealing = resealRows(database.pool, resealer(both));
    await until('a statement waits for the lock', async () => {
      const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%as v (%'`;
      return (await database.pool.query(waiting)).rowCount || undefined;
    });
    await client.query('commit');
    client.release();
    expect(await resealing).toBe(6);
    expect((await readInstance(sealedStore(plain, keys))).confidential).toEqual({ newer: true });
  });

  test('Brokers may work meanwhile.', async () => {
    await emptied();
    const both = readKeys(`${newKey},${oldKey}`);
    const old = sealedStore(plain, readKeys(oldKey));
    for (const n of numbered(30)) await anInstanceIn(old, { id: `i${n}` });
    const store = sealedStore(plain, both);
    const work = numbered(30).map(async (n) => {
      const instance = await readInstance(store, `i${n}`);
      const put = anInstance({ ...instance, confidential: { ...instance.confidential, parameters: { n } } });
      const operation = begun('update', { state: 'succeeded', instanceId: instance.id });
      await open(store, { operation, leaseMs: 0, instance: { put } });
      await aBindingIn(store, put, { confidential: { ...aBinding().confidential, parameters: { n } } });
    });
    await Promise.all([resealRows(database.pool, resealer(both), { batch: 3 }), ...work]);
    await resealRows(database.pool, resealer(both));
    const after = sealedStore(plain, keys);
    for (const n of numbered(30)) {
      expect((await readInstance(after, `i${n}`)).confidential.parameters).toEqual({ n });
      expect((await readBinding(after, `i${n}`)).confidential.parameters).toEqual({ n });
    }
  });
});

describe('reading keys', () => {
  const bytes = randomBytes(32).toString('base64');

  test('Keys that are read stand newest first, separated by commas.', () => {
    const [first, second] = readKeys(` new:${bytes} , old-1.2_x:${randomBytes(32).toString('base64')}`);
    expect([first.id, second?.id]).toEqual(['new', 'old-1.2_x']);
    expect(inspect(first, { depth: 9, showHidden: true })).not.toContain(bytes);
  });

  test.each([
    ['', 'Encryption key 1 is not of the form id:key'],
    [bytes, 'Encryption key 1 is not of the form id:key'],
    [`${bytes}:a`, 'Encryption key 1 is not of the form id:key'],
    [`a:${bytes},`, 'Encryption key 2 is not of the form id:key'],
    [`a:${bytes}:b`, 'Encryption key 1 is not of the form id:key'],
    [`a b:${bytes}`, 'Encryption key 1 is not of the form id:key'],
    [`a:${bytes},b:${bytes.slice(4)}`, 'Encryption key 2 is not 32 bytes in base64 (44 characters).'],
    [`a:${'?'.repeat(43)}=`, 'Encryption key 1 is not 32 bytes in base64 (44 characters).'],
    [`a:${bytes},a:${bytes}`, 'Encryption key 2 has the id of one before it.'],
  ])('What is wrong is said without the key: %#.', (text, message) => {
    expect(() => readKeys(text)).toThrow(message);
    expect(() => readKeys(text)).not.toThrow(bytes.slice(4));
  });
});
