import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Client, Pool } from 'pg';
import { Refusal } from '../../src/broker/errors.ts';
import type { ServiceInstance } from '../../src/broker/records.ts';
import type { Hint, Store } from '../../src/broker/store.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { postgresNodes } from '../../src/stores/postgres/nodes.ts';
import { open as openIn } from '../../src/stores/postgres/open.ts';
import { postgresPorts } from '../../src/stores/postgres/ports.ts';
import { openPool } from '../../src/postgres/connections.ts';
import { queryOn, queryThrough } from '../../src/postgres/query.ts';
import { raw, sql } from '../../src/postgres/sql.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { describeStore, describeRemembered } from './contract.ts';
import {
  anInstanceIn,
  begun,
  binding,
  ended,
  heldFromBirth,
  numbered,
  open,
  provisioning,
  readInstance,
  unbinding,
} from './contract/steps.ts';
import {
  aNodeIn,
  aPlacedInstance,
  rememberedInPostgres,
  empty,
  type Remembered,
} from './contract/remembered.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let store: Store;
let other: Store;
let pipelined: Pool;

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [brokerMigrations]);
  pipelined = openPool({ ...database.config, pipeline: true });
  store = postgresStore(database.pool, { pipelined, listener: database.config, channel: database.schema });
  other = postgresStore(database.pool, { channel: database.schema });
});
afterAll(async () => {
  await pipelined.end();
  await database.close();
});

async function emptied(): Promise<Store> {
  await empty(database.pool);
  return store;
}

async function emptiedTables(): Promise<Remembered> {
  await empty(database.pool);
  return rememberedInPostgres(database.pool, store, other);
}

describeStore('the Postgres store', emptied);
describeRemembered('the Postgres store', emptiedTables);

describe('statements', () => {
  test('A mutation of something quick is one statement, whatever it writes.', async () => {
    await emptied();
    const sent: string[] = [];
    const counting = new Proxy(database.pool, {
      get: (pool, name) =>
        name === 'query'
          ? (query: { text: string }) => (sent.push(query.text), pool.query(query))
          : Reflect.get(pool, name),
    });
    const counted = postgresStore(counting);
    await open(counted, provisioning({}, ended('provision')));
    const keep = await readInstance(store);
    await open(counted, binding(keep, {}, ended('bind')));
    const { binding: bound } = await store.findBinding('i1', 'b1');
    if (bound) await open(counted, unbinding(keep, bound, ended('unbind')));
    await open(counted, binding(keep, { id: 'b2' }));
    expect(sent).toHaveLength(4);
    expect(sent.filter((text) => /\b(begin|commit)\b/.test(text))).toEqual([]);
  });

  test('Values travel as parameters, never inside the text.', async () => {
    const query = queryThrough(database.pool);
    const nasty = `'; drop table operations; --`;
    const [row] = await query(
      sql`select ${nasty}::text as ${raw('said')}, ${sql`${1}::int + ${2}::int`} as sum`,
    );
    expect(row).toEqual({ said: nasty, sum: 3 });
    await open(await emptied(), provisioning({ id: nasty, spaceGuid: nasty }));
    expect(await readInstance(store, nasty)).toMatchObject({ spaceGuid: nasty });
  });

  test('A note that quotes the output of a program may hold what a text of Postgres cannot.', async () => {
    await emptied();
    await open(store, provisioning());
    const held = await store.claim('worker', 1000);
    const note = 'half\u0000 way \ud800';
    if (held) await store.postpone(held, { note, failures: 0, until: { dueMs: 0 } });
    expect((await store.findInstance('i1'))?.operation).toMatchObject({ note: 'half way \ufffd' });
  });

  test('Whatever happens at the same time, nobody is told of a deadlock, and the rows stay consistent.', async () => {
    await emptied();
    for (const id of ['i1', 'i2']) await anInstanceIn(store, { id });
    await Promise.all(numbered(8).map((worker) => churn(worker, 25)));
    const { rows } = await database.pool.query(`
      select i.id from service_instances i join operations o on o.id = i.operation_id where o.state <> 'in progress'
      union all
      select b.id from service_bindings b join operations o on o.id = b.operation_id where o.state <> 'in progress'
      union all
      select o.id from operations o where o.state = 'in progress' and not exists (
        select from service_instances i where i.operation_id = o.id
        union all select from service_bindings b where b.operation_id = o.id)`);
    expect(rows).toEqual([]);
  });

  /** One of several who open, cancel and settle whatever they find, on the same few things. */
  async function churn(worker: number, turns: number): Promise<void> {
    for (const turn of numbered(turns)) {
      const id = (worker + turn) % 2 ? 'i1' : 'i2';
      const { found, binding: bound, operation } = await store.findBinding(id, `b${turn % 3}`);
      if (!found) await store.open(provisioning({ id }, ended('provision')));
      else await act(found.instance, found.bindingsBusy ? 0 : turn % 7, turn, worker);
      if (found && bound && operation?.kind === 'bind') {
        const instance = { keep: found.instance };
        await store.open({ ...unbinding(found.instance, bound), instance, cancels: operation.id });
      } else if (found && bound && !operation) {
        await store.open(unbinding(found.instance, bound, turn % 2 ? ended('unbind') : begun('unbind')));
      }
      const held = await store.claim(`w${worker}`, 1);
      if (!held) continue;
      const { operation: own, instance, binding: its } = held;
      if (own.kind === 'unbind' && its) await store.settle(held, { binding: { remove: its } });
      else if (own.kind === 'deprovision') await store.settle(held, { instance: { remove: instance } });
      else await store.settle(held, {});
    }
  }

  /** As the core does it: an operation of the instance only when none of its bindings is busy. */
  async function act(instance: ServiceInstance, what: number, turn: number, worker: number): Promise<void> {
    const leaseMs = 0;
    const { id: instanceId } = instance;
    const over = worker % 2 > 0;
    if (what === 6) {
      await store.open({
        operation: ended('deprovision', { instanceId }),
        leaseMs,
        instance: { remove: instance },
      });
    } else if (what === 5) {
      await store.open({
        operation: begun('deprovision', { instanceId }),
        leaseMs,
        instance: { put: instance },
      });
    } else if (what === 4) {
      const operation = over ? ended('update', { instanceId }) : begun('update', { instanceId });
      await store.open({ operation, leaseMs, instance: { put: instance } });
    } else {
      await store.open(binding(instance, { id: `b${turn % 3}` }, turn % 2 ? begun('bind') : ended('bind')));
    }
  }
});

