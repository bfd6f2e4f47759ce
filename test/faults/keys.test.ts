// Brokers that share a database, and get a new encryption key one after the other while they work.
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { runProgram, type Ended } from '../support/run-program.ts';
import {
  databaseAddress,
  operatorPassword,
  startWholeBroker,
  type WholeBroker,
} from '../support/whole-broker.ts';
import { until } from '../support/until.ts';

const keyOf = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [k1, k2] = [keyOf('1'), keyOf('2')];

let database: TestDatabase;
let running: Set<WholeBroker>;

beforeEach(async () => {
  database = await openTestDatabase();
  running = new Set();
});
afterEach(async () => {
  await Promise.all([...running].map((broker) => broker.stop()));
  await database.close();
});

async function start(keys: string, env: Readonly<Record<string, string>> = {}): Promise<WholeBroker> {
  const broker = await startWholeBroker(database, { ENCRYPTION_KEYS: keys, CATALOG_DIR: 'catalog', ...env });
  running.add(broker);
  return broker;
}

async function stop(broker: WholeBroker): Promise<void> {
  running.delete(broker);
  await broker.stop();
}

function rekey(keys: string): Promise<Ended> {
  const env = { DATABASE_URL: databaseAddress(database), BROKER_PASSWORD: 'p', ENCRYPTION_KEYS: keys };
  return runProgram(['rekey'], env).ended;
}

const plan = { service_id: 'echo_service', plan_id: 'big_0001' };
const body = { ...plan, organization_guid: 'o', space_guid: 's' };

/** What it says when it is ready, which it is not while its database takes too long. */
function untilReady(broker: WholeBroker): Promise<object> {
  return until('it is ready', async () => {
    const { status, body: told } = await broker.ask('get', '/readyz');
    return status === 200 && (told as object);
  });
}

/** The brokers there are have not been heard of for a minute, and never are again. */
async function silence(): Promise<void> {
  await database.pool.query(`
    update brokers set beat_at = now() - interval '1 minute';
    create function unheard() returns trigger language plpgsql as 'begin return old; end';
    create trigger unheard before update on brokers for each row when (old.beat_at < now() - interval '50 seconds')
      execute function unheard()`);
}

/** Requests at brokers of a fleet, which may change meanwhile. */
interface Load {
  /** No new request is sent to this one, and none is under way. */
  leave(broker: WholeBroker): Promise<void>;
  /** What was answered other than wanted. */
  end(): Promise<readonly string[]>;
}

/** Instances and bindings are made, read and removed, each step at another broker than the one before. */
function putUnderLoad(fleet: Set<WholeBroker>): Load {
  const wrong: string[] = [];
  const busy = new Map<WholeBroker, number>();
  let isOver = false;
  let turn = 0;

  async function ask(
    method: 'put' | 'get' | 'delete',
    path: string,
    wanted: readonly number[],
  ): Promise<void> {
    const all = [...fleet];
    const broker = all[(turn += 1) % all.length] as WholeBroker;
    busy.set(broker, (busy.get(broker) ?? 0) + 1);
    const { status, text } = await broker.ask(method, path, method === 'put' ? { body } : { query: plan });
    busy.set(broker, (busy.get(broker) ?? 0) - 1);
    if (!wanted.includes(status)) wrong.push(`${method} ${path}: ${status} ${text}`);
  }

  async function loop(name: string): Promise<void> {
    for (let n = 0; !isOver; n += 1) {
      const instance = `/v2/service_instances/${name}-${n}`;
      const binding = `${instance}/service_bindings/b`;
      await ask('put', instance, [201]);
      await ask('put', binding, [201]);
      await ask('get', binding, [200]);
      await ask('put', binding, [200]);
      // Every third stays, and is read to the end.
      for (let old = 0; old < n; old += 3) {
        if (n % 5 === 0) await ask('put', `/v2/service_instances/${name}-${old}`, [200]);
      }
      if (n % 3 === 0) continue;
      await ask('delete', binding, [200]);
      await ask('delete', instance, [200]);
    }
  }

  const loops = ['a', 'b', 'c'].map(loop);
  return {
    async leave(broker) {
      fleet.delete(broker);
      await until('no request is under way', () => busy.get(broker) === 0 || !busy.has(broker));
    },
    async end() {
      isOver = true;
      await Promise.all(loops);
      return wrong;
    },
  };
}

/** As a platform does it: the new one first, then the old one goes. */
async function roll(fleet: Set<WholeBroker>, load: Load, keys: string): Promise<void> {
  for (const old of Array.from(fleet)) {
    fleet.add(await start(keys));
    await pause(300);
    await load.leave(old);
    await stop(old);
  }
}

