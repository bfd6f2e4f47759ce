import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { describeWithS3, startS3Server, type S3Server } from '../support/s3/s3-server.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { call } from '../support/started-brokers.ts';
import { until } from '../support/until.ts';
import { startBrokerProcess, type BrokerProcess } from './broker-process.ts';

/** Real brokers that keep backups in a bucket, one of which is killed while it writes there. */

describeWithS3('Backups of brokers in a bucket', () => {
  let server: S3Server;
  let database: TestDatabase;
  let broker: BrokerProcess;
  const scratch = scratchDirectory('bucket');
  chmodSync(scratch, 0o755);

  async function start(name: string): Promise<BrokerProcess> {
    const shared = { database, dataDir: join(scratch, 'data'), catalogDir: 'catalog' };
    return startBrokerProcess(name, shared, {
      NODE_ROLE: 'true',
      NODE_NAME: 'n1',
      NODE_DIR: join(scratch, 'node'),
      LEASE: '3s',
      OPERATOR_PASSWORD: 'o',
      BACKUP_S3_URL: server.url,
      BACKUP_S3_PREFIX: 'here/',
      BACKUP_S3_CREDENTIALS: server.credentials,
    });
  }

  beforeAll(async () => {
    server = await startS3Server();
    database = await openTestDatabase();
    broker = await start('first');
  });
  afterAll(async () => {
    broker.signal('SIGKILL');
    await broker.ended;
    await database.close();
    await server.close();
  });

  async function operate(method: string, path: string, body?: object) {
    const answer = await call('operator:o', `${broker.address}/operator${path}`, {
      method,
      ...(body && { body }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  async function listed() {
    return (await operate('GET', '/backups')).body['backups'] as readonly { id: string; name: string }[];
  }

  test('A broker that is killed while it writes leaves nothing that is taken for a backup, and the next one makes it anew', async () => {
    const { services } = (await broker.ask('GET', '/v2/catalog')).body as {
      services: readonly { id: string; name: string; plans: readonly { id: string }[] }[];
    };
    const offering = services.find(({ name }) => name === 'filesystem');
    const ids = { service_id: offering?.id, plan_id: offering?.plans[0]?.id };
    const body = { ...ids, organization_guid: 'o', space_guid: 's' };
    expect((await broker.ask('PUT', '/v2/service_instances/f1', body)).status).toBe(201);
    const bound = await broker.ask('PUT', '/v2/service_instances/f1/service_bindings/b1', body);
    const file = join((bound.body['credentials'] as { path: string }).path, 'large');
    const bytes = randomBytes(20_000_000);
    writeFileSync(file, bytes);

    let put = 0;
    server.judge((method) => (method === 'PUT' && (put += 1) === 2 ? 'hang' : 'pass'));
    expect((await operate('POST', '/instances/f1/backups', {})).status).toBe(202);
    await until('the second object is on its way', async () => put === 2);
    const [left = ''] = await server.objects();
    expect(left).toMatch(/^here\/.+-1\/000001$/);
    broker.signal('SIGKILL');
    await broker.ended;
    broker = await start('second');
    expect(await listed()).toEqual([]);
    await until('it is made', async () => (await listed()).length === 1);
    const [backup = { id: '', name: '' }] = await listed();
    expect(backup.name).not.toBe(left.split('/')[1]);
    const objects = await server.objects();
    expect(objects).toHaveLength(3);
    expect(objects.every((name) => name.startsWith(`here/${backup.name}/`))).toBe(true);

    writeFileSync(file, 'lost');
    const restoring = await operate('POST', `/backups/${backup.id}/restore`, {});
    expect([200, 202]).toContain(restoring.status);
    await until('it is restored', async () => existsSync(file) && readFileSync(file).equals(bytes));
    await until('nothing goes on', async () => {
      const { status } = await operate('DELETE', `/backups/${backup.id}`);
      return status === 200;
    });
    expect(await server.objects()).toEqual([]);
  }, 240_000);

  test('While the store is away a backup waits for it, and is made when it is back', async () => {
    server.judge(() => 'refuse');
    const { status } = await operate('POST', '/instances/f1/backups', {});
    expect(status).toBe(202);
    const trouble = () => broker.lines().some((line) => JSON.stringify(line).includes('it answers 503'));
    await until('it is told', async () => trouble());
    expect(await listed()).toEqual([]);
    server.judge(() => 'pass');
    await until('it is made', async () => (await listed()).length === 1, 120_000);
    const [backup = { id: '', name: '' }] = await listed();
    server.judge(() => 'refuse');
    const refused = await operate('DELETE', `/backups/${backup.id}`);
    expect([refused.status, refused.body]).toEqual([
      503,
      expect.objectContaining({ description: expect.stringContaining('it answers 503') as string }),
    ]);
    server.judge(() => 'pass');
    await until('whoever looks next removes it', async () => (await server.objects()).length === 0, 120_000);
  }, 300_000);
});
