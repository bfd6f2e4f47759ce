import { randomUUID } from 'node:crypto';
import { Client, type ClientConfig, Pool } from 'pg';
import type { ServicePlan } from '../../../src/broker/catalog.ts';
import type { JsonObject } from '../../../src/broker/json.ts';
import { keyOf } from '../../../src/broker/key.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { type PostgresDatabases, postgresDatabases } from '../../../src/provisioners/postgres/index.ts';
import { aPlan } from '../../broker/fixtures.ts';
import { aWork, finish } from '../contract.ts';

/** The test run's own server, as its administrator: other test files use it at the same time. */
export function administratorUrl(): string {
  const url = process.env['PURVEYOR_TEST_DATABASE'];
  if (!url) throw new Error('No test database: is the global set-up of jest in use?');
  return url;
}

export interface Databases {
  readonly provisioner: PostgresDatabases;
  /** For what an administrator sees. */
  readonly pool: Pool;
  /** Works on an instance that no other test has. */
  anInstance(config?: JsonObject): Instance;
  close(): Promise<void>;
}

export interface Instance {
  readonly id: string;
  /** Of its database and owner role. */
  readonly key: string;
  work(bindingId?: string, rest?: Partial<Work>): Work;
  /** Of the same instance, with another plan. */
  with(config: JsonObject): Instance;
  provision(): Promise<void>;
  deprovision(): Promise<void>;
  bind(bindingId: string): Promise<ClientConfig>;
  unbind(bindingId: string): Promise<void>;
  role(bindingId: string): string;
}

/** @param url of the administrator */
export function openDatabases(url = administratorUrl()): Databases {
  const provisioner = postgresDatabases({
    servers: (name) => (name === 'SHARED_POSTGRES_URL' ? { url } : undefined),
  });
  const pool = new Pool({ connectionString: url, max: 2 });
  const instance = (id: string, config: JsonObject): Instance => {
    const plan = aPlan({ making: { provisioner: 'postgres', config } });
    const work = (bindingId?: string, rest: Partial<Work> = {}) => ({
      ...workOn(plan, id, bindingId),
      ...rest,
    });
    return {
      id,
      key: keyOf(id),
      work,
      with: (other) => instance(id, other),
      provision: async () => void (await finish(provisioner, 'provision', work())),
      deprovision: async () => void (await finish(provisioner, 'deprovision', work())),
      async bind(bindingId) {
        const { facts = {} } = await finish(provisioner, 'bind', work(bindingId));
        return loginOf(facts, passwordOf(bindingId));
      },
      unbind: async (bindingId) => void (await finish(provisioner, 'unbind', work(bindingId))),
      role: (bindingId) => keyOf(id, bindingId),
    };
  };
  return {
    provisioner,
    pool,
    anInstance: (config = {}) => instance(randomUUID(), config),
    async close() {
      await Promise.all([provisioner.close(), pool.end()]);
    },
  };
}

/** As people should not choose one, so that what cannot bear it is found. */
export function passwordOf(bindingId: string): string {
  return `it's "${bindingId}" \\ $1 ; -- ü`;
}

function workOn(plan: ServicePlan, instanceId: string, bindingId: string | undefined): Work {
  const values: JsonObject = bindingId === undefined ? {} : { secrets: { password: passwordOf(bindingId) } };
  return aWork({ plan, instanceId, bindingId, values });
}

function loginOf({ server, db }: JsonObject, password: string): ClientConfig {
  const { host, port, name, user } = { ...(server as JsonObject), ...(db as JsonObject) };
  if (typeof host !== 'string' || typeof port !== 'number') throw new Error('There is no address.');
  if (typeof name !== 'string' || typeof user !== 'string') throw new Error('There is no login.');
  return { host, port, database: name, user, password };
}

/** Says it in a session of its own, and gives the rows of the last statement. */
export async function say(
  login: ClientConfig,
  ...statements: readonly string[]
): Promise<readonly unknown[]> {
  const client = new Client(login);
  // When it is cut, its statement says so.
  client.on('error', () => undefined);
  await client.connect();
  try {
    let rows: readonly unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query<JsonObject>(statement));
    return rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A session that stays; `ended` when it is over. */
export async function enter(login: ClientConfig): Promise<{ client: Client; ended: Promise<void> }> {
  const client = new Client(login);
  client.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  await client.connect();
  return { client, ended };
}

/** Names of the databases and roles that there are of an instance, by what their comments say and by their names. */
export async function leftOf(pool: Pool, { key }: Instance): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select 'database ' || datname as name from pg_database where datname = $1
     union all
     select 'role ' || rolname from pg_roles r
     where rolname = $1 or shobj_description(r.oid, 'pg_authid') = $2 order by 1`,
    [key, `purveyor key ${key}`],
  );
  return rows.map(({ name }) => name);
}
