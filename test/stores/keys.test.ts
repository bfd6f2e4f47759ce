import { randomBytes } from 'node:crypto';
import { Pool } from 'pg';
import { readKeys } from '../../src/stores/keyring.ts';
import {
  isTurning,
  leaveKeys,
  requireKeys,
  requireRekey,
  retireKeys,
  tellKeys,
  type KeyState,
} from '../../src/stores/postgres/keys.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

const secret = () => randomBytes(32).toString('base64');
const k1 = `1:${secret()}`;
const k2 = `2:${secret()}`;
const wrong = `1:${secret()}`;

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
});
afterEach(() => database.close());

let brokers = 0;

/** A start with these keys, and a stop in good order. */
async function start(keys: string): Promise<void> {
  await (await live(keys)).stop();
}

interface Live {
  readonly label: string;
  readonly state: KeyState;
  /** The next time that it tells of its keys. */
  tell(): Promise<KeyState>;
  stop(): Promise<void>;
}

/** A broker that has started with these keys and lives. */
async function live(keys: string): Promise<Live> {
  const ring = readKeys(keys);
  const id = `b${(brokers += 1)}`;
  const holder = { id, label: `broker ${id}` };
  const state = await requireKeys(database.pool, ring, holder);
  let { writes } = state;
  return {
    label: holder.label,
    state,
    async tell() {
      const next = await tellKeys(database.pool, ring, holder, writes);
      ({ writes } = next);
      return next;
    },
    stop: () => leaveKeys(database.pool, holder),
  };
}

function rekey(keys: string, isSaved = false): Promise<void> {
  return requireRekey(database.pool, readKeys(keys), isSaved);
}

/** So long that a broker which said nothing since counts as gone. */
async function silence(): Promise<void> {
  await database.pool.query(`update brokers set beat_at = beat_at - interval '31 seconds'`);
}

async function known(): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ id: string }>('select id from encryption_keys order by id');
  return rows.map(({ id }) => id);
}

const where = 'in ENCRYPTION_KEYS or, when that is not set, in the file encryption-keys in DATA_DIR.';
const isWrong = `ENCRYPTION_KEYS: key '1' is not the key that this database was written with. Restore the right key, ${where}`;
const lacks = (id: string) =>
  `ENCRYPTION_KEYS lacks key '${id}', under which this database has records. Add it behind the first one, ${where}`;

