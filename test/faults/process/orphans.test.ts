// Things whose rows are lost: a running process, a directory, a database.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { isThere } from '../../provisioners/process/process-node.ts';
import { administratorUrl } from '../../provisioners/postgres/databases.ts';
import { common, planOf, tiny } from './offerings.ts';
import { openOneNode, pathOf, processesOf, type Maker, type OneNode } from './one-node.ts';
import { until } from '../../support/until.ts';

/** Brokers look when they start; so whoever wants another look starts the node again. */
const env = { SHARED_POSTGRES_URL: administratorUrl(), NODE_PORTS: '21800-21899' };
const small = (offering: string) => ({ offering, plan: 'small' });
/** It never gets ready. */
const endless = { offering: 'process', plan: 'mute', incomplete: true };
/** Databases of other tests, which are on the same server, are nobody's here as well. */
const own = (name: string) => `${name}-${process.pid}-${Date.now()}`;
const kinds = ['process', 'directory', 'postgres'] as const;
const lost = Object.fromEntries(kinds.map((kind) => [kind, own(`lost-${kind}`)]));
const kept = Object.fromEntries(kinds.map((kind) => [kind, own(`kept-${kind}`)]));
const inTheMaking = own('making');
/** By id. */
const keys: Record<string, string> = {};
const keyFor = (id: string) => keys[id] ?? 'none';

let oneNode: OneNode;
let broker: Maker;
let administrator: Client;
let orphan: number;
beforeAll(async () => {
  administrator = new Client({ connectionString: administratorUrl() });
  await administrator.connect();
  oneNode = await openOneNode([
    tiny('process', { timeouts: { start: '10m' } }),
    {
      ...common('directory', [planOf('directory', 'small')], 'directory'),
      config: {},
      credentials: { path: '{{dir.data}}' },
    },
    {
      ...common('postgres', [planOf('postgres', 'small')], 'postgres'),
      secrets: { password: { per: 'binding', length: 24 } },
      config: { server: 'SHARED_POSTGRES_URL' },
      credentials: { user: '{{db.user}}', password: '{{secrets.password}}' },
    },
  ]);
  broker = await oneNode.start(env);
  for (const ids of [lost, kept]) {
    const made = kinds.map((kind) => broker.provision(ids[kind] ?? '', small(kind)));
    expect((await Promise.all(made)).map(({ status }) => status)).toEqual([201, 201, 201]);
  }
  expect((await broker.bind(lost['postgres'] ?? '', small('postgres'))).status).toBe(201);
  [orphan = 0] = processesOf(lost['process'] ?? '');
  expect((await broker.provision(inTheMaking, endless)).status).toBe(202);
  await until('it is being made', () => processesOf(inTheMaking).length === 1);
  for (const id of [...Object.values(lost), ...Object.values(kept), inTheMaking])
    keys[id] = (await broker.details(id)).key;
  await broker.kill();
  const ids = Object.values(lost);
  for (const table of ['service_bindings', 'operations'])
    await oneNode.database.pool.query(`delete from ${table} where instance_id = any ($1)`, [ids]);
  await oneNode.database.pool.query('delete from service_instances where id = any ($1)', [ids]);
  broker = await oneNode.start(env);
});
afterAll(async () => {
  for (const kind of kinds) await broker.deprovision(kept[kind] ?? '', small(kind));
  await oneNode.close();
  for (const id of [lost['postgres'] ?? '', kept['postgres'] ?? ''])
    await administrator.query(`drop database if exists ${keyFor(id)} with (force)`);
  await administrator.end();
});

interface Listed {
  readonly provisioner: string;
  readonly node?: string;
  readonly name: string;
  readonly key: string;
  readonly final: boolean;
  readonly condemned: boolean;
}

/** Of the things of this test, sorted. */
async function orphans(): Promise<readonly Listed[]> {
  const { body } = await broker.operate('GET', '/orphans');
  const ours = new Set([...Object.values(lost), ...Object.values(kept), inTheMaking].map((id) => keyFor(id)));
  const listed = (body['orphans'] as readonly Listed[]).filter(({ key }) => ours.has(key));
  return listed.toSorted(
    (a, b) => kinds.indexOf(a.provisioner as never) - kinds.indexOf(b.provisioner as never),
  );
}

