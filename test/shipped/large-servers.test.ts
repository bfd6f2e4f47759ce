import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { until } from '../support/until.ts';
import { expectNoSecrets, expectPrivate, returnWholly } from './privacy.ts';
import { watchProcesses } from '../support/process-list.ts';
import { type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** MariaDB, the real one, used with the credentials of bindings. */

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** By whatever number: access denied, for a database, a table or an administrator's command. */
const accessDenied = { message: expect.stringMatching(/denied/) as string };

describeOffering('mariadb', () => {
  const opened: Connection[] = [];
  afterEach(() => {
    for (const connection of opened.splice(0)) connection.destroy();
  });

  async function keep(opening: Promise<Connection>): Promise<Connection> {
    const connection = await opening;
    connection.on('error', () => undefined);
    opened.push(connection);
    return connection;
  }

  function logIn({ credentials, port }: Bound, password = credentials['password']): Promise<Connection> {
    const { host, name: database, username: user } = credentials;
    return keep(createConnection({ host, port, user, password, database }));
  }

  async function ask(connection: Connection, sql: string): Promise<readonly unknown[]> {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows;
  }

  test('A20, S11: A user for each binding: tables are shared, and survive the unbind of who made them.', async () => {
    const watch = watchProcesses();
    const mariadb = await shop.buy('mariadb', 'small');
    const bindings = [await mariadb.bind(), await mariadb.bind()] as const;
    const [first, second] = bindings;
    const [one, other] = [await logIn(first), await keep(createConnection(second.credentials['uri'] ?? ''))];
    await one.query('create table goods (name varchar(20))');
    await one.query("insert into goods values ('tea')");
    expect(await ask(other, 'select name from goods')).toEqual([{ name: 'tea' }]);
    await expect(logIn(first, 'a-guess')).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
    await expect(one.query('select * from mysql.user')).rejects.toMatchObject({ errno: 1142 });

    await first.unbind();
    await expect(one.query('select 1')).rejects.toThrow();
    await expect(logIn(first)).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
    await other.query("insert into goods values ('coffee')");
    expect(await ask(other, 'select name from goods')).toEqual([{ name: 'tea' }, { name: 'coffee' }]);
    expectNoSecrets(watch.end(), mariadb, bindings);
    expectPrivate(mariadb);
    await returnWholly(mariadb, second.port);
  });

  test('What one binding made goes on when it is gone: views, routines, triggers and events.', async () => {
    const mariadb = await shop.buy('mariadb', 'small');
    const [first, second] = [await mariadb.bind(), await mariadb.bind()];
    const [one, other] = [await logIn(first), await logIn(second)];
    for (const statement of [
      'create table goods (name varchar(20))',
      'create table heard (name varchar(20))',
      'create view seen as select name from goods',
      'create procedure add_goods() insert into goods values ("tea")',
      'create trigger hears after insert on goods for each row insert into heard values (new.name)',
      'create event ticks on schedule every 1 second do insert into app.heard values ("tick")',
    ]) {
      await one.query(statement);
    }
    await first.unbind();
    await expect(logIn(first)).rejects.toThrow();
    await other.query('delete from heard');
    await other.query('call add_goods()');
    expect(await ask(other, 'select name from seen')).toEqual([{ name: 'tea' }]);
    expect(await ask(other, "select name from heard where name = 'tea'")).toEqual([{ name: 'tea' }]);
    await until('the event has run', async () => {
      return (await ask(other, "select name from heard where name = 'tick'")).length > 0;
    });
    await mariadb.deprovision();
  });

  test('Text is utf8mb4 without a word about it, and the names of time zones are known.', async () => {
    const mariadb = await shop.buy('mariadb', 'small');
    const client = await logIn(await mariadb.bind());
    expect(
      await ask(
        client,
        "select @@character_set_server as charset, convert_tz('2020-01-01 00:00', 'UTC', 'Europe/Berlin') = '2020-01-01 01:00' as known",
      ),
    ).toEqual([{ charset: 'utf8mb4', known: 1 }]);
    await mariadb.deprovision();
  });

  test('A user of a binding reads no files, sees no others, and what statements set aside lies with the instance.', async () => {
    const mariadb = await shop.buy('mariadb', 'small');
    const [bound, other] = [await mariadb.bind(), await mariadb.bind()];
    const [client, neighbour] = [await logIn(bound), await logIn(other)];
    await neighbour.query('select 1');
    await client.query('create table t (line text)');
    expect(await ask(client, "select load_file('/etc/passwd') as f")).toEqual([{ f: null }]);
    for (const forbidden of [
      "select line from t into outfile 'x'",
      "load data infile '/etc/passwd' into table t",
      "install soname 'ha_federatedx'",
      "create server s foreign data wrapper mysql options (host '127.0.0.1')",
      "change master to master_host = '127.0.0.1'",
      'set global max_connections = 100000',
      "create user someone@'%'",
      'create database more',
    ]) {
      const error: unknown = await client.query(forbidden).catch((reason: unknown) => reason);
      expect([forbidden, error]).toEqual([forbidden, expect.objectContaining(accessDenied)]);
    }
    expect(await ask(client, 'select distinct user from information_schema.processlist')).toEqual([
      { user: bound.credentials['username'] },
    ]);
    expect(
      await ask(client, 'select schema_name as name from information_schema.schemata order by 1'),
    ).toEqual([{ name: 'app' }, { name: 'information_schema' }]);
    expect(await ask(client, 'select @@tmpdir as tmpdir, @@tmp_disk_table_size as size')).toEqual([
      { tmpdir: mariadb.directory.run, size: 256 * 1024 * 1024 },
    ]);
    await mariadb.deprovision();
  });

  test('A binding does not take the connections of the others, is removed when all are taken, and forgets no transaction for ever.', async () => {
    const mariadb = await shop.buy('mariadb', 'small');
    const [greedy, second, third] = [await mariadb.bind(), await mariadb.bind(), await mariadb.bind()];
    const taken = await takeAll(greedy);
    expect(taken).toHaveLength(15);
    const [client] = [await logIn(second)];
    expect(await ask(client, 'select @@idle_transaction_timeout as seconds')).toEqual([{ seconds: 600 }]);
    await expect(client.query('set session max_user_connections = 100')).rejects.toThrow(/variable|denied/);
    // The rest are taken as well: nobody but the administrator has room, whose one is needed to make some.
    expect(await takeAll(second)).toHaveLength(4);
    await expect(logIn(third)).rejects.toThrow(/Too many connections/);
    await greedy.unbind();
    await expect(taken[0]?.query('select 1')).rejects.toThrow();
    expect(await ask(await logIn(third), 'select 1 as one')).toEqual([{ one: 1 }]);
    await mariadb.deprovision();
  });

  /** Logs in until there is no more room for it. */
  async function takeAll(bound: Bound): Promise<readonly Connection[]> {
    const taken: Connection[] = [];
    try {
      for (;;) taken.push(await logIn(bound));
    } catch (error) {
      expect((error as Error).message).toMatch(/max_user_connections|Too many connections/);
      return taken;
    }
  }

  test('A10: System tables are made once: an update and a restart leave them and the data alone.', async () => {
    const mariadb = await shop.buy('mariadb', 'small');
    const bound = await mariadb.bind();
    await (await logIn(bound)).query('create table kept as select 42 as answer');
    const made = systemTable();
    const setting = async (name: string) => ask(await logIn(bound), `select @@${name} as value`);
    expect(await setting('max_connections')).toEqual([{ value: 20 }]);
    expect((await mariadb.update('medium')).status).toBe(200);
    expect(await setting('max_connections')).toEqual([{ value: 100 }]);
    expect(await setting('innodb_buffer_pool_size')).toEqual([{ value: 256 * 1024 * 1024 }]);
    await mariadb.act('restart');
    expect(await ask(await logIn(bound), 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(systemTable()).toEqual(made);
    await mariadb.deprovision();

    function systemTable() {
      const { ino, mtimeMs } = statSync(join(mariadb.directory.data, 'mariadb/mysql/help_topic.frm'));
      return { ino, mtimeMs };
    }
  });
});
