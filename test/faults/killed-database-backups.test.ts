// A broker is killed at a backup and at a restore of a database, and another one ends it.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { say } from '../provisioners/postgres/databases.ts';
import { describeWithServer, startOwnServer, type OwnServer } from '../provisioners/postgres/own-server.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { call } from '../support/started-brokers.ts';
import { until } from '../support/until.ts';
import { startBrokerProcess, type BrokerProcess } from './broker-process.ts';
import { fates, openStepGate, type StepGate } from './step-gate.ts';

describeWithServer('Backups of databases, whose broker is killed', () => {
  const scratch = scratchDirectory('killed-database-backups');
  const backups = join(scratch, 'backups');
  let server: OwnServer;
  let database: TestDatabase;
  let gate: StepGate;
  let broker: BrokerProcess;
  const brokers: BrokerProcess[] = [];

  async function start(): Promise<BrokerProcess> {
    const shared = { database, dataDir: join(scratch, 'data'), catalogDir: 'catalog' };
    const env = { LEASE: '3s', OPERATOR_PASSWORD: 'o', BACKUP_DIR: backups, SHARED_POSTGRES_URL: server.url };
    const started = await startBrokerProcess(`broker-${brokers.length}`, shared, env);
    brokers.push(started);
    return started;
  }
  async function kill(): Promise<void> {
    broker.signal('SIGKILL');
    await broker.ended;
  }

  beforeAll(async () => {
    server = await startOwnServer();
    database = await openTestDatabase();
    broker = await start();
    gate = await openStepGate(database);
  });
  afterAll(async () => {
    for (const { signal, ended } of brokers) {
      signal('SIGKILL');
      await ended;
    }
    await gate.close();
    await database.close();
    await server.stop();
  });

  async function operate(method: string, path: string, body?: object) {
    const answer = await call('operator:o', `${broker.address}/operator${path}`, {
      method,
      ...(body && { body }),
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  /** However it is answered: the broker dies at it. */
  const begin = (path: string) => void operate('POST', path, {}).catch(() => undefined);

  async function listed(id: string) {
    const { backups: found } = await operate('GET', `/backups?instance=${id}`);
    return found as readonly { readonly id: string; readonly name: string }[];
  }

  /** Of the latest operation of the instance. */
  async function ended(id: string, kind: string): Promise<string> {
    return until(`the ${kind} of ${id} has ended`, async () => {
      const { operations } = await operate('GET', `/instances/${id}`);
      const [last] = operations as readonly { readonly kind: string; readonly state: string }[];
      return last?.kind === kind && last.state !== 'in progress' && last.state;
    });
  }

  /** With a table in which there is tea. */
  async function buy(id: string): Promise<ClientConfig> {
    const { services } = (await broker.ask('GET', '/v2/catalog')).body as {
      services: readonly { id: string; name: string; plans: readonly { id: string }[] }[];
    };
    const offering = services.find(({ name }) => name === 'postgres');
    const plan = { service_id: offering?.id, plan_id: offering?.plans[0]?.id };
    const body = { ...plan, organization_guid: 'o', space_guid: 's' };
    expect((await broker.ask('PUT', `/v2/service_instances/${id}`, body)).status).toBe(201);
    const bound = await broker.ask('PUT', `/v2/service_instances/${id}/service_bindings/b`, body);
    const { host, port, name, username, password } = bound.body['credentials'] as Record<string, string>;
    const login = { host, port: Number(port), database: name, user: username, password };
    await say(login, 'create table goods (name text)', "insert into goods values ('tea')");
    return login;
  }

  /** What the server has of an instance beside its database, its owner and its one binding. */
  async function leftOf({ database: name = '' }: ClientConfig): Promise<unknown> {
    return say(
      { connectionString: server.url },
      `select datname as name from pg_database where datname like '${name}\\_%'
       union all select rolname from pg_roles where shobj_description(oid, 'pg_authid') = 'purveyor key ${name}'
       offset 2`,
    );
  }

  async function backUp(id: string): Promise<string> {
    await operate('POST', `/instances/${id}/backups`, {});
    expect(await ended(id, 'backup')).toBe('succeeded');
    return (await listed(id))[0]?.id ?? '';
  }

  test.each(fates)(
    'When it dies with the step of a backup %s, there is one backup in the end.',
    async (fate) => {
      const id = `backed-up-${fates.indexOf(fate)}`;
      await buy(id);
      await gate.shut([{ id, number: 1, fate }]);
      begin(`/instances/${id}/backups`);
      await gate.untilStopped(1);
      await kill();
      await gate.open();
      broker = await start();
      expect(await ended(id, 'backup')).toBe('succeeded');
      expect(await listed(id)).toHaveLength(1);
      const { backups: all } = await operate('GET', '/backups');
      const names = (all as readonly { readonly name: string }[]).map(({ name }) => name);
      expect(readdirSync(backups).toSorted()).toEqual(names.toSorted());
    },
  );

  test.each(fates)(
    'When it dies with the step of a restore %s, the database is as it was saved.',
    async (fate) => {
      const id = `restored-${fates.indexOf(fate)}`;
      const login = await buy(id);
      const backup = await backUp(id);
      await say(login, "update goods set name = 'lost'");
      await gate.shut([{ id, number: 1, fate }]);
      begin(`/backups/${backup}/restore`);
      await gate.untilStopped(1);
      await kill();
      await gate.open();
      broker = await start();
      expect(await ended(id, 'restore')).toBe('succeeded');
      expect(await say(login, 'select name from goods')).toEqual([{ name: 'tea' }]);
      expect(await leftOf(login)).toEqual([]);
    },
  );

  test('When it dies while the database is put back, the present one stays until another broker has done it.', async () => {
    const login = await buy('held-up');
    // Whoever makes this index waits for so long: so does a restore.
    const slowly = `create function slowly(text) returns text language plpgsql immutable as $$ begin
      perform pg_sleep(coalesce(current_setting('test.seconds', true), '0')::float8); return $1; end $$`;
    await say(login, slowly, 'create index slow on goods (slowly(name))');
    const backup = await backUp('held-up');
    await say(login, "update goods set name = 'present'");
    const admin = { connectionString: server.url };
    await say(admin, "alter role all set test.seconds = '3600'");
    begin(`/backups/${backup}/restore`);
    const waiting = `select from pg_stat_activity where query like 'CREATE INDEX slow%' and datname like '${login.database}%'`;
    await until('the restore waits', async () => (await say(admin, waiting)).length > 0);
    await kill();
    expect(await say(login, 'select name from goods')).toEqual([{ name: 'present' }]);
    await say(admin, 'alter role all reset test.seconds');
    broker = await start();
    expect(await ended('held-up', 'restore')).toBe('succeeded');
    expect(await say(login, 'select name from goods')).toEqual([{ name: 'tea' }]);
    expect(await leftOf(login)).toEqual([]);
  });
});
