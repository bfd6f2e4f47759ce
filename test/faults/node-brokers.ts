// Real brokers on one database, each a node with a directory of its own, and a tiny server as what they offer.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isAlive, readIdentity } from '../../src/system/process-identity.ts';
import { address, isThere } from '../provisioners/process/process-node.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { keysIn } from '../support/instance-key.ts';
import { runProgram } from '../support/run-program.ts';
import { call } from '../support/started-brokers.ts';
import { environmentOf, startBrokerProcess, type Answer, type BrokerProcess } from './broker-process.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

export interface NodeProcess extends BrokerProcess {
  /** Asks it as an operator does. */
  operate(method: string, path: string, body?: object): Promise<Answer>;
  kill(): Promise<void>;
}

type Env = Readonly<Record<string, string>>;

export interface SeveralNodes {
  readonly database: TestDatabase;
  /** Starts a broker that is the node of this name. */
  node(name: string, env?: Env): Promise<NodeProcess>;
  /** One that is no node. */
  gateway(): Promise<NodeProcess>;
  /** Starts a broker that cannot be the node of this name, in the directory of this one: how it ends. */
  refused(name: string, place?: string): Promise<{ code: number | null; said: string }>;
  /** Makes it so that nobody has heard of the node for more than half a minute. */
  fallSilent(name: string): Promise<void>;
  /** Processes of an instance on a node, in the order in which they were started. */
  processesOf(node: string, instanceId: string): { started: readonly number[]; alive: readonly number[] };
  close(): Promise<void>;
}

const operatorPassword = 'the-operator-of-the-test';

export async function openSeveralNodes(): Promise<SeveralNodes> {
  const database = await openTestDatabase();
  const scratch = scratchDirectory('nodes');
  // Run by root, programs have another user, who must get in.
  chmodSync(scratch, 0o755);
  const catalogDir = writeCatalog(scratch);
  const brokers: BrokerProcess[] = [];

  function placeOf(name: string): string {
    const place = join(scratch, name);
    mkdirSync(place, { recursive: true });
    chmodSync(place, 0o755);
    return place;
  }
  function sharedBy(name: string) {
    return { database, dataDir: placeOf(name), catalogDir };
  }
  function asNode(name: string, env: Env): Env {
    return { ...common, NODE_ROLE: 'true', NODE_NAME: name, NODE_DIR: join(placeOf(name), 'node'), ...env };
  }
  async function start(name: string, env: Env): Promise<NodeProcess> {
    const broker = await startBrokerProcess(name, sharedBy(name), env);
    brokers.push(broker);
    return asOperated(broker);
  }

  return {
    database,
    node: (name, env = {}) => start(name, asNode(name, env)),
    gateway: () => start('gateway', common),
    async refused(name, place = name) {
      const env = { ...asNode(place, {}), NODE_NAME: name };
      const said = runProgram([], { ...environmentOf(name, sharedBy('refused')), ...env });
      const { code, output, errors } = await said.ended;
      return { code, said: output + errors };
    },
    async fallSilent(name) {
      const text = `update nodes set beat_at = beat_at - interval '31 seconds' where name = $1`;
      await database.pool.query(text, [name]);
    },
    processesOf(node, instanceId) {
      const parent = join(scratch, node, 'node', 'process');
      const started = keysIn(parent, instanceId).flatMap((key) => {
        const file = join(parent, key, 'data', 'starts');
        return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
      });
      return { started, alive: started.filter(isThere) };
    },
    async close() {
      for (const { signal, ended } of brokers) {
        signal('SIGKILL');
        await ended;
      }
      for (const name of readdirSync(scratch)) endAllOf(join(scratch, name, 'node', 'process'));
      await database.close();
    },
  };
}

const common = {
  HOST: address,
  NODE_HOST: address,
  LEASE: '4s',
  ASYNC_PATIENCE: '250ms',
  OPERATOR_PASSWORD: operatorPassword,
};

function asOperated(broker: BrokerProcess): NodeProcess {
  return {
    ...broker,
    async operate(method, path, body) {
      const url = `${broker.address}/operator${path}`;
      const answer = await call(`operator:${operatorPassword}`, url, { method, ...(body ? { body } : {}) });
      return { status: answer.status, body: (await answer.json()) as Answer['body'] };
    },
    async kill() {
      broker.signal('SIGKILL');
      await broker.ended;
    },
  };
}

/** What a test that failed has left running. */
function endAllOf(directory: string): void {
  if (!existsSync(directory)) return;
  for (const instance of readdirSync(directory)) {
    const state = join(directory, instance, 'state');
    const identity = readIdentity(join(state, 'unit-server.json'));
    if (identity && isAlive(identity)) process.kill(-identity.pid, 'SIGKILL');
  }
}

export const offeringId = 'lines';
/** An offering whose instances need one of their own of the other; they find its address in their environment. */
export const needingId = 'needing';

/** Plans: `small` and `large` by what they take, `slow` by the time until it answers. */
function writeCatalog(scratch: string): string {
  const program = join(scratch, 'server.mjs');
  copyFileSync(join(import.meta.dirname, '../provisioners/process/server.mjs'), program);
  const directory = join(scratch, 'offerings');
  mkdirSync(directory);
  const write = (offering: { readonly name: string; readonly [word: string]: unknown }) =>
    writeFileSync(join(directory, `${offering.name}.json`), JSON.stringify(offering));
  write(offeringOf(offeringId, program));
  write({
    ...offeringOf(needingId, program, { SOURCE: '{{deps.source.node_id}} {{deps.source.port}}' }),
    requires_offerings: { source: { offering: offeringId, plan: 'small' } },
  });
  return directory;
}

function offeringOf(name: string, program: string, env: Env = {}) {
  const plans = [planOf(name, 'small', 1, 0), planOf(name, 'large', 5, 0), planOf(name, 'slow', 1, 2000)];
  return {
    id: name,
    name,
    description: 'Lines in, lines out',
    instances_retrievable: true,
    bindings_retrievable: true,
    provisioner: 'process',
    plans,
    secrets: { password: { length: 24 } },
    monitor: { every: '1s' },
    config: {
      ports: ['main'],
      files: {
        'server.json':
          '{"host": "{{node.bind}}", "port": {{ports.main}}, "data": {{dir.data | json}}, "late": {{plan.late}}}',
      },
      processes: {
        server: {
          run: [process.execPath, program, '{{dir.conf}}/server.json'],
          env,
          ready: { port: 'main', send: 'PING\n', expect: 'PONG' },
        },
      },
    },
    credentials: {
      host: '{{node.host}}',
      hostname: '{{node.host}}',
      port: '{{ports.main}}',
      name: '{{instance.key}}',
      node_id: '{{node.name}}',
      password: '{{secrets.password}}',
    },
  };
}

function planOf(offering: string, name: string, cost: number, late: number) {
  return { id: idOf(offering, name), name, description: name, cost, with: { late } };
}

/** Of a plan. */
export function idOf(offering: string, plan: string): string {
  return offering === offeringId ? plan : `${offering}-${plan}`;
}
