// Two brokers on one Postgres, a real cluster and a real container engine, and the ways to them that can be disturbed.
import { chmodSync, mkdirSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aTestEngine, type TestEngine } from '../../support/container-engine.ts';
import { startCluster, type TestCluster } from '../../support/cluster/start-cluster.ts';
import { openWayToCluster } from '../../support/cluster/way.ts';
import { type HttpWay, openHttpWay } from '../../support/http-way.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { createSlot, leaseMs, type Slot } from '../slot.ts';
import { sharedNamespace, writeOfferings } from './offerings.ts';

export const operatorLogin = 'operator:the-operator-of-engines';

export interface Engines {
  readonly database: TestDatabase;
  readonly cluster: TestCluster;
  readonly containers: TestEngine;
  readonly ways: { readonly cluster: HttpWay; readonly containers: HttpWay };
  /** Removals of networks that the container engine was asked for and has not answered. */
  readonly removals: ReadonlySet<ClientRequest>;
  /** Each broker is a node; both use the one engine. None is started yet. */
  readonly slots: readonly [Slot, Slot];
  close(): Promise<void>;
}

export async function openEngines(): Promise<Engines> {
  const scratch = scratchDirectory('engines');
  chmodSync(scratch, 0o755);
  const [database, cluster, containers] = await Promise.all([
    openTestDatabase(),
    startCluster(),
    aTestEngine(),
  ]);
  const metadata = { name: sharedNamespace };
  await cluster.ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  const toCluster = await openWayToCluster(cluster);
  const socket = join(scratch, 'engine.sock');
  const removals = new Set<ClientRequest>();
  const toContainers = await openHttpWay({
    at: socket,
    forward: (asked) => {
      const { method, url, headers } = asked;
      const passed = request({ socketPath: containers.socket, method, path: url, headers, agent: false });
      if (isRemovalOfNetwork(asked)) {
        removals.add(passed);
        passed.once('close', () => removals.delete(passed));
      }
      return passed;
    },
  });
  const catalogDir = writeOfferings(scratch, containers.image);
  const common = { KUBERNETES_CONFIG: toCluster.kubeconfig, NODE_CONTAINERS: socket };
  const slotOf = (name: string, firstPort: number): Slot => {
    const home = join(scratch, name);
    mkdirSync(home);
    chmodSync(home, 0o755);
    const nodeDir = join(home, 'node');
    const ports = `${firstPort}-${firstPort + 199}`;
    const own = {
      DATABASE_POOL: '60',
      // As many as there are instances: each may be stopped at a step of its own at the same time.
      WORKERS: '40',
      NODE_ROLE: 'true',
      NODE_NAME: name,
      NODE_DIR: nodeDir,
      NODE_PORTS: ports,
    };
    const password = operatorLogin.split(':')[1] ?? '';
    const env = { ...common, ...own, LEASE: `${leaseMs}ms`, OPERATOR_PASSWORD: password };
    return createSlot({ name, nodeDir, shared: { database, dataDir: home, catalogDir }, env: () => env });
  };
  const slots = [slotOf('engines-one', 27_000), slotOf('engines-two', 27_200)] as const;
  return {
    database,
    cluster,
    containers,
    ways: { cluster: toCluster, containers: toContainers },
    removals,
    slots,
    async close() {
      for (const slot of slots) await slot.end('SIGKILL');
      await toCluster.close();
      await toContainers.close();
      await cluster.close();
      await containers.close();
      await database.close();
    },
  };
}

export function isRemovalOfNetwork({ method, url = '' }: IncomingMessage): boolean {
  return method === 'DELETE' && url.includes('/networks/');
}
