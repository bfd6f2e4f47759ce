import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { createConnection } from 'mysql2/promise';
import { operatorPassword } from '../support/whole-broker.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { type Bought, type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** What instances of shipped offerings hold is saved, and put back into the same and into another one. */

const login = `operator:${operatorPassword}`;
let shop: Shop;
const directory = scratchDirectory('kept-backups');
beforeAll(async () => {
  shop = await openShop({ ASYNC_PATIENCE: '30s', BACKUP_DIR: directory });
});
afterAll(() => shop.close());

interface Kept {
  readonly id: string;
  readonly name: string;
  readonly size: number;
}

async function backUp(one: Bought): Promise<Kept> {
  const path = `/operator/instances/${one.id}/backups`;
  const { status, body } = await shop.broker.ask('post', path, { login, body: {} });
  expect({ status, body: body as unknown }).toMatchObject({ status: 200, body: { backup: {} } });
  return (body as { backup: Kept }).backup;
}

async function restore({ id }: Kept, into?: Bought): Promise<void> {
  const path = `/operator/backups/${id}/restore`;
  const { status, body } = await shop.broker.ask('post', path, { login, body: { into: into?.id } });
  expect({ status, body: body as unknown }).toEqual({ status: 200, body: {} });
}

async function stepsOf(one: Bought): Promise<readonly string[]> {
  const [last] = (await one.details()).operations;
  return [last?.kind ?? '', ...(last?.timeline ?? []).map(({ step }) => step)];
}

describeOffering('redis', () => {
  async function withRedis<Result>(
    { credentials, port }: Bound,
    use: (client: ReturnType<typeof createClient>) => Promise<Result>,
  ): Promise<Result> {
    const { host, username, password } = credentials;
    const client = createClient({
      username,
      password,
      socket: { host, port, reconnectStrategy: false },
    } as Parameters<typeof createClient>[0]);
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await use(client as ReturnType<typeof createClient>);
    } finally {
      client.destroy();
    }
  }

  test.each(['small', 'durable', 'secure'])(
    'The keys of a redis of the plan %s are restored, and every login goes on; another one has its own logins.',
    async (plan) => {
      if (plan === 'secure') return backUpAlone();
      const redis = await shop.buy('redis', plan);
      const bound = await redis.bind();
      await withRedis(bound, (client) => client.set('key', 'kept'));
      const kept = await backUp(redis);
      // Encrypted: a dump begins with the name of the service.
      expect(readFileSync(join(directory, kept.name), 'latin1')).not.toContain('REDIS');
      const later = await redis.bind();
      await withRedis(later, (client) => client.set('key', 'lost').then(() => client.set('more', 'x')));
      await restore(kept);
      expect(await stepsOf(redis)).toEqual(['restore', 'stop', 'check_up', 'restore', 'start', 'check_up']);
      for (const login of [bound, later])
        expect(await withRedis(login, (client) => client.mGet(['key', 'more']))).toEqual(['kept', null]);
      const other = await shop.buy('redis', 'durable');
      await restore(kept, other);
      const own = await other.bind();
      expect(await withRedis(own, (client) => client.get('key'))).toBe('kept');
      await withRedis(own, (client) => client.set('key', 'changed'));
      await other.act('restart');
      expect(await withRedis(own, (client) => client.get('key'))).toBe('changed');
      await expect(withRedis({ ...bound, port: own.port }, (client) => client.ping())).rejects.toThrow();
      for (const one of [other, redis]) await one.deprovision();
    },
  );

  /** By TLS. */
  async function backUpAlone(): Promise<void> {
    const redis = await shop.buy('redis', 'secure');
    expect((await backUp(redis)).size).toBeGreaterThan(50);
    await redis.deprovision();
  }
});

describeOffering('mariadb', () => {
  async function ask({ credentials, port }: Bound, sql: string): Promise<unknown> {
    const { host, name: database, username: user, password } = credentials;
    const connection = await createConnection({ host, port, user, password, database });
    try {
      return (await connection.query(sql))[0];
    } finally {
      connection.destroy();
    }
  }

  test('The tables of a mariadb are restored with views and logins; another one has its own logins.', async () => {
    const [mariadb, other] = [await shop.buy('mariadb', 'small'), await shop.buy('mariadb', 'secure')];
    const bound = await mariadb.bind();
    await ask(bound, 'create table goods (name varchar(20), picture blob)');
    await ask(bound, "insert into goods values ('tea', x'00ff0a27')");
    await ask(bound, 'create view listed as select name from goods');
    const kept = await backUp(mariadb);
    const later = await mariadb.bind();
    await ask(later, "update goods set name = 'lost'");
    await ask(later, 'create table more (id int)');
    await restore(kept);
    const expected = [{ name: 'tea', hex: '00FF0A27' }];
    for (const login of [bound, later]) {
      expect(await ask(login, 'select name, hex(picture) as hex from goods')).toEqual(expected);
      expect(await ask(login, 'show tables')).toHaveLength(2);
      expect(await ask(login, 'select * from listed')).toEqual([{ name: 'tea' }]);
    }
    await restore(kept, other);
    const own = await other.bind();
    const secure = { ...own.credentials, ssl: { ca: own.credentials['ca'] } };
    const connection = await createConnection({
      host: secure['host' as never],
      port: own.port,
      user: own.credentials['username'],
      password: own.credentials['password'],
      database: own.credentials['name'],
      ssl: secure.ssl,
    });
    expect((await connection.query('select * from listed'))[0]).toEqual([{ name: 'tea' }]);
    connection.destroy();
    await expect(ask({ ...bound, port: own.port }, 'select 1')).rejects.toThrow();
    for (const one of [other, mariadb]) await one.deprovision();
  }, 240_000);
});

test('What a directory holds is restored as it was, in the same directory; what came since is gone.', async () => {
  const files = await shop.buy('filesystem', 'small');
  const path = (await files.bind()).credentials['path'] ?? '';
  mkdirSync(join(path, 'inner'));
  writeFileSync(join(path, 'inner', 'a'), 'first');
  chmodSync(join(path, 'inner', 'a'), 0o640);
  symlinkSync('inner/a', join(path, 'link'));
  const kept = await backUp(files);
  writeFileSync(join(path, 'inner', 'a'), 'second');
  writeFileSync(join(path, 'b'), 'new');
  await restore(kept);
  expect(readFileSync(join(path, 'link'), 'utf8')).toBe('first');
  expect(() => readFileSync(join(path, 'b'))).toThrow('ENOENT');
  expect(await stepsOf(files)).toEqual(['restore', 'unpack', 'clear', 'restore']);
  const other = await shop.buy('filesystem', 'small');
  await restore(kept, other);
  const there = (await other.bind()).credentials['path'] ?? '';
  expect(readFileSync(join(there, 'inner', 'a'), 'utf8')).toBe('first');
  for (const one of [other, files]) await one.deprovision();
  await until('it is listed all the same', async () => {
    const { body } = await shop.operator(`backups?instance=${files.id}`);
    return (body as { backups: readonly Kept[] }).backups.length === 1;
  });
});
