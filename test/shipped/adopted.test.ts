import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import { keyOf } from '../../src/broker/key.ts';
import { administratorUrl } from '../provisioners/postgres/databases.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { openShop, type Shop } from './shop.ts';

/** What exists already becomes an instance: what brokers have forgotten, and what none of them has made. */

const login = `operator:${operatorPassword}`;
const scratch = scratchDirectory('adopted');
const root = join(scratch, 'root');
const admin = new Pool({ connectionString: administratorUrl(), max: 2 });
const suffix = randomUUID().replaceAll('-', '').slice(0, 12);
const names = { shop: `Shop ${suffix}`, owner: `owner_${suffix}` };
let shop: Shop;

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  for (const path of [root, join(scratch, 'more')]) mkdirSync(path, { mode: 0o755 });
  writeFileSync(
    join(scratch, 'more', 'folders.json'),
    JSON.stringify({
      id: 'folders',
      name: 'folders',
      description: 'Directories',
      instances_retrievable: true,
      provisioner: 'directory',
      plans: [{ id: 'folders-small', name: 'small', description: 'One' }],
      config: { roots: [root] },
      credentials: { path: '{{mount.path}}' },
    }),
  );
  shop = await openShop({ ASYNC_PATIENCE: '30s', CATALOG_DIR: `catalog:${join(scratch, 'more')}` });
  await admin.query(`create role ${names.owner} login password 'old'`);
  await admin.query(`create database "${names.shop}" owner ${names.owner}`);
});
afterAll(async () => {
  await shop.close();
  await admin.query(`drop database if exists "${names.shop}"`);
  // Others who use the server may have given it rights on theirs.
  await admin.query(`drop owned by ${names.owner}`);
  await admin.query(`drop role ${names.owner}`);
  await admin.end();
});

async function operate(method: 'get' | 'post', path: string, body: object = {}, query = {}) {
  const answer = await shop.broker.ask(method, `/operator/${path}`, { login, body, query });
  const { description } = answer.body as { readonly description?: string };
  return { status: answer.status, description };
}

const adopt = (id: string, thing: string, rest: object = {}) =>
  operate('post', `instances/${id}/adopt`, { thing, offering: 'postgres', plan: 'small', ...rest });

async function states(): Promise<readonly string[]> {
  const { body } = await shop.operator('instances');
  return (body as { instances: readonly { id: string; state: string }[] }).instances.map(
    ({ id, state }) => `${id} ${state}`,
  );
}

const plan = {
  postgres: {
    service_id: '7b1d4a8e-6f7f-4b55-8a51-b1b7e4a0c200',
    plan_id: '7b1d4a8e-6f7f-4b55-8a51-b1b7e4a0c201',
  },
  folders: { service_id: 'folders', plan_id: 'folders-small' },
};

async function bind(id: string, of: keyof typeof plan): Promise<Readonly<Record<string, string>>> {
  const path = `/v2/service_instances/${id}/service_bindings/${randomUUID()}`;
  const { status, body } = await shop.broker.ask('put', path, { body: plan[of] });
  expect(status).toBe(201);
  return (body as { credentials: Record<string, string> }).credentials;
}

async function deprovision(id: string, of: keyof typeof plan): Promise<void> {
  const { status } = await shop.broker.ask('delete', `/v2/service_instances/${id}`, { query: plan[of] });
  expect(status).toBe(200);
}

