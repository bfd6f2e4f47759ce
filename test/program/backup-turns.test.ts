import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';

/** Backups that nobody has asked for, with two brokers on one database. */

const login = `operator:${operatorPassword}`;
const ids = { service_id: 'turned-files', plan_id: 'turned-files-small' };
let database: TestDatabase;
const brokers: WholeBroker[] = [];
const directory = scratchDirectory('turned-backups');

beforeAll(async () => {
  database = await openTestDatabase();
  const catalog = scratchDirectory('turned-catalog');
  writeFileSync(
    join(catalog, 'files.yaml'),
    `id: ${ids.service_id}
name: files
description: Directories that are backed up by themselves
keeps_ids: true
provisioner: directory
backup: { every: 1d, keep: { count: 5 } }
plans:
  - { id: ${ids.plan_id}, name: small, description: One, backup: { keep: { count: 2, for: 30d } } }
credentials: { path: '{{dir.data}}' }
`,
  );
  for (let count = 0; count < 2; count += 1)
    brokers.push(await startWholeBroker(database, { CATALOG_DIR: catalog, BACKUP_DIR: directory }));
});
afterAll(async () => {
  for (const broker of brokers) await broker.stop();
  await database.close();
});

interface Made {
  readonly id: string;
  readonly asked_by: { readonly protocol: string };
}

async function backupsOf(instance: string): Promise<readonly Made[]> {
  const { status, body } =
    (await brokers[0]?.ask('get', `/operator/backups?instance=${instance}`, { login })) ?? {};
  expect({ status, body: body as unknown }).toMatchObject({ status: 200 });
  return (body as { backups: readonly Made[] }).backups;
}

/** How often its backups were begun. */
async function begunOf(instance: string): Promise<number> {
  const { rows } = await database.pool.query<{ count: string }>(
    `select count(*) from operations where kind = 'backup' and instance_id = $1`,
    [instance],
  );
  return Number(rows[0]?.count);
}

test('Backups are made once for each time that they are due, and go when they have had theirs; those of people stay.', async () => {
  const id = `turned-${randomUUID()}`;
  const made = await brokers[0]?.ask('put', `/v2/service_instances/${id}`, {
    body: { ...ids, organization_guid: 'o', space_guid: 's' },
  });
  expect({ status: made?.status, body: made?.body as unknown }).toMatchObject({ status: 201 });
  const asked = await brokers[0]?.ask('post', `/operator/instances/${id}/backups`, { login, body: {} });
  expect(`${asked?.status} ${JSON.stringify(asked?.body)}`).toMatch(/^20[02] /);
  await until('it is made', async () => (await backupsOf(id)).length === 1);
  expect(await begunOf(id)).toBe(1);
  // Several were missed: one makes up for them.
  await database.pool.query(`update service_instances set created_at = created_at - interval '3.5 days'`);
  for (let days = 1; days <= 3; days += 1) {
    await until('it is backed up', async () => (await begunOf(id)) === 1 + days);
    await until('its turn is over', async () => {
      const { rowCount } = await database.pool.query(
        'select from backup_turns where last_at > now() - interval $$1 day$$',
      );
      return rowCount === 1;
    });
    // Another time than the one before, for which nothing would be made again.
    if (days < 3)
      await database.pool.query(`update backup_turns set last_at = last_at - interval '1 day 1 minute'`);
  }
  await until('the oldest has gone', async () => (await backupsOf(id)).length === 3, 150_000);
  expect((await backupsOf(id)).map(({ asked_by: { protocol } }) => protocol)).toEqual([
    'broker',
    'broker',
    'operator',
  ]);
  expect(await begunOf(id)).toBe(4);
  await until('so has its file', () => readdirSync(directory).length === 3);

  // Too old, and the last one of an instance that is there; what somebody has begun to remove is gone on with.
  const own = (await backupsOf(id)).find(({ asked_by: { protocol } }) => protocol === 'operator');
  await database.pool.query(`update backups set created_at = now() - interval '40 days'`);
  await database.pool.query('update backups set removing = true where id = $1', [own?.id]);
  await until('one is left', async () => (await backupsOf(id)).length === 1, 150_000);
  await until('so has its file', () => readdirSync(directory).length === 1);
  await brokers[0]?.ask('delete', `/v2/service_instances/${id}`, { query: ids });
  await until(
    'with its instance, the last one goes',
    async () => (await backupsOf(id)).length === 0,
    150_000,
  );
  await until('with its file', () => !existsSync(directory) || readdirSync(directory).length === 0);
});
