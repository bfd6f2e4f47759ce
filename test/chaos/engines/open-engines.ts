// Two brokers on one Postgres, a real cluster and a real container engine, and the ways to them that can be disturbed.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aTestEngine, type TestEngine } from '../../support/container-engine.ts';
import { startCluster, type TestCluster } from '../../support/cluster/start-cluster.ts';
import { type HttpWay, openHttpWay } from '../../support/http-way.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { createSlot, type Slot } from '../slot.ts';
import { sharedNamespace, writeOfferings } from './offerings.ts';

export const leaseMs = 4000;
export const operatorLogin = 'operator:the-operator-of-engines';

export interface Engines {
  readonly database: TestDatabase;
  readonly cluster: TestCluster;
  readonly containers: TestEngine;
  readonly ways: { readonly cluster: HttpWay; readonly containers: HttpWay };
  /** Each broker is a node; both use the one engine. */
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
  const toContainers = await openHttpWay({
    at: socket,
    forward: ({ method, url, headers }) =>
      httpRequest({ socketPath: containers.socket, method, path: url, headers, agent: false }),
  });
  const kubeconfig = join(scratch, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigAt(`http://127.0.0.1:${toCluster.port}`, cluster));
  const catalogDir = writeOfferings(scratch, containers.image);
  const common = { KUBERNETES_CONFIG: kubeconfig, NODE_CONTAINERS: socket };
  const slotOf = (name: string, firstPort: number): Slot => {
    const home = join(scratch, name);
    mkdirSync(home);
    chmodSync(home, 0o755);
    const nodeDir = join(home, 'node');
    const ports = `${firstPort}-${firstPort + 199}`;
    const own = { NODE_ROLE: 'true', NODE_NAME: name, NODE_DIR: nodeDir, NODE_PORTS: ports };
    const password = operatorLogin.split(':')[1] ?? '';
    const env = { ...common, ...own, LEASE: `${leaseMs}ms`, OPERATOR_PASSWORD: password };
    return createSlot({ name, nodeDir, shared: { database, dataDir: home, catalogDir }, env });
  };
  const slots = [slotOf('engines-one', 27_000), slotOf('engines-two', 27_200)] as const;
  // The first one makes the tables.
  for (const slot of slots) await slot.start();
  return {
    database,
    cluster,
    containers,
    ways: { cluster: toCluster, containers: toContainers },
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

function openWayToCluster({ server, ca }: TestCluster) {
  const { port } = new URL(server);
  const agent = new Agent({ keepAlive: true, ca: ca.cert });
  return openHttpWay({
    at: 0,
    forward: ({ method, url, headers }) =>
      httpsRequest({ host: '127.0.0.1', port, method, path: url, headers, agent }),
  });
}

function kubeconfigAt(server: string, cluster: TestCluster): string {
  const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')) as object;
  return JSON.stringify({ ...config, clusters: [{ name: 'test', cluster: { server } }] });
}
