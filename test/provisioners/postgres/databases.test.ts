import { Client } from 'pg';
import { Failure } from '../../../src/broker/errors.ts';
import { keyOf } from '../../../src/broker/key.ts';
import type { UnitFacts } from '../../../src/broker/units.ts';
import { postgresDatabases } from '../../../src/provisioners/postgres/index.ts';
import { codeOf } from '../../../src/system/error-code.ts';
import { aPlan } from '../../broker/fixtures.ts';
import { openStatementGate, type StatementGate } from '../../faults/statement-gate.ts';
import { openGate } from '../../support/database-gate.ts';
import { aWork } from '../contract.ts';
import {
  administratorUrl,
  type Databases,
  enter,
  type Instance,
  leftOf,
  openDatabases,
  say,
} from './databases.ts';

let databases: Databases;
beforeAll(() => {
  databases = openDatabases();
});
afterAll(() => databases.close());

const made: Instance[] = [];
async function provisioned(config = {}): Promise<Instance> {
  const instance = databases.anInstance(config);
  made.push(instance);
  await instance.provision();
  return instance;
}
afterEach(async () => {
  for (const instance of made.splice(0)) await instance.deprovision();
});

async function look(instance: Instance, from = databases): Promise<UnitFacts | undefined> {
  const [unit, ...others] = (await from.provisioner.units?.inspect(instance.work())) ?? [];
  expect(others).toEqual([]);
  return unit;
}

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
    expect(await look(instance)).toMatchObject({ alive: true, answer: 'ready' });
    await databases.provisioner.update?.(instance.with({ connection_limit: 3 }).work());
    expect(await say(login, 'select 1 as n')).toEqual([{ n: 1 }]);
    await Promise.all(sessions.map(({ client }) => client.end()));
  });

  test('S10: over its quota, the sessions are cut, nobody gets in, and the reason says size and limit.', async () => {
    const instance = await provisioned({ quota_mb: 12 });
    const login = await instance.bind('one');
    expect(await look(instance)).toEqual({
      unit: 'database',
      alive: true,
      answer: 'ready',
      address: address(login),
    });
    const session = await enter(login);
    await session.client.query(fill(12));
    expect(await look(instance)).toMatchObject({
      alive: true,
      answer: 'silent',
      reason: expect.stringMatching(/^it has \d\d MB and may have 12 MB: nobody can connect/),
    });
    await session.ended;
    await expect(say(login, 'select 1')).rejects.toMatchObject({ code: '42501' });
    expect(await look(instance)).toMatchObject({ answer: 'silent' });
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
    expect(await look(instance.with({ quota_mb: 12 }))).toMatchObject({ answer: 'ready' });
  });

  test('S10: below its quota again, because the plan has more, they get in again at once.', async () => {
    const instance = await provisioned({ quota_mb: 12 });
    const login = await instance.bind('one');
    await say(login, fill(12));
    await look(instance);
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
    await look(instance);
    const administrator = new Client({ connectionString: administratorUrl() });
    await say({ ...asAdministrator(administrator), database: instance.key }, 'drop table big', 'checkpoint');
    expect(await look(instance)).toMatchObject({ answer: 'ready' });
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

  test('One that the server does not have fails for good, and what was made can be removed.', async () => {
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
    ['extensions', 'a"; drop table t'],
    ['extensions', [1]],
  ])('A template for %s that came to %j fails for good, before anything is made.', async (name, value) => {
    const instance = databases.anInstance({ [name]: value });
    await expect(instance.provision()).rejects.toMatchObject({ word: 'misconfigured' });
    expect(await leftOf(databases.pool, instance)).toEqual([]);
  });
});

