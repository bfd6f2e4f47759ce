import type { JsonObject } from '../../../src/broker/json.ts';
import { loadCatalog } from '../../../src/catalog/load.ts';
import { isError } from '../../../src/catalog/problem.ts';
import { traits } from '../../../src/provisioners/kubernetes/form/traits.ts';
import { aPlan, anOffering, withFolder } from '../../catalog/folder.ts';
import { withObjects } from './offerings.ts';

/** What lint says of an offering on a cluster. */

async function linesOf(config: JsonObject, more: object = {}): Promise<readonly string[]> {
  const offering = {
    ...anOffering({
      provisioner: 'kubernetes',
      config,
      credentials: {},
      plans: [aPlan({ with: { size: '1Gi' } })],
      secrets: { admin: {}, password: { per: 'binding' } },
      parameters: { eviction: { type: 'string', default: 'none' } },
      ...more,
    }),
  };
  return withFolder({ 'one.yaml': offering }, async (directory) => {
    const { problems } = await loadCatalog([directory], { kubernetes: traits });
    return problems.filter(isError).map(({ path, reason }) => `${path}: ${reason}`);
  });
}

const cluster = {
  apiVersion: 'postgresql.cnpg.io/v1',
  kind: 'Cluster',
  metadata: { name: 'db' },
  spec: { storage: { size: '{{plan.size}}' }, note: '{{params.eviction}}' },
};
const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } };

test('An offering on a cluster may say all there is to say.', async () => {
  const config = withObjects({
    db: {
      ...cluster,
      ready: [{ condition: 'Ready' }, { path: 'status.phase', equals: 'well' }],
      failed: [{ path: 'status.phase', in: ['lost'], text: 'status.message' }],
      stop: { metadata: { annotations: { 'cnpg.io/hibernation': 'on' } } },
      ignore: ['spec.replicas'],
      after: ['redis'],
    },
  });
  const exec = [
    { unit: 'redis', run: ['redis-cli'], send: 'AUTH {{secrets.admin}}\n{{secrets.password}}', expect: 'OK' },
  ];
  const bind = {
    objects: { own: { ...map, metadata: { name: '{{binding.key}}' }, data: { of: '{{objects.db.name}}' } } },
    exec,
  };
  expect(
    await linesOf(
      {
        ...config,
        cluster: 'main',
        pod_security: 'baseline',
        quota: { pods: 10 },
        limits: [{ type: 'Container', default: { memory: '{{plan.size}}' } }],
        allow_from: [{ namespaces: { a: '' } }, { cidr: '10.0.0.0/8' }],
        units: { redis: { container: 'redis' }, db: { pods: { 'cnpg.io/cluster': 'db' } } },
        bind,
        unbind: { exec },
      },
      { credentials: { host: '{{read.admin}}.{{namespace}}', at: '{{cluster.name}} {{objects.redis.uid}}' } },
    ),
  ).toEqual([]);
});

test.each<readonly [rule: string, config: JsonObject, more: object, line: string]>([
  [
    'a custom kind says when it is ready',
    withObjects({ db: cluster }),
    {},
    'config.objects.db: The value must be of a kind whose readiness is known, or say `ready`: exists, or a list of conditions.',
  ],
  [
    'a kind of another group that is called like one of the cluster is a custom one',
    withObjects({ one: { ...map, apiVersion: 'apps.example.com/v1', kind: 'Deployment' } }),
    {},
    'config.objects.one: The value must be of a kind whose readiness is known, or say `ready`: exists, or a list of conditions.',
  ],
  [
    'kinds of the whole cluster are refused',
    withObjects({ role: { ...map, kind: 'ClusterRole', ready: 'exists' } }),
    {},
    'config.objects.role.kind: The value must be a kind in a namespace such as Deployment.',
  ],
  [
    'a kind is the same for all instances',
    withObjects({ one: { ...map, kind: '{{plan.size}}', ready: 'exists' } }),
    { plans: [aPlan({ with: { size: 'ConfigMap' } })] },
    'config.objects.one.kind: No template is filled here: what stands here is the same for every instance.',
  ],
  [
    'a reference leads somewhere',
    withObjects({ one: { ...map, data: { a: '{{objects.reddis.name}}' } } }),
    {},
    "config.objects.one.data.a: {{objects.reddis.name}}: config.objects has no 'reddis'. Did you mean 'redis'?",
  ],
  [
    'only what is known of an object is used',
    withObjects({ one: { ...map, data: { a: '{{objects.redis.status}}' } } }),
    {},
    'config.objects.one.data.a: {{objects.redis.status}}: There are: name, uid.',
  ],
  [
    'what is read is not known before all is ready',
    withObjects({ one: { ...map, data: { a: '{{read.admin}}' } } }),
    {},
    'config.objects.one.data.a: {{read.admin}}: It is not known yet where this is filled.',
  ],
  [
    'an order has no circle',
    withObjects({
      one: { ...map, after: ['two'] },
      two: { ...map, metadata: { name: 'two' }, data: { a: '{{objects.one.name}}' } },
    }),
    {},
    'config.objects.one: It comes after itself: one after two after one.',
  ],
  [
    'an order names objects',
    withObjects({ one: { ...map, after: ['redes'] } }),
    {},
    "config.objects.one.after[0]: config.objects has no 'redes'. Did you mean 'redis'?",
  ],
  [
    'a secret is sent, and not an argument',
    {
      ...withObjects({}),
      bind: { exec: [{ unit: 'redis', run: ['redis-cli', '-a', '{{secrets.admin}}'] }] },
    },
    {},
    'config.bind.exec[0].run[2]: {{secrets.admin}}: A secret on a command line is seen by everybody on the machine.',
  ],
  [
    'what was read is no argument either',
    { ...withObjects({}), bind: { exec: [{ unit: 'redis', run: ['redis-cli', '{{read.admin}}'] }] } },
    {},
    'config.bind.exec[0].run[1]: {{read.admin}}: It may be a secret, and others read what stands on a command line.',
  ],
  [
    'what is in a namespace that goes is not kept',
    withObjects({ one: { ...map, keep: true } }),
    {},
    'config: The value must be with `namespace: own` without objects that say `keep`, for they go with their namespace.',
  ],
  [
    'the namespace is the broker’s matter',
    withObjects({ one: { ...map, metadata: { name: 'one', namespace: 'kube-system' } } }),
    {},
    'config.objects.one.metadata.namespace: The value does not have an allowed form.',
  ],
  [
    'a secret of a binding is in no object of the instance',
    withObjects({ one: { ...map, data: { a: '{{secrets.password}}' } } }),
    {},
    'config.objects.one.data.a: {{secrets.password}}: It belongs to one binding, and this place to the instance.',
  ],
])(
  'An offering on a cluster is refused where it does not keep to this: %s.',
  async (_rule, config, more, line) => {
    expect(await linesOf(config, more)).toEqual([line]);
  },
);

test('What is on a cluster is restarted by the cluster, unless the offering says how often the broker does it.', async () => {
  const restarts = async (monitor: object | undefined) =>
    withFolder(
      {
        'one.yaml': anOffering({
          provisioner: 'kubernetes',
          config: withObjects({}),
          secrets: {},
          credentials: {},
          ...(monitor && { monitor }),
        }),
      },
      async (directory) => {
        const { catalog } = await loadCatalog([directory], { kubernetes: traits });
        return catalog?.offerings[0]?.plans[0]?.operating.monitor.restart;
      },
    );
  expect([
    await restarts(undefined),
    await restarts({ every: '5s' }),
    await restarts({ restart: 2 }),
  ]).toEqual([0, 0, 2]);
});