describe('a database that cannot be reached', () => {
  const sentence = 'The service broker cannot reach its database at the moment. Try again later.';

  async function refusalOf(pool: Pool): Promise<unknown> {
    const trouble = await postgresStore(pool)
      .ping()
      .catch((error: unknown) => error);
    expect(trouble).toBeInstanceOf(Refusal);
    expect(trouble).toMatchObject({
      code: 'unavailable',
      message: sentence,
      cause: { message: expect.any(String) },
    });
    return trouble;
  }

  test('A database that cannot be reached is told as a refusal when nobody listens there.', async () => {
    const pool = new Pool({ host: '127.0.0.1', port: 1 });
    await refusalOf(pool);
    await pool.end();
  });

  test('A database that cannot be reached is told as a refusal by what takes turns, too, and the next turn comes all the same.', async () => {
    const pool = new Pool({ host: '127.0.0.1', port: 1 });
    const deaf = postgresStore(pool);
    const ports = postgresPorts(pool);
    const asked = [1, 2].flatMap(() => [
      deaf.place(provisioning(), { maxInstances: 1 }),
      ports.take('n1', 'i1', ['main']),
    ]);
    for (const answer of asked.map((one) => one.catch((error: unknown) => error))) {
      expect(await answer).toMatchObject({ code: 'unavailable', message: sentence });
    }
    await pool.end();
  });

  test('A database that cannot be reached is told as a refusal when its name is unknown.', async () => {
    const pool = new Pool({ host: 'nowhere.invalid' });
    await refusalOf(pool);
    await pool.end();
  });

  test('A database that cannot be reached is told as a refusal when all connections are in use.', async () => {
    const pool = new Pool({ ...database.config, max: 1, connectionTimeoutMillis: 1000 });
    const client = await pool.connect();
    await refusalOf(pool);
    client.release();
    await pool.end();
  });

  test('A database that cannot be reached is told as a refusal when it ends every session that asks, and is used again when it ends them no more.', async () => {
    const pool = new Pool({ ...database.config, max: 1 });
    const query = queryThrough(pool);
    const store = postgresStore(pool);
    let told: unknown;
    void query(sql`select pg_sleep(60)`).catch((error: unknown) => (told = error));
    await until('the statement is ended', async () => {
      const active = `select pg_terminate_backend(pid) from pg_stat_activity
        where wait_event = 'PgSleep' and query = 'select pg_sleep(60)'`;
      await database.pool.query(active);
      return told;
    });
    expect(told).toMatchObject({ code: 'unavailable', message: sentence });
    await store.ping();
    await pool.end();
  });

  test('A database that cannot be reached is told as a refusal when it takes no more clients.', async () => {
    const role = `few_${database.schema}`;
    await database.pool.query(`create role ${role} login password 'few' connection limit 0`);
    const { host, port, database: name } = new Client(database.config);
    const pool = new Pool({ host, port, ...(name && { database: name }), user: role, password: 'few' });
    await refusalOf(pool);
    await pool.end();
    await database.pool.query(`drop role ${role}`);
  });

  test('An error of another kind stays what it is.', async () => {
    await expect(queryThrough(database.pool)(sql`select from nowhere`)).rejects.toMatchObject({
      code: '42P01',
    });
  });
});