describe('Looking', () => {
  let gate: StatementGate;
  let behind: Databases;
  beforeEach(async () => {
    gate = await openStatementGate({ connectionString: administratorUrl() });
    behind = openDatabases(gate.url);
  });
  afterEach(async () => {
    await behind.close();
    await gate.close();
  });

  test('P2: when the administrator cannot reach the server, the node cannot judge; when it is back, it can.', async () => {
    const instance = await provisioned();
    expect(await look(instance, behind)).toMatchObject({ alive: true, answer: 'ready' });
    gate.shut();
    expect(await look(instance, behind)).toMatchObject({
      alive: false,
      answer: 'unasked',
      fault: expect.stringMatching(/^the database server cannot be reached/),
    });
    gate.open();
    expect(await look(instance, behind)).toMatchObject({ alive: true, answer: 'ready' });
  });

  test('An administrator with a wrong password cannot judge either, and does not tell it.', async () => {
    const url = administratorUrl().replace(/:[^:@/]+@/, ':wrong-password@');
    const wrong = openDatabases(url);
    const facts = await look(await provisioned(), wrong);
    expect(facts).toMatchObject({ fault: 'the administrator cannot log in to the database server' });
    await wrong.close();
  });

  test('A look ends in time, also when the server is reached and says nothing.', async () => {
    const instance = await provisioned();
    const mute = await openGate();
    mute.open();
    const heard = openDatabases(mute.url.href);
    expect(await look(instance, heard)).toMatchObject({ answer: 'ready' });
    mute.clog();
    const started = Date.now();
    expect(await look(instance, heard)).toHaveProperty('fault', 'the database server cannot be reached');
    expect(Date.now() - started).toBeLessThan(5000);
    mute.shut();
    await heard.close();
    await mute.close();
  });

  test('A database or role that is gone is an error, not a fault of ours.', async () => {
    const instance = await provisioned();
    await databases.pool.query(`drop database ${instance.key}`);
    expect(await look(instance)).toMatchObject({
      alive: false,
      answer: 'unasked',
      failed: 'the database or its owner role is gone',
    });
  });

  test('Without the address of the server nothing is offered, made or judged.', async () => {
    const none = postgresDatabases({ servers: () => undefined });
    const plan = aPlan({ making: { config: { server: 'OTHER_POSTGRES_URL' } } });
    expect(none.obstacle?.(plan)).toBe('OTHER_POSTGRES_URL is not set');
    expect(none.obstacle?.(aPlan())).toBe('SHARED_POSTGRES_URL is not set');
    expect(databases.provisioner.obstacle?.(aPlan())).toBeUndefined();
    expect(await none.units?.inspect(aWork({ plan }))).toEqual([
      { unit: 'database', alive: false, answer: 'unasked', fault: 'OTHER_POSTGRES_URL is not set' },
    ]);
    for (const verb of ['provision', 'deprovision'] as const)
      await expect(none[verb](aWork({ plan }))).rejects.toMatchObject({ word: 'misconfigured' });
    expect(await none.inventory?.()).toEqual([]);
    await none.close();
  });
});

