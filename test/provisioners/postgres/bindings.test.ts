import { Failure } from '../../../src/broker/errors.ts';
import { finish } from '../contract.ts';
import { type Databases, enter, type Instance, leftOf, openDatabases, say } from './databases.ts';
import { until } from '../../support/until.ts';

let databases: Databases;
let instance: Instance;

beforeAll(() => {
  databases = openDatabases();
});
afterAll(() => databases.close());

beforeEach(async () => {
  instance = databases.anInstance();
  await instance.provision();
});
afterEach(() => instance.deprovision());

test('S9: two bindings have two roles, and what one makes the other uses, changes and drops.', async () => {
  const [one, other] = [await instance.bind('one'), await instance.bind('other')];
  expect(one.user).not.toBe(other.user);
  await say(one, 'create table kept (n int)', 'insert into kept values (1)', 'create schema deep');
  await say(
    other,
    'insert into kept values (2)',
    'alter table kept add column s text',
    'create table deep.er ()',
  );
  expect(await say(one, 'select n from kept order by n', 'select count(*)::int as n from kept')).toEqual([
    { n: 2 },
  ]);
  await say(one, 'drop table deep.er', 'drop schema deep');
});

test('S9: what a binding has made survives its unbind, also what it made without acting as the owner.', async () => {
  const one = await instance.bind('one');
  await say(one, 'create table kept (n int)', 'insert into kept values (1)');
  await say(
    one,
    'set role none',
    'create table own (n int)',
    'insert into own values (2)',
    'create view v as table own',
  );
  await instance.unbind('one');
  const other = await instance.bind('other');
  expect(await say(other, 'select n from kept')).toEqual([{ n: 1 }]);
  expect(await say(other, 'insert into own values (3)', 'select n from v order by n')).toEqual([
    { n: 2 },
    { n: 3 },
  ]);
  await say(other, 'drop view v', 'drop table own, kept');
});