async function stateOfMaking(): Promise<unknown> {
  return (await broker.ask('GET', `${pathOf(inTheMaking)}/last_operation`)).body['state'];
}

const expected = () =>
  kinds.map((provisioner) => ({
    provisioner,
    key: keyFor(lost[provisioner] ?? ''),
    ...(provisioner === 'postgres' ? {} : { node: 'n1' }),
  }));

async function lookAgain(): Promise<void> {
  const text = 'select count(*)::integer as looks from orphan_suspects where last_seen_at > $1';
  const { rows } = await oneNode.database.pool.query<{ now: Date }>('select now() as now');
  await broker.kill();
  broker = await oneNode.start(env);
  await until('it has looked', async () => {
    const found = await oneNode.database.pool.query<{ looks: number }>(text, [rows[0]?.now]);
    return (found.rows[0]?.looks ?? 0) >= kinds.length;
  });
}

/** Which of the lost things are there: the process, its directory, the other directory, the database, roles. */
async function whatIsThere(ids: Readonly<Record<string, string>>): Promise<object> {
  const made = kinds.map((kind) => keyFor(ids[kind] ?? ''));
  const named = 'select 1 from pg_database where datname = $1';
  const roles = 'select 1 from pg_roles where rolname = $1';
  return {
    running: processesOf(ids['process'] ?? '').length,
    directories: ['process', 'directory'].map((kind, n) =>
      existsSync(join(oneNode.directory, kind, made[n] ?? '')),
    ),
    database: (await administrator.query(named, [made[2]])).rows.length,
    owner: (await administrator.query(roles, [made[2]])).rows.length,
  };
}

const all = { running: 1, directories: [true, true], database: 1, owner: 1 };

/** Each statement builds on what those before have done. */
describe('Things that no instance stands for', () => {
  test('Things that no instance stands for are suspects at the first look; nothing in the making, and nothing that has its row, is listed [S14].', async () => {
    await until('all are found', async () => (await orphans()).length >= kinds.length);
    expect(await stateOfMaking()).toBe('in progress');
    expect(await orphans()).toMatchObject(
      expected().map((one) => ({ ...one, final: false, condemned: false })),
    );
    for (const { provisioner, node, name } of await orphans()) {
      const body = { provisioner, name, ...(node === undefined ? {} : { node }) };
      expect((await broker.operate('POST', '/orphans/remove', body)).status).toBe(409);
    }
  });

  test('Things that no instance stands for are final at another look, long enough after the first, and still nothing is removed [S14].', async () => {
    const text = "update orphan_suspects set first_seen_at = first_seen_at - interval '299 seconds'";
    await oneNode.database.pool.query(text);
    await lookAgain();
    await oneNode.database.pool.query(text.replace('299', '2'));
    expect(await orphans()).toMatchObject(
      expected().map((one) => ({ ...one, final: true, condemned: false })),
    );
    await lookAgain();
    expect(await whatIsThere(lost)).toEqual(all);
  });

  test('Things that no instance stands for go when somebody says so, with all that belongs to them, and nothing else goes [S14].', async () => {
    for (const { provisioner, node, name } of await orphans()) {
      const body = { provisioner, name, ...(node === undefined ? {} : { node }) };
      expect((await broker.operate('POST', '/orphans/remove', body)).status).toBe(202);
    }
    expect(await orphans()).toMatchObject(expected().map((one) => ({ ...one, condemned: true })));
    expect(await whatIsThere(lost)).toEqual(all);
    await broker.kill();
    broker = await oneNode.start(env);
    const nothing = { running: 0, directories: [false, false], database: 0, owner: 0 };
    await until(
      'all are gone',
      async () => JSON.stringify(await whatIsThere(lost)) === JSON.stringify(nothing),
    );
    expect(isThere(orphan)).toBe(false);
    const ports = 'select instance_id from node_ports where instance_id = $1';
    await until('its port is free', async () => {
      const { rows } = await oneNode.database.pool.query(ports, [keyFor(lost['process'] ?? '')]);
      return rows.length === 0;
    });
    expect(await whatIsThere(kept)).toEqual(all);
    expect([await stateOfMaking(), processesOf(inTheMaking).length]).toEqual(['in progress', 1]);
    expect((await broker.deprovision(inTheMaking, { ...endless, incomplete: false })).status).toBe(200);
  });
});