describe('Half-made', () => {
  let gate: StatementGate;
  let behind: Databases;
  beforeEach(async () => {
    gate = await openStatementGate({ connectionString: administratorUrl() });
    behind = openDatabases(gate.url);
  });
  afterEach(async () => {
    await behind.close();
    await gate.close();
  });

  const steps = [
    ['provision', 'create role'],
    ['provision', 'create database'],
    ['provision', 'revoke all on database'],
    ['provision', 'alter schema public'],
    ['provision', 'create extension'],
    ['provision', 'pg_advisory_unlock'],
    ['bind', 'create role'],
    ['unbind', 'nologin'],
    ['unbind', 'pg_terminate_backend'],
    ['unbind', 'reassign owned'],
    ['unbind', 'drop role'],
    ['deprovision', 'nologin'],
    ['deprovision', 'drop database'],
    ['deprovision', 'drop role'],
  ] as const;

  test.each(steps)('A %s that dies after "%s" is repeated to the same end.', async (kind, statement) => {
    const config = { extensions: ['hstore'], connection_limit: 4 };
    const instance = databases.anInstance(config);
    made.push(instance);
    const { provisioner } = databases;
    const work = instance.work('one');
    if (kind !== 'provision') await provisioner.provision(work);
    if (kind === 'unbind' || kind === 'deprovision') {
      await say(
        await instance.bind('one'),
        'set role none',
        'create table own (n int)',
        'insert into own values (1)',
      );
    }
    const lost = gate.loseAnswerTo(statement);
    await expect(behind.provisioner[kind]?.(work)).rejects.toThrow(/terminated/);
    await lost;
    await provisioner[kind]?.(work);
    if (kind === 'deprovision') return expect(await leftOf(databases.pool, instance)).toEqual([]);
    const login = await instance.bind('other');
    expect(
      await say(login, "select 'a=>1'::hstore -> 'a' as a", 'create table t (n int)', 'table t'),
    ).toEqual([]);
    if (kind === 'unbind') expect(await say(login, 'table own')).toEqual([{ n: 1 }]);
    const { rows } = await databases.pool.query('select datconnlimit from pg_database where datname = $1', [
      instance.key,
    ]);
    expect(rows).toEqual([{ datconnlimit: 4 }]);
  });

  test('A provision that is told to end leaves its lock, and the removal that follows it removes everything.', async () => {
    const instance = databases.anInstance();
    const stop = new AbortController();
    const provision = databases.provisioner.provision(instance.work(undefined, { signal: stop.signal }));
    const ended = provision.catch((error: unknown) => error);
    for (;;) {
      const { rowCount } = await databases.pool.query('select from pg_roles where rolname = $1', [
        instance.key,
      ]);
      if (rowCount) break;
    }
    stop.abort('lost');
    await ended;
    await instance.deprovision();
    expect(await leftOf(databases.pool, instance)).toEqual([]);
  });

  test('S14: what is left of an instance is listed once, by its id or key, and purged; nothing of others is.', async () => {
    const instance = await provisioned();
    await instance.bind('one');
    const [planted, lonely] = [databases.anInstance(), databases.anInstance()];
    await databases.pool.query(`create database ${planted.key}`);
    await databases.pool.query(`create role ${lonely.role('one')} login`);
    await databases.pool.query(`comment on role ${lonely.role('one')} is 'purveyor instance ${lonely.id}'`);
    const { provisioner } = databases;
    const things = (await provisioner.inventory?.()) ?? [];
    const mine = [instance, planted, lonely].map(({ key }) => things.filter((thing) => thing.key === key));
    expect(mine).toEqual([
      [{ name: `database ${instance.key}`, instanceId: instance.id, key: instance.key }],
      [{ name: `database ${planted.key}`, key: planted.key }],
      [{ name: `role ${lonely.role('one')}`, instanceId: lonely.id, key: lonely.key }],
    ]);
    for (const [thing] of mine) if (thing) await provisioner.purge?.(thing);
    for (const [thing] of mine) if (thing) await provisioner.purge?.(thing);
    const left = await Promise.all([instance, planted, lonely].map((one) => leftOf(databases.pool, one)));
    expect(left.flat()).toEqual([]);
  });

  test("The broker's own database is no thing, also when it was made by a broker, and is never purged.", async () => {
    const own = await provisioned();
    await own.bind('one');
    const settings = { servers: () => ({ url: administratorUrl() }), ownDatabase: () => own.key };
    const careful = postgresDatabases(settings);
    expect((await careful.inventory?.())?.filter(({ key }) => key === own.key)).toEqual([]);
    await expect(careful.purge?.({ name: 'x', key: own.key })).rejects.toThrow('the broker itself');
    await expect(careful.purge?.({ name: 'x', key: 'purveyor' })).rejects.toThrow(
      "Nobody knows what 'x' is.",
    );
    expect(await leftOf(databases.pool, own)).toHaveLength(3);
    await careful.close();
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
  expect(await look(instance, few)).toMatchObject({ answer: 'ready' });
  await say(other, fill(12));
  expect(await look(instance, few)).toMatchObject({ answer: 'silent' });
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
