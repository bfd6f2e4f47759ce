// A whole broker whose database sessions are ended by others while it works: it lives, and ends what it has begun.
import { randomUUID } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Pool } from 'pg';
import { parse } from 'yaml';
import { openPool } from '../../src/postgres/connections.ts';
import { requireLawful } from '../support/lawful-answer.ts';
import { call } from '../support/started-brokers.ts';
import { startBrokerProcess, type BrokerProcess } from './broker-process.ts';
import { offeringId, quick, writeOffering } from './offering.ts';
import { outages, type Fragile } from './outage.ts';
import { thingsIn } from './things.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

interface Sold {
  readonly service: string;
  readonly plans: readonly string[];
}

const scratch = scratchDirectory('ended');
const dataDir = join(scratch, 'data');
const catalogDir = writeOffering(scratch, [{ id: 'steps', with: { provision: { steps: 3, each: '50ms' } } }]);
const shipped = ['postgres', 'echo'].map((name) => {
  // What proves a binding lies in a file beside.
  const text = readFileSync(join('catalog', `${name}.yaml`), 'utf8').replace(/^prove:\n(?: .*\n)+/m, '');
  // The looks log in to the databases, so they meet the removals.
  const more = name === 'postgres' ? '\nmonitor: { every: 1s }\n' : '';
  writeFileSync(join(catalogDir, `${name}.yaml`), text + more);
  return parse(text) as { id: string; plans: readonly { id: string }[] };
});
const [databases, messages] = shipped.map(({ id, plans }): Sold => ({
  service: id,
  plans: plans.map((plan) => plan.id),
})) as [Sold, Sold];
const things: Sold = { service: offeringId, plans: [quick, 'steps'] };

/** A server that nobody else uses: everything in it is of this file. */
let server: Fragile;
let pool: Pool;
let broker: BrokerProcess;
/** Of the broker: where its own rows are. */
const store = 'ended-sessions';
const ofBroker = `application_name in ('${store}', 'purveyor databases')`;

beforeAll(async () => {
  const shutDown = outages.find(([how]) => how === 'is shut down');
  if (!shutDown) throw new Error('There is no database that can be shut down.');
  chmodSync(scratch, 0o755);
  server = await shutDown[1](scratch);
  const { url, schema } = server;
  const config = { connectionString: url };
  pool = openPool({ ...config, max: 3 });
  const database = { pool, config, schema, close: () => pool.end() };
  broker = await startBrokerProcess(
    store,
    { database, dataDir, catalogDir },
    { SHARED_POSTGRES_URL: url, DATABASE_POOL: '6' },
  );
});
afterAll(async () => {
  broker?.signal('SIGKILL');
  await broker?.ended;
  await pool?.end();
  await server?.close();
});

/** Ends the broker's sessions, of which this holds as SQL; gives how many there were. */
async function terminate(which = 'true'): Promise<number> {
  const { rows } = await pool.query<{ ended: boolean }>(
    `select pg_terminate_backend(pid) as ended from pg_stat_activity where ${ofBroker} and ${which}`,
  );
  return rows.filter(({ ended }) => ended).length;
}

interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a platform hears: always within the law, and an error only where it is told to come again. */
async function ask(method: string, path: string, { service, plan }: Ids, body?: object): Promise<Told> {
  const query = { accepts_incomplete: 'true', ...(body ? {} : { service_id: service, plan_id: plan }) };
  const url = `${broker.address}${path}?${new URLSearchParams(query).toString()}`;
  const sent = body ? { body: { service_id: service, plan_id: plan, ...body } } : {};
  const answer = await call('broker:p', url, { method, ...sent });
  const text = await answer.text();
  requireLawful(
    { method: method.toLowerCase(), path, query },
    { status: answer.status, text, headers: Object.fromEntries(answer.headers) },
  );
  return { status: answer.status, body: JSON.parse(text) as Told['body'] };
}

interface Ids {
  readonly service: string;
  readonly plan: string;
}

/** What a platform may hear at any time and asks again after. */
const again = ({ status, body }: Told) =>
  status === 503 || (status === 422 && body['error'] === 'ConcurrencyError');

/** Asks until it is done, as a platform does; gives the last answer to the request itself. */
async function carryOut(method: string, path: string, ids: Ids, body?: object): Promise<Told> {
  return until(
    `${method} ${path} is done`,
    async () => {
      const told = await ask(method, path, ids, body);
      if (again(told)) return undefined;
      if (told.status === 202) return (await poll(path, ids, method === 'DELETE')) ? told : undefined;
      if (told.status === 410 && method === 'DELETE') return told;
      expect([200, 201]).toContain(told.status);
      return told;
    },
    60_000,
  );
}

/** Until the operation has ended by itself: nobody asks for it again meanwhile. */
async function poll(path: string, ids: Ids, isRemoval: boolean): Promise<boolean> {
  return until(
    `the operation on ${path} ends`,
    async () => {
      const told = await ask('GET', `${path}/last_operation`, ids);
      if (again(told) || told.body['state'] === 'in progress') return undefined;
      if (told.status === 410 && isRemoval) return true;
      expect(told).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      return true;
    },
    60_000,
  );
}

