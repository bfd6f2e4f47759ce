// A node on which real programs are made through OSB, in a broker process that can be killed and started again.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { address, isThere } from '../../provisioners/process/process-node.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { keyIn } from '../../support/instance-key.ts';
import { call } from '../../support/started-brokers.ts';
import { startBrokerProcess, type Answer, type BrokerProcess } from '../broker-process.ts';
import type { Offering } from './offerings.ts';
import { until } from '../../support/until.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

export interface OneNode {
  readonly database: TestDatabase;
  /** The directory of the node. */
  readonly directory: string;
  /** Starts the broker that is the node. */
  start(env?: Env): Promise<Maker>;
  /** Keys of the instances for which there is a directory on the node. */
  keys(kind?: string): readonly string[];
  /** A file in the data directory of an instance; undefined where it is not there. */
  read(id: string, name: string): string | undefined;
  close(): Promise<void>;
}

type Env = Readonly<Record<string, string>>;

/** A broker process, and what platforms and operators ask it. */
export interface Maker extends BrokerProcess {
  provision(id: string, of: Bought, parameters?: object): Promise<Answer>;
  update(id: string, of: Bought, changes: object): Promise<Answer>;
  bind(id: string, of: Bought, binding?: string): Promise<Answer>;
  deprovision(id: string, of: Bought): Promise<Answer>;
  operate(method: string, path: string, body?: object): Promise<Answer>;
  details(id: string): Promise<Details>;
  /** Waits until the operator sees this of the instance; `started` only when its node has looked. */
  shows(id: string, status: string): Promise<Details>;
  kill(): Promise<void>;
}

/** Whether requests accept incomplete work is said by the path. */
export interface Bought {
  readonly offering: string;
  readonly plan: string;
  readonly incomplete?: boolean;
}

export interface Details {
  readonly key: string;
  readonly state: string;
  readonly status: string;
  readonly reason: string;
  /** When its node last looked. */
  readonly checked_at?: string;
  readonly plan_id: string;
  readonly addresses: readonly string[];
  readonly units: readonly {
    readonly unit: string;
    readonly status: string;
    readonly reason: string;
    readonly since: string;
    readonly pid?: number;
  }[];
  readonly operations: readonly {
    readonly kind: string;
    readonly state: string;
    readonly attempt: number;
    readonly failure?: { readonly sentence: string; readonly detail?: string };
    readonly timeline: readonly { readonly step: string; readonly tries: number; readonly undo: boolean }[];
  }[];
}

const operatorLogin = 'operator:the-operator-of-the-test';

/** @param hooks shell scripts, as `<offering>/<name>`, which offerings may name as `./hooks/<offering>/<name>` */
export async function openOneNode(
  offerings: readonly Offering[],
  hooks: Readonly<Record<string, string>> = {},
): Promise<OneNode> {
  const database = await openTestDatabase();
  const scratch = scratchDirectory('making');
  // Run by root, programs have another user, who must get in.
  chmodSync(scratch, 0o755);
  const catalogDir = writeCatalog(scratch, offerings, hooks);
  const directory = join(scratch, 'node');
  const brokers: BrokerProcess[] = [];
  const shared = { database, dataDir: join(scratch, 'data'), catalogDir };
  const common = {
    NODE_ROLE: 'true',
    NODE_NAME: 'n1',
    NODE_DIR: directory,
    NODE_HOST: address,
    LEASE: '4s',
    ASYNC_PATIENCE: '250ms',
    OPERATOR_PASSWORD: 'the-operator-of-the-test',
  };

  return {
    database,
    directory,
    async start(env = {}) {
      const broker = await startBrokerProcess(`maker-${brokers.length}`, shared, { ...common, ...env });
      brokers.push(broker);
      return asMaker(broker);
    },
    keys: (kind = 'process') => list(join(directory, kind)),
    read(id, name) {
      const file = join(directory, 'process', keyIn(join(directory, 'process'), id), 'data', name);
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    },
    async close() {
      for (const { signal, ended } of brokers) {
        signal('SIGKILL');
        await ended;
      }
      for (const pid of processesBelow(scratch)) process.kill(pid, 'SIGKILL');
      await database.close();
    },
  };
}

function writeCatalog(
  scratch: string,
  offerings: readonly Offering[],
  hooks: Readonly<Record<string, string>>,
): string {
  const directory = join(scratch, 'catalog');
  mkdirSync(directory);
  for (const offering of offerings)
    writeFileSync(join(directory, `${offering.name}.json`), JSON.stringify(offering));
  for (const [path, script] of Object.entries(hooks)) {
    const file = join(directory, 'hooks', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return directory;
}

function list(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => keyed.test(name)) : [];
}

const keyed = /^p[0-9a-z]+$/;

function asMaker(broker: BrokerProcess): Maker {
  const operate: Maker['operate'] = async (method, path, body) => {
    const url = `${broker.address}/operator${path}`;
    const answer = await call(operatorLogin, url, { method, ...(body ? { body } : {}) });
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  };
  const details: Maker['details'] = async (id) => {
    const { body } = await operate('GET', `/instances/${id}`);
    return body as unknown as Details;
  };
  return {
    ...broker,
    operate,
    details,
    provision(id, of, parameters = {}) {
      const body = { ...idsOf(of), organization_guid: 'o', space_guid: 's', parameters };
      return broker.ask('PUT', `${pathOf(id)}${tail(of)}`, body);
    },
    update: (id, of, changes) =>
      broker.ask('PATCH', `${pathOf(id)}${tail(of)}`, { service_id: of.offering, ...changes }),
    bind: (id, of, binding = 'b') =>
      broker.ask('PUT', `${pathOf(id)}/service_bindings/${binding}`, idsOf(of)),
    deprovision: (id, of) => broker.ask('DELETE', `${pathOf(id)}${tail(of, idsOf(of))}`),
    async shows(id, status) {
      let last: Details | undefined;
      const seen = async () => {
        last = await details(id);
        return last.status === status && (status !== 'started' || last.checked_at !== undefined) && last;
      };
      return until(`${id} is ${status}`, seen).catch((error: unknown) => {
        throw new Error(`${String(error)}; it is ${last?.status}: ${last?.reason}`);
      });
    },
    async kill() {
      broker.signal('SIGKILL');
      await broker.ended;
    },
  };
}

/** As platforms call it. */
export function pathOf(id: string): string {
  return `/v2/service_instances/${id}`;
}

function idsOf({ offering, plan }: Bought) {
  return { service_id: offering, plan_id: `${offering}-${plan}` };
}

function tail({ incomplete = false }: Bought, query: Readonly<Record<string, string>> = {}): string {
  const all = { ...query, ...(incomplete ? { accepts_incomplete: 'true' } : {}) };
  return `?${new URLSearchParams(all).toString()}`;
}

/** Live processes of any of these instances, by the mark in their environment. */
export function processesOf(...ids: readonly string[]): readonly number[] {
  const marks = new Set(ids.map((id) => `PURVEYOR_INSTANCE=${id}`));
  return processes((pid) =>
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .some((word) => marks.has(word)),
  );
}

/** Live processes that work in this directory. */
function processesBelow(directory: string): readonly number[] {
  return processes((pid) => readlinkSync(`/proc/${pid}/cwd`).startsWith(directory));
}

function processes(fits: (pid: number) => boolean): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isThere(pid) && isTrueOf(pid, fits));
}

/** One that ends meanwhile is none. */
function isTrueOf(pid: number, fits: (pid: number) => boolean): boolean {
  try {
    return fits(pid);
  } catch {
    return false;
  }
}
