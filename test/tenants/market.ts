import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { endProcess } from '../../src/system/end-process.ts';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { address } from '../shipped/shop.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import type { SetUp } from './set-ups.ts';

/** A broker in a process of its own, which has made its secrets itself and sells what is shipped. */
export interface Market {
  readonly dataDir: string;
  /** The names of what is on sale. */
  readonly offerings: readonly string[];
  /** Provisions an instance and binds it. */
  buy(offering: string, plan: string): Promise<Holding>;
  /** All that the broker has written to its output since it was started last. */
  output(): string;
  /** Kills the broker at once, and starts it again. */
  killAndStart(): Promise<void>;
  close(): Promise<void>;
}

/** An instance with one binding: what a tenant has. */
export interface Holding {
  readonly id: string;
  /** The name that things of it have. */
  readonly key: string;
  /** The directory of the instance; there is none for what is not on a node. */
  readonly base: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly port: number;
  /** Requires that it succeeds; nothing happens when it has been done. */
  deprovision(): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..');
const password = 'the-password-of-the-platform';
const worker = Number(process.env['JEST_WORKER_ID'] ?? '0');

/** @param catalog directories of offering files beside the shipped one */
export async function openMarket(setUp: SetUp, catalog: readonly string[] = []): Promise<Market> {
  const scratch = scratchDirectory('market');
  // Its directories belong to whom it is started as, and may be entered by whom it starts things as.
  chmodSync(scratch, 0o755);
  const dataDir = join(scratch, 'data');
  mkdirSync(dataDir);
  if (setUp.user) chownSync(dataDir, setUp.user.uid, setUp.user.gid);
  const first = 29_000 + (worker % 20) * 100;
  let broker = await start();
  async function start(): Promise<Broker> {
    return startBroker(setUp, {
      PATH: process.env['PATH'],
      HOME: dataDir,
      PORT: '0',
      LOG_FORMAT: 'text',
      LOG_LEVEL: 'error',
      DATA_DIR: dataDir,
      BROKER_PASSWORD: password,
      CATALOG_DIR: ['catalog', ...catalog].join(':'),
      NODE_HOST: address,
      NODE_PORTS: `${first}-${first + 99}`,
      ...setUp.env,
    });
  }
  const held = new Set<Holding>();
  const platform = async (method: string, path: string, body?: object): Promise<unknown> => {
    const login = Buffer.from(`broker:${password}`).toString('base64');
    const headers = { authorization: `Basic ${login}`, 'x-broker-api-version': '2.17' };
    return call(`${broker.url}${path}`, { method, headers, body });
  };
  const keyOf = async (id: string): Promise<string> => {
    const login = `operator:${readFileSync(join(dataDir, 'operator-password'), 'utf8').trim()}`;
    const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
    return ((await call(`${broker.url}/operator/instances/${id}`, { method: 'GET', headers })) as Holding)
      .key;
  };
  const onSale = (await platform('GET', '/v2/catalog')) as Catalog;
  const plans = plansOf(onSale);
  return {
    dataDir,
    offerings: onSale.services.map(({ name }) => name),
    output: () => broker.output(),
    async killAndStart() {
      await broker.end('SIGKILL');
      broker = await start();
    },
    async buy(offering, plan) {
      const id = randomUUID();
      const ids = plans(offering, plan);
      const path = `/v2/service_instances/${id}`;
      const query = new URLSearchParams({ ...ids }).toString();
      await platform('PUT', path, { ...ids, organization_guid: 'o', space_guid: 's' });
      const binding = await platform('PUT', `${path}/service_bindings/${randomUUID()}`, ids);
      const { credentials } = binding as Pick<Holding, 'credentials'>;
      const key = await keyOf(id);
      const holding: Holding = {
        id,
        key,
        base: baseOf(dataDir, key),
        credentials,
        port: Number(credentials['port']),
        async deprovision() {
          if (!held.delete(holding)) return;
          await platform('DELETE', `${path}?${query}`);
        },
      };
      held.add(holding);
      return holding;
    },
    async close() {
      const bases = [...held].map(({ base }) => base);
      await Promise.allSettled([...held].map((holding) => holding.deprovision()));
      await broker.end('SIGTERM');
      for (const base of bases.filter((one) => existsSync(one))) {
        const launched = listLaunched({ state: join(base, 'state') });
        await Promise.all(
          launched.map(({ identity }) => endProcess(identity, { termMs: 2000, killMs: 5000 })),
        );
      }
    },
  };
}

interface Broker {
  readonly url: string;
  output(): string;
  end(signal: NodeJS.Signals): Promise<void>;
}

/** In a process of its own, until it listens. */
async function startBroker(setUp: SetUp, env: NodeJS.ProcessEnv): Promise<Broker> {
  const child = spawn(process.execPath, ['src/start.js'], {
    cwd: root,
    ...setUp.user,
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (output += part));
  const ended = once(child, 'close');
  const url = await until('the broker listens', () => /listens on (http:\S+)/.exec(output)?.[1], 60_000);
  return {
    url,
    output: () => output,
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

async function call(
  url: string,
  { method, headers, body }: { method: string; headers: Record<string, string>; body?: object | undefined },
): Promise<unknown> {
  const content = body && { body: JSON.stringify(body) };
  const answer = await fetch(url, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...content,
  });
  if (!answer.ok || answer.status === 202)
    throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Where the instance is, whichever provisioner has made it. */
function baseOf(dataDir: string, key: string): string {
  const node = join(dataDir, 'node');
  const found = ['process', 'command', 'directory']
    .map((provisioner) => join(node, provisioner, key))
    .find((base) => existsSync(base));
  return found === undefined ? '' : realpathSync(found);
}

interface Named {
  readonly id: string;
  readonly name: string;
}
interface Catalog {
  readonly services: readonly (Named & { readonly plans: readonly Named[] })[];
}

function plansOf({ services }: Catalog) {
  return (offering: string, plan: string) => {
    const service = services.find(({ name }) => name === offering);
    const found = service?.plans.find(({ name }) => name === plan);
    if (!service || !found) throw new Error(`There is no plan ${plan} of ${offering} on sale.`);
    return { service_id: service.id, plan_id: found.id };
  };
}
