import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/broker/json.ts';

/** In a namespace of each instance's own, in one that all share, and in containers. */
export const offeringNames = ['spaces', 'tenants', 'boxes'] as const;
export type OfferingName = (typeof offeringNames)[number];

/** What plans differ in: the name of an object, a number of pods, and what a container may have. */
export const plans = {
  small: { flavour: 'sweet', replicas: 1, pids: 40 },
  large: { flavour: 'sour', replicas: 2, pids: 50 },
} as const;

/** The namespace that is there before any instance. */
export const sharedNamespace = 'tenants';

/** Writes the catalog and gives its directory. */
export function writeOfferings(scratch: string, image: string): string {
  const directory = join(scratch, 'offerings');
  mkdirSync(directory);
  for (const name of offeringNames)
    writeFileSync(join(directory, `${name}.json`), JSON.stringify(offeringOf(name, image)));
  return directory;
}

function offeringOf(name: OfferingName, image: string): JsonObject {
  return {
    id: name,
    name,
    description: name,
    instances_retrievable: true,
    bindings_retrievable: true,
    plan_updateable: true,
    plans: Object.entries(plans).map(([plan, values]) => ({
      id: `${name}-${plan}`,
      name: plan,
      description: plan,
      with: values,
      ...(name === 'boxes' && { limits: { pids: values.pids } }),
    })),
    secrets: { admin: { length: 24 }, password: { per: 'binding', length: 24 } },
    timeouts: { start: '8m' },
    monitor: { every: '2s' },
    ...parts[name](image),
  };
}

const parts: Readonly<Record<OfferingName, (image: string) => JsonObject>> = {
  spaces: () => ({ provisioner: 'kubernetes', ...inCluster, config: { namespace: 'own', ...spaceConfig } }),
  tenants: () => ({
    provisioner: 'kubernetes',
    ...inCluster,
    config: { namespace: sharedNamespace, ...tenantConfig },
  }),
  boxes: boxes,
};

const inCluster = {
  credentials: { namespace: '{{namespace}}', secret: '{{binding.key}}', password: '{{secrets.password}}' },
};

const login = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: '{{binding.key}}' },
  stringData: { password: '{{secrets.password}}' },
};

function configMap(name: string, data: JsonObject): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

function podsOf(labels: JsonObject, image: string, more: JsonObject = {}): JsonObject {
  return { metadata: { labels }, spec: { containers: [{ name: 'main', image }], ...more } };
}

const spaceConfig: JsonObject = {
  quota: { pods: 3 },
  objects: {
    auth: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'auth' },
      stringData: { admin: '{{secrets.admin}}' },
    },
    conf: configMap('conf-{{plan.flavour}}', { flavour: '{{plan.flavour}}' }),
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'main' },
      spec: { selector: { app: 'main' }, ports: [{ name: 'main', port: 6379 }] },
    },
    main: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'main' },
      spec: {
        serviceName: '{{objects.service.name}}',
        replicas: 1,
        selector: { matchLabels: { app: 'main' } },
        template: podsOf({ app: 'main', flavour: '{{plan.flavour}}' }, 'main:1'),
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
  },
  bind: { objects: { login } },
};

const tenantConfig: JsonObject = {
  objects: {
    conf: configMap('{{instance.key}}-{{plan.flavour}}', { flavour: '{{plan.flavour}}' }),
    init: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: '{{instance.key}}-init' },
      spec: { template: podsOf({ init: '{{instance.key}}' }, 'init:1', { restartPolicy: 'Never' }) },
    },
    main: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: '{{instance.key}}' },
      after: ['init'],
      spec: {
        replicas: '{{plan.replicas}}',
        selector: { matchLabels: { app: '{{instance.key}}' } },
        template: podsOf({ app: '{{instance.key}}' }, 'main:1'),
      },
    },
  },
  bind: { objects: { login, note: configMap('{{binding.key}}', { of: '{{instance.key}}' }) } },
};

function boxes(image: string): JsonObject {
  return {
    provisioner: 'container',
    config: {
      image,
      ports: ['main'],
      files: {
        'redis.conf': 'bind {{node.bind}}\nport {{ports.main}}\nsave ""\nrequirepass {{secrets.admin}}\n',
      },
      processes: {
        redis: {
          run: ['redis-server', '{{dir.conf}}/redis.conf'],
          ready: { port: 'main', send: 'AUTH {{secrets.admin}}\r\nPING\r\n', expect: '+PONG' },
        },
      },
      bind: [
        {
          port: 'main',
          send: 'AUTH {{secrets.admin}}\r\nACL SETUSER {{binding.key}} reset on >{{secrets.password}} +@all\r\n',
          expect: '+OK\r\n+OK',
        },
      ],
      unbind: [
        {
          port: 'main',
          send: 'AUTH {{secrets.admin}}\r\nACL DELUSER {{binding.key}}\r\n',
          expect: '+OK\r\n:',
        },
      ],
    },
    credentials: { host: '{{node.host}}', port: '{{ports.main}}', password: '{{secrets.admin}}' },
  };
}
