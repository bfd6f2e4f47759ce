import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Client } from 'pg';
import type { Response } from 'supertest';
import { parse } from 'yaml';
import { endProcess } from '../../src/system/end-process.ts';
import { findExecutable } from '../../src/system/executables.ts';
import { directoryOf, type InstanceDirectory } from '../../src/node/instance-directory.ts';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { openTestDatabase } from '../support/database.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** A whole broker that is a node and sells what is shipped. */
export interface Shop {
  readonly broker: WholeBroker;
  /** The name of the node. */
  readonly node: string;
  /** Where its instances lie. */
  readonly directory: string;
  /** Provisions an instance; the plan by its name. */
  buy(offering: string, plan: string, parameters?: object): Promise<Bought>;
  /** What operators are told. */
  operator(path: string): Promise<Response>;
  /** Deprovisions all that a test has left; the broker goes on. */
  end(): Promise<void>;
  /** Ends the broker and whatever a test has left: instances first, then processes, then directories. */
  close(): Promise<void>;
}

export interface Bought {
  readonly id: string;
  readonly directory: InstanceDirectory;
  /** The name that things of it have. */
  readonly key: string;
  /** @param more what the request has beside the plan */
  bind(more?: object): Promise<Bound>;
  /** To the plan of this name, or with other parameters. */
  update(plan: string, parameters?: object): Promise<Response>;
  /** @param action as the operator API has it */
  act(action: 'start' | 'stop' | 'restart'): Promise<void>;
  details(): Promise<Details>;
  /** Requires that it succeeds. */
  deprovision(): Promise<void>;
}

export interface Bound {
  readonly credentials: Readonly<Record<string, string>>;
  /** What the platform shall mount into the application's container. */
  readonly volumeMounts?: readonly VolumeMount[];
  /** Where the platform shall send what the application logs. */
  readonly syslogDrainUrl?: string;
  /** Through where the platform shall send the requests of the route. */
  readonly routeServiceUrl?: string;
  readonly port: number;
  /** Requires that it succeeds. */
  unbind(): Promise<void>;
}

interface BindingAnswer extends Pick<Bound, 'credentials'> {
  readonly volume_mounts?: readonly VolumeMount[];
  readonly syslog_drain_url?: string;
  readonly route_service_url?: string;
}

/** As the Open Service Broker API has it. */
export interface VolumeMount {
  readonly driver: string;
  readonly container_dir: string;
  readonly mode: string;
  readonly device_type: string;
  readonly device: {
    readonly volume_id: string;
    readonly mount_config: Readonly<Record<string, string>>;
  };
}

/** What operators are told of one instance. */
export interface Details {
  readonly key: string;
  readonly state: string;
  readonly status: string;
  readonly units: readonly { readonly unit: string; readonly status: string; readonly pid?: number }[];
  /** The newest first. */
  readonly operations: readonly {
    readonly kind: string;
    readonly state: string;
    readonly asked_by: { readonly protocol: string };
    readonly timeline: readonly { readonly step: string }[];
  }[];
}

interface Ids {
  readonly service_id: string;
  readonly plan_id: string;
}

const worker = Number(process.env['JEST_WORKER_ID'] ?? '0');
/** Another address for each of the test processes that run at once. */
export const address = `127.1.${worker}.2`;

/** @param env options over those of the shop */
export async function openShop(env: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const place = scratchDirectory('shop');
  // Run by root, programs have another user, who must get in.
  chmodSync(place, 0o755);
  const database = await openTestDatabase();
  // RabbitMQ's own tools are found at 127.0.0.1, whatever the address of the node is.
  const first = 27_000 + (worker % 20) * 100;
  const broker = await startWholeBroker(database, {
    CATALOG_DIR: 'catalog',
    NODE_DIR: join(place, 'node'),
    NODE_NAME: basename(place),
    NODE_HOST: address,
    NODE_PORTS: `${first}-${first + 99}`,
    SHARED_POSTGRES_URL: sharedServer(),
    ...env,
  });
  const left = new Set<Pick<Bought, 'deprovision'>>();
  const login = `operator:${operatorPassword}`;
  const end = async () => void (await Promise.allSettled([...left].map((it) => it.deprovision())));
  return {
    broker,
    node: basename(place),
    directory: join(place, 'node'),
    operator: (path) => broker.ask('get', `/operator/${path}`, { login }),
    async buy(offering, plan, parameters = {}) {
      const id = randomUUID();
      const ids = await findPlans(broker, offering);
      const bought = aBought({ broker, id, ids }, plan);
      left.add(bought);
      const body = { ...ids(plan), organization_guid: 'o', space_guid: 's', parameters };
      requireStatus(await broker.ask('put', `/v2/service_instances/${id}`, { body }), 201);
      const { key } = await bought.details();
      const kind = existsSync(join(place, 'node', 'container', key)) ? 'container' : 'process';
      return {
        ...bought,
        key,
        directory: directoryOf(nodeAt(join(place, 'node')), kind, key),
        async deprovision() {
          await bought.deprovision();
          left.delete(bought);
        },
      };
    },
    end,
    async close() {
      try {
        await end();
        await broker.stop();
        await database.close();
      } finally {
        await endAll(join(place, 'node', 'process'));
      }
    },
  };
}

