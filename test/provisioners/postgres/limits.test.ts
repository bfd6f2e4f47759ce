import { Client } from 'pg';
import { Failure } from '../../../src/broker/errors.ts';
import { keyOf } from '../../../src/broker/key.ts';
import { codeOf } from '../../../src/system/error-code.ts';
import { aPlan } from '../../broker/fixtures.ts';
import { aWork } from '../contract.ts';
import { administratorUrl, enter, leftOf, openDatabases, say } from './databases.ts';
import { look, provisionedDatabases } from './provisioned.ts';

const { databases, made, provisioned } = provisionedDatabases();

/** About so many MB. */
function fill(megabytes: number): string {
  return `create table big as select repeat(md5(n::text), 30) from generate_series(1, ${megabytes * 1000}) n`;
}

describe('Limits', () => {
  test('A connection more than the plan allows is refused, until the plan allows more.', async () => {
    const instance = await provisioned({ connection_limit: 2 });
    const login = await instance.bind('one');
    const sessions = [await enter(login), await enter(login)];
    await expect(say(login, 'select 1')).rejects.toMatchObject({ code: '53300' });
    expect(await look(databases, instance)).toMatchObject({ alive: true, answer: 'ready' });
    await databases.provisioner.update?.(instance.with({ connection_limit: 3 }).work());
    expect(await say(login, 'select 1 as n')).toEqual([{ n: 1 }]);
    await Promise.all(sessions.map(({ client }) => client.end()));
  });

  test('A transaction in which nothing happens ends with its session, after as long as the plan says, unless the session says otherwise.', async () => {
    const instance = await provisioned({ idle_transaction_s: 1 });
    const login = await instance.bind('one');
    const [forgotten, patient] = [await enter(login), await enter(login)];
    await patient.client.query('set idle_in_transaction_session_timeout = 0');
    for (const { client } of [forgotten, patient]) await client.query('begin');
    await forgotten.ended;
    expect((await patient.client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    await patient.client.end();
    await databases.provisioner.update?.(instance.with({}).work());
    expect(await say(login, 'show idle_in_transaction_session_timeout')).toEqual([
      { idle_in_transaction_session_timeout: '0' },
    ]);
  });

  test('S10: over its quota, the sessions are cut, nobody gets in, and the reason says size and limit.', async () => {
    const instance = await provisioned({ quota_mb: 12 });
    const login = await instance.bind('one');
    expect(await look(databases, instance)).toEqual({
      unit: 'database',
      alive: true,
      answer: 'ready',
      address: address(login),
    });
    const session = await enter(login);
    await session.client.query(fill(12));
    expect(await look(databases, instance)).toMatchObject({
      alive: true,
      answer: 'silent',
      reason: expect.stringMatching(/^it has \d\d MB and may have 12 MB: nobody can connect/),
    });
    await session.ended;
    await expect(say(login, 'select 1')).rejects.toMatchObject({ code: '42501' });
    expect(await look(databases, instance)).toMatchObject({ answer: 'silent' });
  });

  test('S10: over its quota, a bind fails, says what helps and leaves nothing; with a larger plan it is done.', async () => {
    const instance = await provisioned({ quota_mb: 12 });
    await say(await instance.bind('one'), fill(12));
    // Nobody has looked since.
    await expect(instance.bind('new')).rejects.toMatchObject({
      word: 'quota',
      message: expect.stringMatching(
        /^The database has \d\d MB, and its plan allows 12 MB\. Nobody can connect until it has a larger plan\.$/,
      ),
    });
    expect(await leftOf(databases.pool, instance)).toHaveLength(3);
    const larger = instance.with({ quota_mb: 100 });
    await databases.provisioner.update?.(larger.work());
    expect(await say(await larger.bind('new'), 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  test('S10: an update to a plan with less than there is says so and changes nothing, however often it comes.', async () => {
    const instance = await provisioned({ quota_mb: 100 });
    const login = await instance.bind('one');
    await say(login, fill(12));
    const session = await enter(login);
    const small = instance.with({ quota_mb: 12, connection_limit: 1, extensions: ['citext'] }).work();
    for (const _time of [1, 2]) {
      await expect(databases.provisioner.update?.(small)).rejects.toMatchObject({
        word: 'quota',
        message: expect.stringMatching(
          /^The database has \d\d MB, and its plan allows 12 MB\. Choose a larger plan/,
        ),
        hints: { instanceUsable: true, updateRepeatable: true },
      });
    }
    // The session is still there, and another one gets in.
    expect((await session.client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    expect(await say(login, "select extname from pg_extension where extname = 'citext'")).toEqual([]);
    await session.client.query('drop table big');
    await session.client.end();
    await databases.provisioner.update?.(small);
    expect(await look(databases, instance.with({ quota_mb: 12 }))).toMatchObject({ answer: 'ready' });
  });

  test('S10: below its quota again, because the plan has more, they get in again at once.', async () => {
    const instance = await provisioned({ quota_mb: 12 });
    const login = await instance.bind('one');
    await say(login, fill(12));
    await look(databases, instance);
    await expect(databases.provisioner.update?.(instance.with({ quota_mb: 13 }).work())).rejects.toThrow(
      'its plan allows 13 MB',
    );
    await expect(say(login, 'select 1')).rejects.toMatchObject({ code: '42501' });
    await databases.provisioner.update?.(instance.with({}).work());
    expect(await say(login, 'select count(*)::int as n from big')).toEqual([{ n: 12_000 }]);
  });

  test('S10: below its quota again, because it has shrunk, they get in at the next look.', async () => {
    const instance = await provisioned({ quota_mb: 12 });
    const login = await instance.bind('one');
    await say(login, fill(12));
    await look(databases, instance);
    const administrator = new Client({ connectionString: administratorUrl() });
    await say({ ...asAdministrator(administrator), database: instance.key }, 'drop table big', 'checkpoint');
    expect(await look(databases, instance)).toMatchObject({ answer: 'ready' });
    expect(await say(login, 'select 1 as n')).toEqual([{ n: 1 }]);
  });
});

describe('Extensions', () => {
  test('The extensions of a plan or parameter are there, and their functions can be used.', async () => {
    const plan = aPlan({
      making: { provisioner: 'postgres', config: { extensions: '{{params.extensions}}' } },
    });
    const values = { params: { extensions: ['pgcrypto', 'citext', 'earthdistance'] } };
    const instance = databases.anInstance();
    made.push(instance);
    await databases.provisioner.provision(aWork({ plan, instanceId: instance.id, values }));
    const login = await instance.bind('one');
    expect(await say(login, "select length(gen_salt('md5')) as n, 'A'::citext = 'a' as same")).toEqual([
      { n: 11, same: true },
    ]);
  });

  test('An update adds extensions and drops none.', async () => {
    const instance = await provisioned({ extensions: ['hstore'] });
    await databases.provisioner.update?.(instance.with({ extensions: ['citext'] }).work());
    expect(
      await say(
        await instance.bind('one'),
        "select extname from pg_extension where extname <> 'plpgsql' order by 1",
      ),
    ).toEqual([{ extname: 'citext' }, { extname: 'hstore' }]);
  });

  test('An extension that the server does not have fails for good, and what was made can be removed.', async () => {
    const instance = databases.anInstance({ extensions: ['no_such_thing'] });
    await expect(instance.provision()).rejects.toEqual(
      new Failure('extension', 'The extension no_such_thing cannot be added to this database.'),
    );
    await instance.deprovision();
    expect(await leftOf(databases.pool, instance)).toEqual([]);
  });

  test.each([
    ['connection_limit', 'many'],
    ['quota_mb', 1],
    ['quota_mb', '100'],
    ['idle_transaction_s', 0],
    ['extensions', 'a"; drop table t'],
    ['extensions', [1]],
  ])('A template for %s that came to %j fails for good, before anything is made.', async (name, value) => {
    const instance = databases.anInstance({ [name]: value });
    await expect(instance.provision()).rejects.toMatchObject({ word: 'misconfigured' });
    expect(await leftOf(databases.pool, instance)).toEqual([]);
  });
});

test('An administrator who is no superuser makes, binds, limits and removes all the same.', async () => {
  const name = `steward_${keyOf(String(process.pid)).slice(1, 9)}`;
  await databases.pool.query(`create role ${name} login createdb createrole password 'few'`);
  const { host, port } = new Client({ connectionString: administratorUrl() });
  const database = await ownDatabaseOf(name);
  const few = openDatabases(
    `postgres://${name}:few@/${database}?host=${encodeURIComponent(host)}&port=${port}&sslmode=disable`,
  );
  const instance = few.anInstance({ quota_mb: 12, extensions: ['citext'], connection_limit: 5 });
  await instance.provision();
  await instance.provision();
  const [one, other] = [await instance.bind('one'), await instance.bind('other')];
  await say(one, 'create table kept (n int)', 'set role none', 'create table own (n int)');
  const session = await enter(one);
  await instance.unbind('one');
  await session.ended;
  expect(await say(other, 'table kept', 'table own')).toEqual([]);
  expect(await look(few, instance)).toMatchObject({ answer: 'ready' });
  await say(other, fill(12));
  expect(await look(few, instance)).toMatchObject({ answer: 'silent' });
  await few.provisioner.update?.(instance.with({ quota_mb: 100 }).work());
  expect(await say(other, 'select 1 as n')).toEqual([{ n: 1 }]);
  await instance.deprovision();
  expect(await leftOf(databases.pool, instance)).toEqual([]);
  const forbidden = few.anInstance({ extensions: ['dblink'] });
  await expect(forbidden.provision()).rejects.toMatchObject({ word: 'extension' });
  await forbidden.deprovision();
  await few.close();
  await databases.pool.query(`drop database ${database}`);
  await forget(name);
});

async function ownDatabaseOf(role: string): Promise<string> {
  await databases.pool.query(`create database ${role} owner ${role}`);
  return role;
}

/** Closing databases has given it by name what it had as everybody. */
async function forget(role: string): Promise<void> {
  const { rows } = await databases.pool.query<{ datname: string }>(
    'select datname from pg_database, aclexplode(datacl) where grantee = $1::regrole group by datname',
    [role],
  );
  for (const { datname } of rows)
    await databases.pool.query(`revoke all on database ${datname} from ${role}`).catch(unlessDropped);
  await databases.pool.query(`drop role ${role}`);
}

/** Other test files make and drop databases at the same time. */
function unlessDropped(error: unknown): void {
  if (codeOf(error) !== '3D000') throw error;
}

function asAdministrator({ host, port, user, password }: Client): object {
  return { host, port, user, password };
}

function address({ host, port }: { host?: string; port?: number }): string {
  return `${host}:${port}`;
}
