import { readFileSync, existsSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { options, readConfig } from '../src/program/config.ts';
import { runProgram } from './support/run-program.ts';

interface App extends Record<string, unknown> {
  readonly env: Record<string, string>;
}

const manifest = parse(readFileSync('manifest.yml', 'utf8')) as { applications: App[] } & object;

/** docs.cloudfoundry.org, App manifest attribute reference; without the deprecated ones. */
const attributes = [
  'name',
  'buildpacks',
  'command',
  'disk_quota',
  'docker',
  'env',
  'health-check-http-endpoint',
  'health-check-interval',
  'health-check-invocation-timeout',
  'health-check-type',
  'instances',
  'log-rate-limit-per-second',
  'memory',
  'metadata',
  'no-route',
  'path',
  'processes',
  'random-route',
  'readiness-health-check-http-endpoint',
  'readiness-health-check-interval',
  'readiness-health-check-invocation-timeout',
  'readiness-health-check-type',
  'routes',
  'services',
  'sidecars',
  'stack',
  'timeout',
];

test('The manifest has only keys that Cloud Foundry knows', () => {
  expect(Object.keys(manifest)).toEqual(['version', 'applications']);
  for (const app of manifest.applications)
    expect(attributes).toEqual(expect.arrayContaining(Object.keys(app)));
});

test('The manifest binds a database and asks the probes that the broker answers', () => {
  expect(manifest.applications[0]).toMatchObject({
    services: [expect.any(String) as string],
    instances: 2,
    'health-check-type': 'http',
    'health-check-http-endpoint': '/healthz',
    'readiness-health-check-type': 'http',
    'readiness-health-check-http-endpoint': '/readyz',
  });
});

test('The broker starts with the environment of the manifest', () => {
  const { env = {} } = manifest.applications[0] ?? {};
  const names = Object.values(options).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(env)));
  const credentials = { uri: 'postgres://u:p@db/purveyor' };
  const config = readConfig({
    ...env,
    BROKER_PASSWORD: 'given',
    ENCRYPTION_KEYS: `1:${Buffer.alloc(32).toString('base64')}`,
    PORT: '8080',
    VCAP_APPLICATION: JSON.stringify({ application_uris: ['purveyor.example'] }),
    VCAP_SERVICES: JSON.stringify({ postgres: [{ name: 'purveyor-db', credentials }] }),
  });
  expect(config).toMatchObject({
    host: '0.0.0.0',
    publicUrl: 'https://purveyor.example',
    externalDatabase: true,
  });
  // Cloud Foundry waits 10 seconds between SIGTERM and SIGKILL.
  expect(config.drain).toBeLessThan(10_000);
});

test('The Procfile runs what npm start runs', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  // Only npm needs the exec: without it a shell would stand between npm and the broker.
  const command = scripts.start.replace(/^exec /, '');
  expect(readFileSync('Procfile', 'utf8')).toBe(`web: ${command}\n`);
  expect(existsSync(command.replace(/^node /, ''))).toBe(true);
});

test('runtime.txt names a Node that package.json allows', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  const major = /^node-(\d+)\.x\n$/.exec(readFileSync('runtime.txt', 'utf8'))?.[1];
  const least = /^>=(\d+)\./.exec(engines.node)?.[1];
  expect(Number(major)).toBeGreaterThan(Number(least));
});

test('Nothing that the broker runs from is left out of a push', () => {
  const left = readFileSync('.cfignore', 'utf8').trim().split('\n');
  for (const needed of ['src/', 'catalog/', 'package.json', 'package-lock.json', 'Procfile', '.npmrc']) {
    expect(left).not.toContain(needed);
  }
});

test('The broker on a cluster starts with the environment of its Deployment and of the Secret that the guide has made', () => {
  const deployment = parse(readFileSync('deploy/kubernetes/deployment.yaml', 'utf8')) as Deployment;
  const { terminationGracePeriodSeconds, containers } = deployment.spec.template.spec;
  const [{ env, envFrom, startupProbe, livenessProbe, readinessProbe }] = containers;
  const guide = readFileSync('docs/kubernetes.md', 'utf8');
  const secret = [...guide.matchAll(/--from-literal=([A-Z_]+)=/g)].map(([, name]) => String(name));
  expect(envFrom).toEqual([{ secretRef: { name: 'purveyor' } }]);
  expect(secret.toSorted()).toEqual([
    'BROKER_PASSWORD',
    'DATABASE_URL',
    'ENCRYPTION_KEYS',
    'OPERATOR_PASSWORD',
  ]);
  const given = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  const names = Object.values(options).map(({ name }) => name);
  // That of the cluster is one of a family of names.
  expect([...names, 'KUBERNETES_CONFIG']).toEqual(expect.arrayContaining([...Object.keys(given), ...secret]));
  const config = readConfig({
    ...given,
    DATABASE_URL: 'postgres://u:p@db/purveyor',
    BROKER_PASSWORD: 'given',
    OPERATOR_PASSWORD: 'other',
    ENCRYPTION_KEYS: `1:${Buffer.alloc(32).toString('base64')}`,
  });
  expect(config.drain).toBeLessThan(terminationGracePeriodSeconds * 1000 - 10_000);
  const probes = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.path);
  expect(probes).toEqual(['/healthz', '/healthz', '/readyz']);
});

interface Probe {
  readonly httpGet: { readonly path: string };
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly env: readonly { readonly name: string; readonly value: string }[];
            readonly envFrom: readonly unknown[];
            readonly startupProbe: Probe;
            readonly livenessProbe: Probe;
            readonly readinessProbe: Probe;
          },
        ];
      };
    };
  };
}

test('The roles of the broker on a cluster are those that its catalog needs', async () => {
  const { code, output } = await runProgram(['catalog', 'rbac', '--json'], {
    CATALOG_DIR: 'catalog/kubernetes',
  }).ended;
  expect(code).toBe(0);
  const roles = parseAllDocuments(readFileSync('deploy/kubernetes/role.yaml', 'utf8'));
  expect(roles.map((each) => each.toJS() as unknown)).toEqual(
    (JSON.parse(output) as { items: unknown[] }).items,
  );
});
