import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import { readKeys } from '../../src/stores/keyring.ts';
import { requireKeys, retireKeys } from '../../src/stores/postgres/keys.ts';
import { migrate } from '../../src/stores/postgres/migrate.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

const secret = () => randomBytes(32).toString('base64');
const k1 = `1:${secret()}`;
const k2 = `2:${secret()}`;
const wrong = `1:${secret()}`;

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase();
  await migrate(database.pool);
});
afterEach(() => database.close());

/** A start with these keys. */
function start(keys: string): Promise<void> {
  return requireKeys(database.pool, readKeys(keys));
}

async function known(): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ id: string }>('select id from encryption_keys order by id');
  return rows.map(({ id }) => id);
}

const where = 'in ENCRYPTION_KEYS or, when that is not set, in the file encryption-keys in DATA_DIR.';
const isWrong = `ENCRYPTION_KEYS: key '1' is not the key that this database was written with. Restore the right key, ${where}`;
const lacks = (id: string) =>
  `ENCRYPTION_KEYS lacks key '${id}', under which this database has records. Add it behind the newest one, ${where}`;

test('The same keys start again, also with a newer one in front.', async () => {
  await start(k1);
  await start(k1);
  await start(`${k2},${k1}`);
  await start(`${k2},${k1}`);
  expect(await known()).toEqual(['1', '2']);
});

test('Another key under the same id is refused, at whichever place of the ring.', async () => {
  await start(k1);
  await expect(start(wrong)).rejects.toThrow(new Error(isWrong));
  await expect(start(`${k2},${wrong}`)).rejects.toThrow(new Error(isWrong));
  await start(k1);
});

test('A key that is missing is named, and the refused start leaves nothing behind.', async () => {
  await start(k1);
  await expect(start(k2)).rejects.toThrow(new Error(lacks('1')));
  expect(await known()).toEqual(['1']);
  await start(`${k2},${k1}`);
  await expect(start(k1)).rejects.toThrow(new Error(lacks('2')));
});

test('A proof that was changed, or belongs to another key, proves nothing.', async () => {
  await start(k1);
  await start(`${k2},${k1}`);
  await database.pool.query(
    `update encryption_keys set proof = (select proof from encryption_keys where id = '2') where id = '1'`,
  );
  await expect(start(`${k2},${k1}`)).rejects.toThrow(new Error(isWrong));
  await database.pool.query(`update encryption_keys set proof = 'no JSON' where id = '1'`);
  await expect(start(`${k2},${k1}`)).rejects.toThrow(new Error(isWrong));
});

test('Of many that start at once all succeed when they have the same key.', async () => {
  await Promise.all(Array.from({ length: 8 }, () => start(k1)));
  expect(await known()).toEqual(['1']);
});

test.each([
  ['the same id', [k1, wrong]],
  ['different ids', [k1, k2]],
])('Of two that start at once with different keys under %s one succeeds.', async (_what, rings) => {
  const ends = await Promise.allSettled(rings.map(start));
  expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(await known()).toHaveLength(1);
});

test('A retired key can go, also after a start that still had it, and its id can be used again.', async () => {
  await start(k1);
  await start(`${k2},${k1}`);
  await retireKeys(database.pool, readKeys(`${k2},${k1}`));
  await start(`${k2},${k1}`);
  await start(k2);
  expect(await known()).toEqual(['2']);
  await start(`${wrong},${k2}`);
  expect(await known()).toEqual(['1', '2']);
});

test('Retiring spares a key that came meanwhile.', async () => {
  await start(k1);
  await start(`${k2},${k1}`);
  const k3 = `3:${secret()}`;
  await start(`${k3},${k2},${k1}`);
  await retireKeys(database.pool, readKeys(`${k2},${k1}`));
  expect(await known()).toEqual(['2', '3']);
});

test('A database that is away is something to wait for, no wrong key.', async () => {
  const away = new Pool({ host: '127.0.0.1', port: 1 });
  await expect(requireKeys(away, readKeys(k1))).rejects.toMatchObject({ code: 'unavailable' });
  await away.end();
});

test('The stored proof shows nothing of the key.', async () => {
  await start(k1);
  const { rows } = await database.pool.query('select * from encryption_keys');
  expect(JSON.stringify(rows)).not.toContain(k1.slice(2));
});