async function keysInUse(): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ key: string }>(
    `select distinct confidential::json #>> '{sealed,key}' as key from service_instances order by 1`,
  );
  return rows.map(({ key }) => key);
}

test('In two rolls a new key comes, and the old one goes, without one request that fails.', async () => {
  const fleet = new Set([await start(k1), await start(k1)]);
  const load = putUnderLoad(fleet);
  await roll(fleet, load, `${k1},${k2}`);
  expect(await keysInUse()).toEqual(['1']);
  await roll(fleet, load, `${k2},${k1}`);
  const { code, output, errors } = await rekey(`${k2},${k1}`);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toContain('with the newest key. Older keys are no longer needed.');
  await roll(fleet, load, k2);
  expect(await load.end()).toEqual([]);
  expect(await keysInUse()).toEqual(['2']);
  for (const broker of fleet) expect(await untilReady(broker)).toEqual({});
});

test('In one roll too: nobody writes with the new key before the last broker that lacks it has gone.', async () => {
  const [one, two] = [await start(k1), await start(k1)];
  const fleet = new Set([one, two]);
  const load = putUnderLoad(fleet);
  const young = await start(`${k2},${k1}`);
  fleet.add(young);
  expect(young.output()).toContain('the first encryption key is not used yet');
  const told = await untilReady(young);
  expect(told).toEqual({
    note: "It writes with the encryption key '1', since 2 brokers lack its first one.",
  });
  await load.leave(one);
  await stop(one);
  const refused = await rekey(`${k2},${k1}`);
  expect(refused.code).toBe(1);
  expect(refused.errors).toMatch(
    /Nothing was changed: the broker \S+ \(node \S+\) runs and lacks the key '2'/,
  );
  expect(await keysInUse()).toEqual(['1']);
  await load.leave(two);
  await stop(two);
  await until('the new key is used', () =>
    young.output().includes('another encryption key is used from now on'),
  );
  expect((await rekey(`${k2},${k1}`)).output).toContain('Older keys are no longer needed.');
  expect(await load.end()).toEqual([]);
  expect(await keysInUse()).toEqual(['2']);
});

test('A broker that was silent too long, and lacks a key by now, says so; only what lies under it is out of reach.', async () => {
  const old = await start(k1);
  expect((await old.ask('put', '/v2/service_instances/mine', { body })).status).toBe(201);
  await silence();
  const young = await start(`${k2},${k1}`);
  expect((await young.ask('put', '/v2/service_instances/theirs', { body })).status).toBe(201);
  const answer = await old.ask('put', '/v2/service_instances/theirs', { body });
  expect([answer.status, answer.body.description]).toEqual([
    503,
    'The service broker cannot read what it has stored of this service instance. Its operator must look into it.',
  ]);
  expect((await old.ask('put', '/v2/service_instances/mine', { body })).status).toBe(200);
  const ready = await until('it says what it lacks', async () => {
    const reply = await old.ask('get', '/readyz');
    return reply.status === 503 && reply;
  });
  expect(ready.body.reason).toBe("it lacks encryption keys that its database needs: '2'");
  expect(old.output()).toContain('this broker lacks encryption keys that others write with');
});

test('One record that cannot be read is told of and counted, and everything else goes on.', async () => {
  const broker = await start(k1);
  for (const id of ['good', 'bad']) {
    expect((await broker.ask('put', `/v2/service_instances/${id}`, { body })).status).toBe(201);
  }
  await database.pool.query(`update service_instances set confidential = 'no JSON' where id = 'bad'`);
  expect((await broker.ask('put', '/v2/service_instances/bad/service_bindings/b', { body })).status).toBe(
    503,
  );
  expect((await broker.ask('put', '/v2/service_instances/good/service_bindings/b', { body })).status).toBe(
    201,
  );
  const login = `operator:${operatorPassword}`;
  const { instances } = (await broker.ask('get', '/operator/instances', { login })).body;
  expect(instances.map(({ id }: { id: string }) => id)).toEqual(['bad', 'good']);
  const { status, body: shown } = await broker.ask('get', '/operator/instances/bad', { login });
  expect([status, shown.operations.length]).toEqual([200, 1]);
  expect((await broker.ask('get', '/metrics', { login })).text).toContain(
    'purveyor_unreadable_records_total{table="service_instances"} 1',
  );
  expect(broker.output()).toMatch(
    /"level":"error","message":"record cannot be read, passed over"[^\n]*"id":"bad"/,
  );
  await untilReady(broker);
  const { code, output, errors } = await rekey(k1);
  expect([code, output]).toEqual([1, expect.stringContaining('Encrypted 0 records')]);
  expect(errors).toContain('Left as it is, since it cannot be read: service_instances bad.');
});