describe('listening', () => {
  test('Listening goes on after its connection broke, says so, and looks at once.', async () => {
    const application_name = `ear-${database.schema}`;
    const troubles: string[] = [];
    const hearing = postgresStore(database.pool, {
      listener: { ...database.config, application_name },
      channel: application_name,
      onTrouble: (doing, detail) => troubles.push(`${doing}: ${detail}`),
    });
    const hints: Hint[] = [];
    const stop = hearing.listen((hint) => hints.push(hint));
    await until('the first hint is heard', () => hints.shift());
    const ear = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`;
    expect((await database.pool.query(ear, [application_name])).rowCount).toBe(1);
    expect(await until('the hint is heard', () => hints.shift())).toEqual({ due: true });
    expect(troubles).toEqual([expect.stringContaining('listening for hints')]);
    await open(hearing, provisioning({ id: application_name }));
    expect(await until('the hint is heard', () => hints.shift())).toEqual({ due: true });
    await stop();
    await until('the session has ended', async () =>
      (await database.pool.query(ear, [application_name])).rowCount ? undefined : true,
    );
  });

  test('Listening can be ended while there is nobody to listen to.', async () => {
    const troubles: string[] = [];
    const deaf = postgresStore(database.pool, {
      listener: { host: '127.0.0.1', port: 1 },
      onTrouble: (doing) => troubles.push(doing),
    });
    const stop = deaf.listen(() => undefined);
    await until('a trouble is told', () => troubles[0]);
    await stop();
  });

  test('Listening can be ended while the database accepts connections but does not answer.', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.resume()));
    await once(mute.listen(0, '127.0.0.1'), 'listening');
    const { port } = mute.address() as AddressInfo;
    const stop = postgresStore(database.pool, { listener: { host: '127.0.0.1', port } }).listen(
      () => undefined,
    );
    await until('a connection is made', () => sockets[0]);
    await stop();
    mute.close();
    await once(mute, 'close');
  });

  test('Listening connects as the pool does when it is told nothing else.', async () => {
    const { host, port, database: name, user, password } = new Client(database.config);
    const config = {
      host,
      port,
      ...(name && { database: name }),
      ...(user && { user }),
      ...(password && { password }),
    };
    const pool = new Pool(config);
    const stop = postgresStore(pool).listen((hint) => hints.push(hint));
    const hints: Hint[] = [];
    expect(await until('the hint is heard', () => hints.shift())).toEqual({ due: true });
    await stop();
    await pool.end();
  });

  test('Brokers on other channels are not heard.', async () => {
    const hints: Hint[] = [];
    const stop = store.listen((hint) => hints.push(hint));
    await until('the first hint is heard', () => hints.shift());
    const client = new Client(database.config);
    await client.connect();
    await client.query(`select pg_notify('other', 'due'), pg_notify($1, 'cancelled op-1')`, [
      database.schema,
    ]);
    await client.end();
    expect(await until('the hint is heard', () => hints.shift())).toEqual({ cancelled: 'op-1' });
    await stop();
  });
});

test('What the database itself forbids: two open operations of one thing, and secrets of ended ones.', async () => {
  await emptied();
  await open(store, provisioning({}, heldFromBirth('provision')));
  const copy = (changes: string) =>
    database.pool
      .query(`insert into operations (id, kind, instance_id, offering_id, plan_id, state, attempt, failures,
      origin, confidential, deadline, finished_at)
      select id || '2', kind, instance_id, offering_id, plan_id, ${changes} from operations`);
  await expect(copy(`state, 0, 0, origin, '{}', now(), null`)).rejects.toMatchObject({
    constraint: 'operations_one_per_instance',
  });
  await expect(copy(`'failed', 0, 0, origin, '{"memo":1}', now(), now()`)).rejects.toMatchObject({
    code: '23514',
  });
  await expect(copy(`'failed', 0, 0, origin, '{}', now(), null`)).rejects.toMatchObject({ code: '23514' });
});

test('What is begun while its node is given up ends with it, and the instance can be removed.', async () => {
  const remembered = await emptiedTables();
  await aNodeIn(remembered);
  const put = await aPlacedInstance(remembered);
  await remembered.pass(31_000);
  const client = await database.pool.connect();
  await client.query('begin');
  const opening = { operation: begun('update'), leaseMs: 0, instance: { put } };
  expect(await openIn(queryOn(client), database.schema, opening)).toBe(true);
  const forgotten = postgresNodes(database.pool).forget('n1', true);
  await until('a statement waits for the lock', async () => {
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    return (await database.pool.query(waiting)).rowCount || undefined;
  });
  await client.query('commit');
  client.release();
  expect(await forgotten).toBe(true);
  expect(await store.history(put.id, 1)).toMatchObject([{ kind: 'update', state: 'failed' }]);
  const removal = begun('deprovision');
  expect(
    await store.open({ operation: removal, leaseMs: 0, instance: { put: await readInstance(store) } }),
  ).toBe(true);
});
