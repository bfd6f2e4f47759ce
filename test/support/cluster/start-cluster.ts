import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createAuthority, openssl, type MadePair } from '../certificates.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { until } from '../until.ts';
import { type Ask, createAsk } from './ask.ts';
import { findClusterPrograms, whyNoCluster } from './binaries.ts';
import { createDaemon } from './daemon.ts';
import { startStandIn } from './stand-in.ts';

/** A real cluster for the tests of one file: etcd, API server and controllers, and a stand-in for kubelets. */
export interface TestCluster {
  /** Its address. */
  readonly server: string;
  /** The authority of its certificate, and of those of its clients. */
  readonly ca: MadePair;
  /** A certificate of the user `test`, who has no rights but those that a test gives. */
  readonly clientPair: MadePair;
  /** A kubeconfig of the administrator. */
  readonly kubeconfig: string;
  /** By the names of their users: who may do everything, and who may do nothing at first. */
  readonly tokens: { readonly admin: string; readonly secondAdmin: string; readonly nobody: string };
  readonly auditLog: string;
  /** As the administrator. */
  readonly ask: Ask;
  /** Writes a kubeconfig with this user. */
  kubeconfigOf(user: object): string;
  /** kill -9 of the API server. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** As if the address were that of another cluster: everything that was in it is gone. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}

const tokens = { admin: 'token-of-admin', secondAdmin: 'second-token-of-admin', nobody: 'token-of-nobody' };

export async function startCluster(): Promise<TestCluster> {
  const why = whyNoCluster();
  if (why !== undefined) throw new Error(`There can be no cluster: ${why}.`);
  for (let tries = 1; ; tries += 1) {
    try {
      return await startAt(await freePorts(3));
    } catch (error) {
      // Somebody else may have taken a port since it was free.
      if (tries === 3) throw error;
    }
  }
}

async function startAt([clientPort, peerPort, port]: readonly number[]): Promise<TestCluster> {
  const place = scratchDirectory('cluster');
  const at = (name: string) => join(place, name);
  const ca = createAuthority('Test cluster');
  const clientPair = ca.issue();
  const server = `https://127.0.0.1:${port}`;
  const kubeconfigOf = kubeconfigWriter(place, server, ca.certFile);
  const kubeconfig = kubeconfigOf({ token: tokens.admin });
  const { ask, close: closeAsk } = createAsk(port ?? 0, ca.cert, tokens.admin);
  const isUp = async () => {
    const seen = await ask('GET', '/readyz').catch(() => undefined);
    return seen?.status === 200;
  };
  const etcd = createEtcd(at('etcd'), clientPort ?? 0, peerPort ?? 0, at('etcd.log'));
  const { apiServer, controllers } = findClusterPrograms() ?? { apiServer: '', controllers: '' };
  const api = createDaemon({
    program: apiServer,
    args: apiServerArgs(place, ca, { etcd: clientPort ?? 0, own: port ?? 0 }),
    log: at('api-server.log'),
    isReady: isUp,
  });
  const manager = createDaemon({
    program: controllers,
    args: controllerArgs(kubeconfig),
    log: at('controllers.log'),
    isReady: async () => true,
  });
  let standIn: ReturnType<typeof startStandIn> | undefined;
  async function start(): Promise<void> {
    await etcd.start();
    await api.start();
    await manager.start();
    await until('the cluster has its first namespaces', async () => {
      const { status } = await ask('GET', '/api/v1/namespaces/kube-system');
      return status === 200;
    });
    standIn = startStandIn(ask);
  }
  async function stop(): Promise<void> {
    await standIn?.close();
    for (const daemon of [manager, api, etcd]) await daemon.kill();
  }
  await start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    server,
    ca,
    clientPair,
    kubeconfig,
    tokens,
    auditLog: at('audit.log'),
    ask,
    kubeconfigOf,
    kill: () => api.kill(),
    restart: () => api.start(),
    async wipe() {
      await stop();
      rmSync(at('etcd'), { recursive: true, force: true });
      await start();
    },
    async close() {
      await stop();
      closeAsk();
    },
  };
}

function createEtcd(data: string, clientPort: number, peerPort: number, log: string) {
  const [client, peer] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`];
  const args = {
    'data-dir': data,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
  };
  const words = Object.entries(args).map(([name, value]) => `--${name}=${value}`);
  return createDaemon({
    program: 'etcd',
    args: [...words, '--unsafe-no-fsync'],
    log,
    isReady: async () => (await fetch(`${client}/health`).catch(() => undefined))?.ok === true,
  });
}

function apiServerArgs(
  place: string,
  ca: ReturnType<typeof createAuthority>,
  ports: { readonly etcd: number; readonly own: number },
): readonly string[] {
  const at = (name: string) => join(place, name);
  const pair = ca.issue(90, 'DNS:localhost,IP:127.0.0.1');
  mkdirSync(at('certificates'));
  openssl(['genrsa', '-out', at('accounts.key'), '2048']);
  writeFileSync(
    at('tokens.csv'),
    [
      `${tokens.admin},admin,1,system:masters`,
      `${tokens.secondAdmin},admin,1,system:masters`,
      `${tokens.nobody},nobody,2`,
    ].join('\n'),
  );
  writeFileSync(at('audit.yaml'), JSON.stringify(auditPolicy));
  const args = {
    'etcd-servers': `http://127.0.0.1:${ports.etcd}`,
    'bind-address': '127.0.0.1',
    // Loopback is refused as an address of the service kubernetes; nobody looks for it there.
    'advertise-address': '192.0.2.1',
    'secure-port': ports.own,
    'cert-dir': at('certificates'),
    'tls-cert-file': pair.certFile,
    'tls-private-key-file': pair.keyFile,
    'client-ca-file': ca.certFile,
    'token-auth-file': at('tokens.csv'),
    'authorization-mode': 'RBAC',
    'service-account-key-file': at('accounts.key'),
    'service-account-signing-key-file': at('accounts.key'),
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-cluster-ip-range': '10.96.0.0/16',
    'allow-privileged': true,
    'disable-admission-plugins': 'ServiceAccount',
    'audit-policy-file': at('audit.yaml'),
    'audit-log-path': at('audit.log'),
  };
  return Object.entries(args).map(([name, value]) => `--${name}=${value}`);
}

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', users: ['system:apiserver'] }, { level: 'Metadata' }],
};

/** Those that make something of what an offering declares, and remove it. */
const needed = [
  'namespace',
  'garbagecollector',
  'statefulset',
  'deployment',
  'replicaset',
  'daemonset',
  'job',
  'cronjob',
  'endpoint',
  'endpointslice',
  'resourcequota',
  'serviceaccount',
  'disruption',
  'pvc-protection',
];

function controllerArgs(kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--controllers=${needed.join(',')}`,
    '--leader-elect=false',
    '--port=0',
    '--secure-port=0',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ];
}

function kubeconfigWriter(place: string, server: string, ca: string) {
  let written = 0;
  return (user: object): string => {
    written += 1;
    const file = join(place, `kubeconfig-${written}`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server, 'certificate-authority': ca } }],
      users: [{ name: 'test', user }],
    };
    // JSON is YAML, too.
    writeFileSync(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
    return file;
  };
}

/** Outside the range from which the system hands out ports by itself. */
async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const port = 10_000 + Math.floor(Math.random() * 9_000);
    if (!found.includes(port) && (await isFree(port))) found.push(port);
  }
  return found;
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}

/** What a program of the machine prints. */
export function kubectl(kubeconfig: string, words: readonly string[], input = ''): string {
  const options = { input, env: { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: kubeconfig } };
  return execFileSync('kubectl', words, options).toString();
}

/** All that the API server has written about its requests, as its lines. */
export function auditLines({ auditLog }: TestCluster): readonly string[] {
  return readFileSync(auditLog, 'utf8').split('\n').filter(Boolean);
}