async function ask(login: object, ...statements: readonly string[]): Promise<readonly object[]> {
  const client = new Client(login);
  await client.connect();
  try {
    let rows: readonly object[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

const inside = () => {
  const { host, port, user, password } = new Client(administratorUrl());
  return { host, port, user, password, database: names.shop };
};

test('A database that no broker has made becomes an instance, once, with all that is in it; bindings own it, and a deletion removes it.', async () => {
  await ask(
    inside(),
    `set role ${names.owner}`,
    'create schema sales',
    `create type sales.mood as enum ('fine')`,
    'create table sales.goods (id serial primary key, name text, how sales.mood)',
    `insert into sales.goods (name) values ('tea')`,
    'create view sales.listed as select name from sales.goods',
    `create function sales.twice(n int) returns int language sql as 'select 2 * n'`,
  );
  const thing = `database ${names.shop}`;
  const open = new Client(inside());
  await open.connect();
  open.on('error', () => undefined);
  expect(await adopt('taken', thing)).toEqual({
    status: 500,
    description: 'Somebody is connected to the database. End these connections first.',
  });
  // What was not adopted is no instance.
  expect(await states()).toEqual([]);
  await open.end();

  const both = await Promise.all([adopt('one', thing), adopt('other', thing)]);
  expect(both.map(({ status }) => String(status)).toSorted()).toEqual(['200', '409']);
  expect(both.find(({ status }) => status === 409)?.description).toBe(
    `${thing} belongs to a service instance already.`,
  );
  const [id = ''] = (await states()).map((one) => one.replace(/ ready$/, ''));
  expect(['one', 'other']).toContain(id);
  expect(await adopt(id, thing)).toEqual({ status: 200, description: undefined });
  expect(await adopt(id, 'database elsewhere')).toMatchObject({ status: 409 });

  const { host, port, name: database, username: user, password } = await bind(id, 'postgres');
  const bound = { host, port: Number(port), database, user, password };
  expect(
    await ask(
      bound,
      'alter table sales.goods add column price int',
      `alter type sales.mood add value 'sad'`,
      `insert into sales.goods (name) values ('milk')`,
      'create table more (id int)',
      'select name, sales.twice(2) from sales.listed order by name',
    ),
  ).toEqual([
    { name: 'milk', twice: 4 },
    { name: 'tea', twice: 4 },
  ]);
  await expect(ask({ ...bound, user: names.owner, password: 'old' }, 'select 1')).rejects.toThrow('denied');
  await deprovision(id, 'postgres');
  const { rows } = await admin.query('select from pg_database where datname = $1', [database]);
  expect(rows).toEqual([]);
});

test('A database that the broker was made to forget is adopted under another id, and its logins go on.', async () => {
  const bought = await shop.buy('postgres', 'small');
  const { credentials } = await bought.bind();
  const { host, port, name: database, username: user, password } = credentials;
  const bound = { host, port: Number(port), database, user, password };
  await ask(bound, 'create table goods (name text)', `insert into goods values ('tea')`);
  const thing = `database ${bought.key}`;
  expect(await adopt('again', thing)).toMatchObject({
    status: 409,
    description: `${thing} belongs to a service instance already.`,
  });
  const purged = await operate('post', `instances/${bought.id}/actions/purge`, {}, { confirm: bought.id });
  expect(purged.status).toBe(200);
  expect(await adopt('again', thing, { organization_guid: 'o', space_guid: 's' })).toMatchObject({
    status: 200,
  });
  expect(await ask(bound, 'select name from goods')).toEqual([{ name: 'tea' }]);
  const { body } = await shop.operator('instances/again');
  expect(body).toMatchObject({
    key: bought.key,
    state: 'ready',
    organization_guid: 'o',
    operations: [{ kind: 'adopt', state: 'succeeded', timeline: [{ step: 'adopt' }] }],
  });
  const audited = await shop.operator('audit?verb=adopt&instance=again');
  expect(audited.body).toMatchObject({
    entries: [{ verb: 'adopt', outcome: 'succeeded', after: { thing } }],
  });
  const again = await shop.broker.ask('put', '/v2/service_instances/again', {
    body: { ...plan.postgres, organization_guid: 'o', space_guid: 's' },
  });
  expect(again.status).toBe(200);
  await deprovision('again', 'postgres');
  await expect(ask(bound, 'select 1')).rejects.toThrow();
});

test('Databases of the server, what is not there, and offerings of which nothing can be adopted are refused with a sentence.', async () => {
  expect(await adopt('x', 'database postgres')).toEqual({
    status: 500,
    description: "The database 'postgres' is the server's or the broker's own.",
  });
  expect(await adopt('x', 'database nowhere')).toEqual({
    status: 500,
    description: "There is no database 'nowhere'.",
  });
  const [thing, again] = [`database again_${suffix}`, `again_${suffix}`];
  const key = keyOf('adopted', 'postgres', '', thing);
  for (const name of [again, key]) await admin.query(`create database ${name}`);
  expect(await adopt('x', thing)).toEqual({
    status: 500,
    description: `What was called '${again}' before is still there as '${key}'. Adopt or remove that first.`,
  });
  for (const name of [again, key]) await admin.query(`drop database ${name}`);
  expect(await adopt('x', 'thing', { offering: 'redis' })).toEqual({
    status: 400,
    description: "What exists already cannot become an instance of 'redis'.",
  });
  expect(await adopt('x', 'thing', { plan: 'huge' })).toMatchObject({ status: 400 });
  expect(await adopt('x', 'thing', { parameters: { colour: 'red' } })).toMatchObject({ status: 400 });
  expect(await states()).toEqual([]);
});

test('A directory below a root of the plan becomes an instance with its files, and goes with it; another one is left alone.', async () => {
  const old = join(root, 'pictures');
  mkdirSync(old);
  writeFileSync(join(old, 'tea.txt'), 'tea');
  const of = { offering: 'folders', node: shop.node };
  expect(await adopt('f', `directory ${old}`, { offering: 'folders' })).toEqual({
    status: 400,
    description: 'node is missing: it says where the thing is.',
  });
  expect(await adopt('f', `directory ${scratch}/more`, of)).toMatchObject({
    status: 500,
    description: `'${scratch}/more' is not right below a root of the plan, so it is left alone.`,
  });
  expect(await adopt('f', `directory ${old}`, of)).toEqual({ status: 200, description: undefined });
  expect(await adopt('g', `directory ${old}`, of)).toMatchObject({ status: 409 });
  const { path = '' } = await bind('f', 'folders');
  expect(readFileSync(join(path, 'tea.txt'), 'utf8')).toBe('tea');
  expect(existsSync(old)).toBe(false);
  const forgotten = await operate('post', 'instances/f/actions/purge', {}, { confirm: 'f' });
  expect(forgotten.status).toBe(200);
  const [base = ''] = readdirSync(root);
  expect(await adopt('h', `directory ${join(root, base)}`, of)).toMatchObject({ status: 200 });
  expect((await bind('h', 'folders'))['path']).toBe(path);
  await deprovision('h', 'folders');
  expect(readdirSync(root)).toEqual([]);
});