test('A broker starts again with the same keys, also with a newer one in front.', async () => {
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

describe('a key that is new', () => {
  test('A key that is new is known and not written with, when it stands behind the old one.', async () => {
    const broker = await live(`${k1},${k2}`);
    expect(broker.state).toEqual({ writes: '1', behind: [], missing: [] });
    expect(await known()).toEqual(['1']);
    // So it can also be taken back.
    await start(k1);
  });

  test('A key that is new is written with at once where all who live know it.', async () => {
    const [a, b] = [await live(`${k1},${k2}`), await live(`${k1},${k2}`)];
    await a.stop();
    expect((await live(`${k2},${k1}`)).state).toEqual({ writes: '2', behind: [], missing: [] });
    expect(await b.tell()).toEqual({ writes: '1', behind: [], missing: [] });
  });

  test('A key that is new is not written with as long as a broker lives that lacks it, whoever starts first.', async () => {
    const old = await live(k1);
    const young = await live(`${k2},${k1}`);
    expect(young.state).toEqual({ writes: '1', behind: [old.label], missing: [] });
    expect(await known()).toEqual(['1']);
    // The old one may be restarted meanwhile.
    await start(k1);
    await old.stop();
    expect(await young.tell()).toEqual({ writes: '2', behind: [], missing: [] });
    await expect(live(k1)).rejects.toThrow(new Error(lacks('2')));
  });

  test('A key that is new is written with when a broker that lacks it has been silent for thirty seconds; that one then knows.', async () => {
    const old = await live(k1);
    await silence();
    expect((await live(`${k2},${k1}`)).state.writes).toBe('2');
    expect(await old.tell()).toEqual({ writes: '1', behind: [], missing: ['2'] });
  });

  test('A key that is new is told to be written with only the time after, when all that was on its way has arrived.', async () => {
    const old = await live(k1);
    const young = await live(`${k2},${k1}`);
    await old.stop();
    await young.tell();
    expect(await isTurning(database.pool, readKeys(`${k2},${k1}`))).toBe(true);
    await young.tell();
    expect(await isTurning(database.pool, readKeys(`${k2},${k1}`))).toBe(false);
  });

  test('A key that is new is refused when a broker that lives has another one under its id, before anything is written.', async () => {
    const first = await live(`${k1},${k2}`);
    const other = `2:${secret()}`;
    await expect(live(`${k1},${other}`)).rejects.toThrow(
      `ENCRYPTION_KEYS: key '2' is another one than ${first.label} has under this id.`,
    );
    // One that nobody has any more, and nothing was written with, was a slip.
    await first.stop();
    await start(`${k1},${other}`);
  });

  test('A key that is new waits for a broker that tells of its node and not of its keys, as those of older versions do.', async () => {
    await start(k1);
    await database.pool.query(`insert into nodes
      (name, host, url, directory, first_port, last_port, capacity, executables, holder, machine)
      values ('green', 'h', 'u', 'd', 1, 2, 1, '[]', 'older', 'm')`);
    const young = await live(`${k2},${k1}`);
    expect(young.state).toMatchObject({ writes: '1', behind: ['the older broker on node green'] });
    await database.pool.query(`update nodes set holder = ''`);
    expect((await young.tell()).writes).toBe('2');
  });
});

describe('to encrypt all with a key', () => {
  test('To encrypt all with a key is refused as long as a broker that lives lacks it, and the broker is named.', async () => {
    const old = await live(k1);
    await live(`${k1},${k2}`);
    await expect(rekey(`${k2},${k1}`, true)).rejects.toThrow(
      `Nothing was changed: ${old.label} runs and lacks the key '2'.`,
    );
    expect(await known()).toEqual(['1']);
    await old.stop();
    await rekey(`${k2},${k1}`);
    expect(await known()).toEqual(['1', '2']);
  });

  test('To encrypt all with a key is refused when no broker has been started with it, unless somebody says that it is kept.', async () => {
    await start(k1);
    const sentence = "Nothing was changed: no broker has been started with the key '2' yet";
    await expect(rekey(`${k2},${k1}`)).rejects.toThrow(sentence);
    await start(`${k1},${k2}`);
    await expect(rekey(`2:${secret()},${k1}`)).rejects.toThrow(sentence);
    await rekey(`${k2},${k1}`);
    await rekey(`3:${secret()},${k2},${k1}`, true);
  });

  test('To encrypt all with a key leaves an older key its place as long as a broker writes with it, or something lies under it.', async () => {
    const both = readKeys(`${k2},${k1}`);
    const slow = await live(`${k1},${k2}`);
    await rekey(`${k2},${k1}`);
    expect(await retireKeys(database.pool, both)).toEqual({
      needed: [`${slow.label} writes with '1', not with '2'`],
    });
    await slow.stop();
    expect(await retireKeys(database.pool, both, ['1'])).toEqual({
      needed: ["there are records under '1' that could not be read"],
    });
    expect(await known()).toEqual(['1', '2']);
    expect(await retireKeys(database.pool, both)).toEqual({ needed: [] });
    expect(await known()).toEqual(['2']);
  });
});

test('A database that is away is something to wait for, no wrong key.', async () => {
  const away = new Pool({ host: '127.0.0.1', port: 1 });
  await expect(requireKeys(away, readKeys(k1), { id: 'b', label: 'b' })).rejects.toMatchObject({
    code: 'unavailable',
  });
  await away.end();
});

test('The stored proof shows nothing of the key.', async () => {
  await start(k1);
  const { rows } = await database.pool.query('select * from encryption_keys');
  expect(JSON.stringify(rows)).not.toContain(k1.slice(2));
});
