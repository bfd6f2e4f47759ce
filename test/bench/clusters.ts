import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCluster } from '../support/cluster/start-cluster.ts';
import { asking, timeToMake } from './processes.ts';
import { freePort, login, startBroker, stop } from './programs.ts';
import { inTurns, timeOf } from './rounds.ts';

const labels = { app: 'main' };
const pods = { containers: [{ name: 'main', image: 'main:1', envFrom: [{ secretRef: { name: 'auth' } }] }] };

/** What an instance has, and what kubectl applies. */
const objects = {
  auth: {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'auth' },
    stringData: { admin: 'open sesame' },
  },
  conf: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf' }, data: { size: 'small' } },
  service: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'main' },
    spec: { selector: labels, ports: [{ name: 'main', port: 6379, protocol: 'TCP' }] },
  },
  main: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'main' },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pods } },
  },
};

const offering = {
  id: 'bench-cluster',
  name: 'bench-cluster',
  description: 'What kubectl is held against.',
  provisioner: 'kubernetes',
  plans: [{ id: 'bench-cluster-one', name: 'one', description: 'One pod.' }],
  config: { namespace: 'own', quota: { pods: 3 }, objects },
  credentials: { namespace: '{{namespace}}' },
};

const plan = { service_id: 'bench-cluster', plan_id: 'bench-cluster-one' };

/**
 * Milliseconds from the request of an instance until it is ready, and of `kubectl apply --server-side` and `kubectl wait`
 * of the same objects; medians of so many rounds.
 */
export async function measureCluster(directory: string, rounds: number): Promise<readonly [number, number]> {
  const cluster = await startCluster();
  const catalog = join(directory, 'cluster-catalog');
  mkdirSync(catalog);
  writeFileSync(join(catalog, 'offering.json'), JSON.stringify(offering));
  const broker = await startBroker(await freePort(), {
    DATA_DIR: join(directory, 'cluster'),
    CATALOG_DIR: catalog,
    KUBERNETES_CONFIG: cluster.kubeconfig,
  });
  const env = { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: cluster.kubeconfig };
  const kubectl = (...words: readonly string[]) => promisify(execFile)('kubectl', words, { env });
  const ours = timeToMake(asking(broker.port, login, plan));
  async function theirs(round: number): Promise<number> {
    const space = `bench-${round}`;
    const file = join(directory, `${space}.json`);
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: inSpace(space) }));
    const took = await timeOf(async () => {
      await kubectl('apply', '--server-side', '-f', file);
      await kubectl('wait', '--for=condition=Available', '-n', space, 'deployment/main', '--timeout=60s');
    });
    await kubectl('delete', 'namespace', space);
    return took;
  }
  try {
    return await inTurns(rounds, [ours, theirs]);
  } finally {
    await stop(broker);
    await cluster.close();
  }
}

/** With what an own namespace has beside. */
function inSpace(namespace: string): readonly object[] {
  const metadata = { name: 'bench', namespace };
  const all = Object.values(objects).map((one) => ({ ...one, metadata: { ...one.metadata, namespace } }));
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
    },
    { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard: { pods: '3' } } },
    ...all,
  ];
}
