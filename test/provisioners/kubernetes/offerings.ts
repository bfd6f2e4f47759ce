import { type JsonObject, memberOf } from '../../../src/broker/json.ts';

/** A service and its pod, without templates that need values. */
export const redisConfig: JsonObject = {
  namespace: 'own',
  objects: {
    auth: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'redis-auth' },
      stringData: { admin: 'open sesame' },
    },
    conf: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'redis-conf' },
      data: { 'redis.conf': 'dir /data\nappendonly yes\n' },
    },
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'redis' },
      spec: { selector: { app: 'redis' }, ports: [{ name: 'main', port: 6379 }] },
    },
    redis: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'redis' },
      after: ['service'],
      spec: {
        serviceName: '{{objects.service.name}}',
        replicas: 1,
        selector: { matchLabels: { app: 'redis' } },
        template: {
          metadata: { labels: { app: 'redis' } },
          spec: {
            containers: [{ name: 'redis', image: 'redis:7', command: ['redis-server', '/conf/redis.conf'] }],
            volumes: [{ name: 'conf', configMap: { name: 'redis-conf' } }],
          },
        },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }],
      },
    },
  },
  read: { admin: { of: 'auth', path: 'data.admin', decode: 'base64' } },
};

/** The same with other objects beside or instead of its own, or without some. */
export function withObjects(objects: Readonly<Record<string, JsonObject | undefined>>): JsonObject {
  const all = { ...(redisConfig['objects'] as JsonObject), ...objects };
  const given = Object.entries(all).filter(([, object]) => object !== undefined);
  return { ...redisConfig, objects: Object.fromEntries(given) as JsonObject };
}

/** Its pods, made from this image, as a real API server takes them. */
export function withImage(image: string): JsonObject {
  const redis = memberOf(redisConfig['objects'], 'redis');
  const spec = memberOf(redis, 'spec');
  const template = memberOf(spec, 'template');
  const containers = [{ name: 'redis', image, command: ['redis-server', '/conf/redis.conf'] }];
  const volumeClaimTemplates = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ];
  const pods = { ...template, spec: { ...memberOf(template, 'spec'), containers } };
  return { ...redis, spec: { ...spec, template: pods, volumeClaimTemplates } };
}