interface Life {
  readonly sold: Sold;
  /** With the credentials of a binding, which are still good. */
  readonly use?: (credentials: Credentials) => Promise<() => Promise<void>>;
}

interface Credentials {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly username: string;
  readonly password: string;
}

/** An instance from its first request to its last; on the way everything that a platform can do with it. */
async function live({ sold, use }: Life): Promise<void> {
  const path = `/v2/service_instances/${randomUUID()}`;
  const binding = `${path}/service_bindings/${randomUUID()}`;
  const [first = '', second = first] = sold.plans;
  const ids = { service: sold.service, plan: first };
  const later = { ...ids, plan: second };
  await carryOut('PUT', path, ids, { organization_guid: 'o', space_guid: 's' });
  await carryOut('PUT', binding, ids, {});
  const { body } = await carryOut('GET', binding, ids);
  const over = await use?.(body['credentials'] as Credentials);
  await carryOut('PATCH', path, later, {});
  await carryOut('GET', path, later);
  await carryOut('DELETE', binding, later);
  await carryOut('DELETE', path, later);
  await over?.();
}

/** Nothing is open, nothing has been left, and the broker serves as if nothing had been. */
async function requireNothingLeft(): Promise<void> {
  await until('it is ready', async () => (await fetch(`${broker.address}/readyz`)).status === 200);
  await until('nothing is open', async () => {
    const { rows } = await pool.query(`select id from operations where state = 'in progress'`);
    return rows.length === 0;
  });
  const { rows } = await pool.query<{ name: string }>(
    `select 'instance ' || id as name from service_instances
     union all select 'binding ' || id from service_bindings
     union all select 'database ' || datname from pg_database where datname ~ '^p[0-9a-f]{20}$'
     union all select 'role ' || rolname from pg_roles where rolname ~ '^p[0-9a-f]{20}$'`,
  );
  expect(rows).toEqual([]);
  expect(await thingsIn({ pool })).toEqual([]);
  const failed = `select kind, instance_id from operations where state = 'failed'`;
  expect((await pool.query(failed)).rows).toEqual([]);
  const unexpected = broker.lines().filter(({ message }) => /unexpected|uncaught/i.test(message));
  expect(unexpected).toEqual([]);
  // A process that has ended cannot be asked.
  expect(() => process.kill(broker.pid, 0)).not.toThrow();
}

/** While this goes on, again and again; gives what all times came to. */
async function during(work: Promise<unknown>, act: () => Promise<number>): Promise<number> {
  let isOver = false;
  let sum = 0;
  const done = work.finally(() => (isOver = true));
  done.catch(() => undefined);
  while (!isOver) sum += await act();
  await done;
  return sum;
}

/** Several at once, one after the other in each row. */
async function inRows(rows: readonly Life[], times: number): Promise<void> {
  await Promise.all(
    rows.map(async (life) => {
      for (let time = 0; time < times; time += 1) await live(life);
    }),
  );
}

test('Databases are removed under the sessions of their users and of the broker itself, many at once.', async () => {
  let ended = 0;
  const life: Life = {
    sold: databases,
    async use({ host, port, name, username, password }) {
      const client = new Client({ host, port, database: name, user: username, password });
      client.on('error', () => undefined);
      const gone = new Promise<void>((resolve) => client.once('end', () => resolve()));
      await client.connect();
      return async () => {
        await gone;
        ended += 1;
      };
    },
  };
  const inside = `select pid from pg_stat_activity where ${ofBroker} and datname ~ '^p[0-9a-f]{20}$'`;
  const seen = await during(inRows(Array<Life>(5).fill(life), 3), async () => {
    const { rows } = await pool.query(inside);
    return rows.length;
  });
  expect(ended).toBe(15);
  expect(seen).toBeGreaterThan(0);
  await requireNothingLeft();
});

const everything: readonly Life[] = [databases, databases, messages, messages, things, things].map(
  (sold) => ({
    sold,
  }),
);

test('Sessions that are ended at random under load of all kinds harm nobody.', async () => {
  let rounds = 0;
  const ended = await during(inRows(everything, 2), async () => {
    rounds += 1;
    await new Promise((resolve) => setTimeout(resolve, 40));
    // Bounded, so that the work comes to its end.
    return rounds > 80 ? 0 : terminate('random() < 0.3');
  });
  expect(ended).toBeGreaterThan(10);
  await requireNothingLeft();
});

test('All sessions that are ended at once, and a fast restart of the server under load, harm nobody.', async () => {
  const load = inRows(everything, 2);
  load.catch(() => undefined);
  const atWork = () => pool.query(`select id from operations where state = 'in progress'`);
  await until('it works', async () => (await atWork()).rows.length > 0);
  expect(await terminate()).toBeGreaterThan(1);
  await until('it works again', async () => (await atWork()).rows.length > 0);
  await server.goAway();
  await server.comeBack();
  await load;
  await requireNothingLeft();
});

test('After all that it ends in an orderly way when it is told to.', async () => {
  broker.signal('SIGTERM');
  expect(await broker.ended).toMatchObject({ code: 0, errors: '' });
});