test('S9: an unbound role cannot log in, and its open session is cut; the others stay.', async () => {
  const [one, other] = [await instance.bind('one'), await instance.bind('other')];
  const [cut, stays] = [await enter(one), await enter(other)];
  await cut.client.query('create temporary table t (n int)');
  await instance.unbind('one');
  await cut.ended;
  await expect(say(one, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  expect((await stays.client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  await stays.client.end();
});

test('S9: an unbind does not wait for what the session was doing.', async () => {
  const busy = await enter(await instance.bind('one'));
  const doing = busy.client.query('select pg_sleep(60)').catch((error: unknown) => error);
  await untilDoing(databases, 'select pg_sleep(60)', instance.key);
  await instance.unbind('one');
  expect(await doing).toMatchObject({ code: '57P01' });
  await busy.ended;
});

test('S9: a deprovision with sessions and bindings left leaves no database and no role.', async () => {
  const session = await enter(await instance.bind('one'));
  await instance.bind('other');
  await session.client.query('create table kept (n int)');
  expect(await leftOf(databases.pool, instance)).toHaveLength(4);
  await instance.deprovision();
  await session.ended;
  expect(await leftOf(databases.pool, instance)).toEqual([]);
});

test('S9: a binding gets into its own database and into no other one.', async () => {
  const other = databases.anInstance();
  await other.provision();
  const login = await instance.bind('one');
  const { rows } = await databases.pool.query<{ name: string }>('select current_database() as name');
  for (const database of ['template1', 'postgres', other.key, ...rows.map(({ name }) => name)])
    await expect(say({ ...login, database }, 'select 1')).rejects.toMatchObject({ code: '42501' });
  await other.deprovision();
});

test('A database that others make later is closed to bindings as well, not to who could log in before.', async () => {
  const name = `stranger_${instance.key}`;
  await databases.pool.query(`create role ${name} login password 'old'`);
  await databases.pool.query(`create database ${name}`);
  const login = await instance.bind('one');
  await expect(say({ ...login, database: name }, 'select 1')).rejects.toMatchObject({ code: '42501' });
  const stranger = { ...login, database: name, user: name, password: 'old' };
  expect(await say(stranger, 'create temporary table t ()', 'select 1 as n')).toEqual([{ n: 1 }]);
  await expect(say({ ...stranger, database: instance.key }, 'select 1')).rejects.toMatchObject({
    code: '42501',
  });
  await databases.pool.query(`drop database ${name} with (force)`);
  await databases.pool.query(`drop owned by ${name}`);
  // What it may elsewhere, it was given by name there.
  const { rows } = await databases.pool.query<{ datname: string }>(
    "select datname from pg_database where has_database_privilege($1, oid, 'connect') and datname <> $1",
    [name],
  );
  for (const { datname } of rows)
    await databases.pool.query(`revoke all on database ${datname} from ${name}`);
  await databases.pool.query(`drop role ${name}`);
});

test('A binding can neither let others in, nor raise the limit, nor drop the database, nor make roles.', async () => {
  const login = await instance.bind('one');
  const { key } = instance;
  for (const statement of [
    `alter database ${key} connection limit 1000`,
    `alter database ${key} is_template true`,
    `alter database ${key} set search_path = evil`,
    `drop database ${key}`,
    'create database more',
    'create role more',
    `alter role ${key} login`,
    "copy (select 1) to program 'cat'",
  ])
    await expect(say(login, statement)).rejects.toMatchObject({ code: '42501' });
  await say(login, `grant connect on database ${key} to public`);
  expect(
    (await databases.pool.query("select has_database_privilege('public', $1, 'connect') as open", [key]))
      .rows,
  ).toEqual([{ open: false }]);
});

test('What a binding puts in the way of functions does not run as the administrator.', async () => {
  const login = await instance.bind('one');
  await say(
    login,
    "create function public.pg_has_role(oid, text) returns boolean language plpgsql as $$ begin raise 'caught'; end $$",
    "create function public.count(text) returns int language plpgsql as $$ begin raise 'caught'; end $$",
    'create table public.pg_namespace (nspname text, nspowner oid)',
    'create table public.pg_extension (extname text)',
  );
  const { provisioner } = databases;
  expect(await provisioner.update?.(instance.with({ extensions: ['hstore'] }).work())).toHaveProperty('done');
  await instance.unbind('one');
});

test('Another instance that gives rights to a role does not keep it from being removed.', async () => {
  const other = databases.anInstance();
  await other.provision();
  const [mine, theirs] = [await instance.bind('one'), await other.bind('one')];
  await say(theirs, 'create table trap (n int)', `grant select on trap to ${mine.user}, ${instance.key}`);
  await say(theirs, `alter default privileges grant select on tables to ${mine.user}`);
  await say(theirs, 'alter table trap enable row level security', `create policy p on trap to ${mine.user}`);
  await instance.unbind('one');
  await instance.deprovision();
  expect(await leftOf(databases.pool, instance)).toEqual([]);
  expect(await say(theirs, 'select n from trap')).toEqual([]);
  await other.deprovision();
});

test('A binding can be made again with another password, and the old one is worth nothing then.', async () => {
  const login = await instance.bind('one');
  const values = { secrets: { password: 'another one' } };
  await databases.provisioner.bind?.(instance.work('one', { values }));
  await expect(say(login, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  expect(await say({ ...login, password: 'another one' }, 'select 1 as n')).toEqual([{ n: 1 }]);
});

test('A password is never sent, only what the server keeps of it.', async () => {
  await instance.bind('one');
  const { rows } = await databases.pool.query<{ rolpassword: string }>(
    'select rolpassword from pg_authid where rolname = $1',
    [instance.role('one')],
  );
  expect(rows[0]?.rolpassword).toMatch(
    /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/,
  );
});

test('Ten bindings at once, each asked for twice, give ten roles that work.', async () => {
  const ids = Array.from({ length: 10 }, (_, index) => `b${index}`);
  await Promise.all([...ids, ...ids].map((id) => instance.bind(id)));
  const logins = await Promise.all(ids.map((id) => instance.bind(id)));
  expect(new Set(logins.map(({ user }) => user)).size).toBe(10);
  for (const login of logins)
    expect(await say(login, 'select current_user as role')).toEqual([{ role: instance.key }]);
  await Promise.all([...ids, ...ids].map((id) => instance.unbind(id)));
  expect(await leftOf(databases.pool, instance)).toEqual([
    `database ${instance.key}`,
    `role ${instance.key}`,
  ]);
});

test('Two brokers that do the same at once come to the same.', async () => {
  const second = openDatabases();
  const shared = databases.anInstance({ extensions: ['hstore'] });
  const both = (kind: 'provision' | 'bind' | 'unbind' | 'deprovision') =>
    Promise.all([databases, second].map(({ provisioner }) => finish(provisioner, kind, shared.work('one'))));
  for (const kind of ['provision', 'bind', 'unbind', 'bind', 'deprovision'] as const) {
    const [first, other] = await both(kind);
    expect(first).toEqual(other);
  }
  expect(await leftOf(databases.pool, shared)).toEqual([]);
  await second.close();
});

test('A binding of a database that is gone fails for good, and can be unbound.', async () => {
  await instance.bind('one');
  await databases.pool.query(`drop database ${instance.key} with (force)`);
  await expect(instance.bind('other')).rejects.toEqual(
    new Failure('gone', 'The database is not there any more.'),
  );
  await instance.unbind('one');
  expect(await leftOf(databases.pool, instance)).toEqual([`role ${instance.key}`]);
});

test('Without its secret no role is made, and the operator is told.', async () => {
  const failure = await Promise.resolve(
    databases.provisioner.bind?.(instance.work('one', { values: {} })),
  ).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect((failure as Failure).hints.detail).toBe('The offering must have the secret password per binding.');
});

async function untilDoing({ pool }: Databases, query: string, database: string): Promise<void> {
  await until(`the server does ${query}`, async () => {
    const { rowCount } = await pool.query(
      "select from pg_stat_activity where datname = $1 and query = $2 and state = 'active'",
      [database, query],
    );
    return rowCount === 1;
  });
}
