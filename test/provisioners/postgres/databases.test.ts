import { postgresDatabases } from '../../../src/provisioners/postgres/index.ts';
import { aPlan } from '../../broker/fixtures.ts';
import { openStatementGate, type StatementGate } from '../../faults/statement-gate.ts';
import { openGate } from '../../support/database-gate.ts';
import { aWork } from '../contract.ts';
import { administratorUrl, type Databases, leftOf, openDatabases, say } from './databases.ts';
import { look, provisionedDatabases } from './provisioned.ts';

const { databases, made, provisioned } = provisionedDatabases();

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
    expect(await look(behind, instance)).toMatchObject({ alive: true, answer: 'ready' });
    gate.shut();
    expect(await look(behind, instance)).toMatchObject({
      alive: false,
      answer: 'unasked',
      fault: expect.stringMatching(/^the database server cannot be reached/),
    });
    gate.open();
    expect(await look(behind, instance)).toMatchObject({ alive: true, answer: 'ready' });
  });

  test('An administrator with a wrong password cannot judge either, and does not tell it.', async () => {
    const url = administratorUrl().replace(/:[^:@/]+@/, ':wrong-password@');
    const wrong = openDatabases(url);
    const facts = await look(wrong, await provisioned());
    expect(facts).toMatchObject({ fault: 'the administrator cannot log in to the database server' });
    await wrong.close();
  });

  test('A look ends in time, also when the server is reached and says nothing.', async () => {
    const instance = await provisioned();
    const mute = await openGate();
    mute.open();
    const heard = openDatabases(mute.url.href);
    expect(await look(heard, instance)).toMatchObject({ answer: 'ready' });
    mute.clog();
    const started = Date.now();
    expect(await look(heard, instance)).toHaveProperty('fault', 'the database server cannot be reached');
    expect(Date.now() - started).toBeLessThan(30_000);
    mute.shut();
    await heard.close();
    await mute.close();
  });

  test('A database or role that is gone is an error, not a fault of ours.', async () => {
    const instance = await provisioned();
    await databases.pool.query(`drop database ${instance.key}`);
    expect(await look(databases, instance)).toMatchObject({
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

  test('S14: what is left of an instance is listed once, by its key, and purged; nothing of others is.', async () => {
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
      [{ name: `database ${instance.key}`, key: instance.key }],
      [{ name: `database ${planted.key}`, key: planted.key }],
      [{ name: `role ${lonely.role('one')}`, key: lonely.key }],
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