/** The server of the test run, by the address that applications use. */
function sharedServer(): string {
  const connectionString = process.env['PURVEYOR_TEST_DATABASE'] ?? '';
  const { host, port, user, password, database } = new Client({ connectionString });
  const login = `${encodeURIComponent(user ?? '')}:${encodeURIComponent(password ?? '')}`;
  return `postgres://${login}@${host.startsWith('/') ? '127.0.0.1' : host}:${port}/${database}`;
}

interface Parts {
  readonly broker: WholeBroker;
  readonly id: string;
  readonly ids: (plan: string) => Ids;
}

function aBought({ broker, id, ids }: Parts, first: string): Omit<Bought, 'key' | 'directory'> {
  const path = `/v2/service_instances/${id}`;
  const login = `operator:${operatorPassword}`;
  const operated = `/operator/instances/${id}`;
  let plan = first;
  const details = async () => (await broker.ask('get', operated, { login })).body as Details;
  return {
    id,
    details,
    async bind(more = {}) {
      const binding = `${path}/service_bindings/${randomUUID()}`;
      const body = { ...ids(plan), ...more };
      const answer = requireStatus(await broker.ask('put', binding, { body }), 201);
      const { credentials, ...rest } = answer.body as BindingAnswer;
      return {
        credentials,
        volumeMounts: rest.volume_mounts,
        syslogDrainUrl: rest.syslog_drain_url,
        routeServiceUrl: rest.route_service_url,
        port: Number(credentials['port']),
        unbind: async () =>
          void requireStatus(await broker.ask('delete', binding, { query: { ...ids(plan) } }), 200),
      };
    },
    async update(to, parameters) {
      const body = { ...ids(to), ...(parameters ? { parameters } : {}) };
      const answer = await broker.ask('patch', path, { body });
      if (answer.status === 200) plan = to;
      return answer;
    },
    async act(action) {
      const answer = await broker.ask('post', `${operated}/actions/${action}`, { login, body: {} });
      if (answer.status !== 202) requireStatus(answer, 200);
      await until('the instance is ready', async () => (await details()).state === 'ready', 60_000);
    },
    deprovision: async () =>
      void requireStatus(await broker.ask('delete', path, { query: { ...ids(plan) } }), 200),
  };
}

function nodeAt(directory: string) {
  return {
    name: '',
    host: '',
    bind: '',
    directory,
    path: '',
    catalogDirs: [],
    isolation: 'none' as const,
  };
}

function requireStatus(answer: Response, status: number): Response {
  if (answer.status === status) return answer;
  throw new Error(`Status ${answer.status} in place of ${status}: ${answer.text}`);
}

/** The ids of an offering's plans, by their names, as it is on sale now. */
async function findPlans(broker: WholeBroker, offering: string): Promise<(plan: string) => Ids> {
  interface Named {
    readonly id: string;
    readonly name: string;
  }
  const { body } = await broker.ask('get', '/v2/catalog');
  const { services } = body as { services: readonly (Named & { readonly plans: readonly Named[] })[] };
  const service = services.find(({ name }) => name === offering);
  return (plan) => {
    const found = service?.plans.find(({ name }) => name === plan);
    if (!service || !found) throw new Error(`There is no plan ${plan} of ${offering} on sale.`);
    return { service_id: service.id, plan_id: found.id };
  };
}

/** Ends what was launched from these directories, each process known by its identity. */
async function endAll(directories: string): Promise<void> {
  if (!existsSync(directories)) return;
  for (const entry of readdirSync(directories)) {
    const launched = listLaunched({ state: join(directories, entry, 'state') });
    await Promise.all(launched.map(({ identity }) => endProcess(identity, { termMs: 2000, killMs: 5000 })));
  }
}

/**
 * A `describe` of an offering's tests; where one of the executables that its file needs is missing on this machine, it
 * is skipped and says so.
 */
export function describeOffering(offering: string, tests: () => void): void {
  const file = parse(readFileSync(join('catalog', `${offering}.yaml`), 'utf8')) as {
    config: { needs?: readonly string[] };
  };
  const missing = (file.config.needs ?? []).filter((name) => !isInstalled(name));
  if (missing.length === 0) describe(offering, tests);
  else describe.skip(`${offering} (skipped: there is no executable ${missing.join(', ')})`, tests);
}

/** Is there such an executable where a broker looks for it, too? */
export function isInstalled(executable: string): boolean {
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return findExecutable(path, executable) !== undefined;
}
