import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { PassThrough } from 'node:stream';
import type { ClientConfig } from 'pg';
import { Failure } from '../../../src/broker/errors.ts';
import type { Archive } from '../../../src/broker/provisioner.ts';
import { enter, type Databases, leftOf, openDatabases, say, type Instance } from './databases.ts';
import { describeWithServer, type OwnServer, startOwnServer } from './own-server.ts';

/** Databases saved by pg_dump, and put back in place of what is there, on a server of the same version. */

function archive(bytes: { saved: Buffer }): Archive {
  return {
    async save(fill) {
      const to = new PassThrough();
      const [saved] = await Promise.all([buffer(to), fill(to)]);
      bytes.saved = saved;
      return { size: saved.length, sha256: 'x' };
    },
    load: (read) => read(Readable.from([bytes.saved])),
  };
}

describeWithServer('Backups of databases', () => {
  let server: OwnServer;
  let databases: Databases;
  const made: Instance[] = [];
  beforeAll(async () => {
    server = await startOwnServer();
    databases = openDatabases(server.url);
  });
  afterEach(async () => {
    for (const instance of made.splice(0)) await instance.deprovision();
  });
  afterAll(async () => {
    await databases.close();
    await server.stop();
  });

  async function provisioned(config: Parameters<Databases['anInstance']>[0] = {}): Promise<Instance> {
    const instance = databases.anInstance(config);
    made.push(instance);
    await instance.provision();
    return instance;
  }

  async function backUp(instance: Instance): Promise<{ saved: Buffer }> {
    const bytes = { saved: Buffer.alloc(0) };
    await databases.provisioner.backups?.backup(instance.work(undefined, { archive: archive(bytes) }));
    return bytes;
  }

  async function restore(instance: Instance, bytes: { saved: Buffer }): Promise<void> {
    await databases.provisioner.backups?.restore(instance.work(undefined, { archive: archive(bytes) }));
  }

  const goods = (login: ClientConfig) => say(login, 'select name from goods order by name');

  test('A database is restored for all bindings that there are, whatever its connections and extensions.', async () => {
    const config = {
      connection_limit: 3,
      extensions: ['pgcrypto', 'pg_trgm', 'dblink'],
      idle_transaction_s: 600,
    };
    const instance = await provisioned(config);
    const first = await instance.bind('first');
    await say(
      first,
      'create schema other',
      'create extension hstore schema other',
      `create table goods (id serial primary key, name text unique, more other.hstore)`,
      `comment on table goods is 'what is sold'`,
      `create function shout(text) returns text language sql immutable as 'select upper($1)'`,
      'create index on goods (shout(name))',
      'create view listed as select name from goods',
      `insert into goods (name, more) values ('tea', 'a=>1')`,
    );
    // An application that has taken all of its connections.
    const held = await Promise.all([enter(first), enter(first), enter(first)]);
    const bytes = await backUp(instance);
    await held[0]?.client.query(`update goods set name = 'lost'`);
    const later = await instance.bind('later');
    await held[0]?.client.query('create table more (id int)');
    await restore(instance, bytes);
    await Promise.all(held.map(({ ended }) => ended));
    for (const login of [first, later]) {
      expect(await goods(login)).toEqual([{ name: 'tea' }]);
      await expect(say(login, 'select from more')).rejects.toThrow('does not exist');
    }
    // Who comes later made it, and all can use it.
    await say(later, `insert into goods (name) values ('cup')`, 'create table made (id int)');
    await say(first, 'drop table made', `comment on extension hstore is 'mine'`);
    expect(
      await say(
        first,
        `select current_user as owner, obj_description('goods'::regclass) as said, shout('a') as shouted,
           current_setting('idle_in_transaction_session_timeout') as idle,
           (select datconnlimit from pg_database where datname = current_database()) as connections`,
      ),
    ).toEqual([{ owner: instance.key, said: 'what is sold', shouted: 'A', idle: '10min', connections: 3 }]);
    expect(await leftOf(databases.pool, instance)).toEqual(
      [
        `database ${instance.key}`,
        ...[instance.key, instance.role('first'), instance.role('later')].map((it) => `role ${it}`),
      ].toSorted(),
    );
    const { rows } = await databases.pool.query(
      `select datname from pg_database where datname like '${instance.key}_%'`,
    );
    expect(rows).toEqual([]);
  });

  test('A backup goes into another instance, whose logins are its own, and what a restore has left is removed.', async () => {
    const [instance, other] = [await provisioned(), await provisioned()];
    await say(await instance.bind('b'), 'create table goods (name text)', `insert into goods values ('tea')`);
    const bytes = await backUp(instance);
    const login = await other.bind('b');
    // As a broker that died has left it.
    await databases.pool.query(`create database ${other.key}_restored`);
    await databases.pool.query(`create database ${other.key}_replaced`);
    await restore(other, bytes);
    expect(await goods(login)).toEqual([{ name: 'tea' }]);
    await expect(goods({ ...(await instance.bind('b')), database: other.key })).rejects.toThrow(
      'permission denied',
    );
    await databases.pool.query(`create database ${other.key}_restored`);
    await other.deprovision();
    const { rows } = await databases.pool.query(
      `select datname from pg_database where datname like '${other.key}%'`,
    );
    expect(rows).toEqual([]);
  });

  test('A backup that is damaged, or more than the plan allows, changes nothing.', async () => {
    const instance = await provisioned({ quota_mb: 12 });
    const login = await instance.bind('b');
    await say(login, 'create table goods (name text)', `insert into goods values ('tea')`);
    const { saved } = await backUp(instance);
    await expect(restore(instance, { saved: saved.subarray(0, -300) })).rejects.toThrow(Failure);
    const large = await provisioned();
    await say(
      await large.bind('b'),
      `create table goods as select md5(i::text) as name from generate_series(1, 100000) i`,
    );
    await expect(restore(instance, await backUp(large))).rejects.toMatchObject({ word: 'quota' });
    expect(await goods(login)).toEqual([{ name: 'tea' }]);
    const { rows } = await databases.pool.query(
      `select rolname from pg_roles where rolname = '${instance.key}'`,
    );
    expect(rows).toHaveLength(1);
  });
});

test('A backup of a server for which there is no pg_dump says which one is missing.', async () => {
  const databases = openDatabases();
  const instance = databases.anInstance();
  const versions = await databases.pool.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  await instance.provision();
  const bytes = { saved: Buffer.alloc(0) };
  const backup = databases.provisioner.backups?.backup(instance.work(undefined, { archive: archive(bytes) }));
  const failed = await backup?.then(
    () => undefined,
    (error: unknown) => error as Failure,
  );
  // Where there is one, it is used.
  if (failed)
    expect(failed.message).toContain(`pg_dump and pg_restore of PostgreSQL ${versions.rows[0]?.major}`);
  else expect(bytes.saved.subarray(0, 5).toString()).toBe('PGDMP');
  await instance.deprovision();
  await databases.close();
});
