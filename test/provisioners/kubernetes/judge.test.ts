import { judge } from '../../../src/provisioners/kubernetes/rules/judge.ts';
import { judgedKinds } from '../../../src/provisioners/kubernetes/rules/judged-kinds.ts';
import type { Beside, Declared } from '../../../src/provisioners/kubernetes/rules/verdict.ts';
import type { ClusterObject } from '../../../src/provisioners/kubernetes/cluster.ts';
import { ago, condition, now, object } from './states.ts';

type Row = readonly [what: string, object: ClusterObject, means: string, beside?: Partial<Beside>];

function told(one: ClusterObject, declared: Declared = {}, beside: Partial<Beside> = {}): string {
  const verdict = judge(one, declared, { now, ...beside });
  return 'reason' in verdict ? `${verdict.state}: ${verdict.reason}` : verdict.state;
}

const service = (spec: object, status: object = {}) => object('v1', 'Service', { spec, status });
const claim = (phase: string, seconds = 10) =>
  object('v1', 'PersistentVolumeClaim', { metadata: { creationTimestamp: ago(seconds) }, status: { phase } });

const others: readonly Row[] = [
  ['a claim with a volume', claim('Bound'), 'ready'],
  ['a claim without a volume', claim('Pending'), 'waiting: has no volume yet'],
  ['a claim without a volume for long', claim('Pending', 301), 'failed: has no volume yet'],
  [
    'a claim that its first pod binds',
    claim('Pending', 301),
    'ready',
    {
      storageClass: object('storage.k8s.io/v1', 'StorageClass', {
        volumeBindingMode: 'WaitForFirstConsumer',
      }),
    },
  ],
  ['a claim whose volume is lost', claim('Lost'), 'failed: has lost its volume'],
  ['a Service', service({ type: 'ClusterIP' }), 'ready'],
  [
    'a LoadBalancer without an address',
    service({ type: 'LoadBalancer' }, { loadBalancer: {} }),
    'waiting: has no address of a load balancer yet',
  ],
  [
    'a LoadBalancer with an address',
    service({ type: 'LoadBalancer' }, { loadBalancer: { ingress: [{ hostname: 'a.example' }] } }),
    'ready',
  ],
  ['an Ingress of which nothing reads', object('networking.k8s.io/v1', 'Ingress'), 'ready'],
  [
    'a disruption budget',
    object('policy/v1', 'PodDisruptionBudget', { status: { observedGeneration: 2 } }),
    'ready',
  ],
  [
    'a disruption budget that nobody has looked at',
    object('policy/v1', 'PodDisruptionBudget'),
    'waiting: was not looked at yet',
  ],
  ['a CronJob', object('batch/v1', 'CronJob'), 'ready'],
  ['an autoscaler', object('autoscaling/v2', 'HorizontalPodAutoscaler'), 'ready'],
  ['a Secret', object('v1', 'Secret'), 'ready'],
  [
    'a Secret that is being removed',
    object('v1', 'Secret', { metadata: { deletionTimestamp: ago(3), finalizers: ['a.example/x', 'b'] } }),
    'waiting: is being removed, and waits for a.example/x, b',
  ],
  [
    'a custom resource of which nothing is said',
    object('example.com/v1', 'Thing'),
    'waiting: has no condition Ready yet',
  ],
  [
    'a custom resource that is ready',
    object('example.com/v1', 'Thing', { status: { conditions: [condition('Ready', 'True')] } }),
    'ready',
  ],
  [
    'a custom resource that is not ready',
    object('example.com/v1', 'Thing', {
      status: { conditions: [condition('Ready', 'False', 'Busy', 'makes\n  a disk')] },
    }),
    'waiting: its condition Ready is False (Busy: makes a disk)',
  ],
  [
    'a custom resource that was changed',
    object('example.com/v1', 'Thing', {
      status: { observedGeneration: 1, conditions: [condition('Ready', 'True')] },
    }),
    'waiting: was changed, and its controller has not seen that yet',
  ],
  [
    'a condition of an older generation',
    object('example.com/v1', 'Thing', {
      status: { conditions: [{ ...condition('Ready', 'True'), observedGeneration: 1 }] },
    }),
    'waiting: has no condition Ready yet',
  ],
  [
    'a custom resource that is stalled',
    object('example.com/v1', 'Thing', {
      status: { conditions: [condition('Stalled', 'True', 'Bad', 'no disk')] },
    }),
    'failed: is stalled (Bad: no disk)',
  ],
  [
    'a custom resource at work',
    object('example.com/v1', 'Thing', { status: { conditions: [condition('Reconciling', 'True', 'New')] } }),
    'waiting: is being worked on (New)',
  ],
];

test.each(others.map((row) => ({ what: row[0], row })))(
  'The judge of readiness finds out how it is with $what.',
  ({ row: [, one, means, beside] }) => {
    expect(told(one, {}, beside)).toBe(means);
  },
);

const cluster = (status: object, metadata: object = {}) =>
  object('postgresql.cnpg.io/v1', 'Cluster', { metadata, status });
const cnpg: Declared = {
  ready: [{ condition: 'Ready' }, { path: 'status.phase', equals: 'Cluster in healthy state' }],
  failed: [{ path: 'status.phase', in: ['Invalid cluster definition'], text: 'status.phaseReason' }],
};
const well = { phase: 'Cluster in healthy state', conditions: [condition('Ready', 'True')] };

const declared: readonly (readonly [string, ClusterObject, Declared, string, Partial<Beside>?])[] = [
  ['all hold', cluster(well), cnpg, 'ready'],
  [
    'one does not',
    cluster({ ...well, phase: 'Setting up primary' }),
    cnpg,
    'waiting: status.phase is "Setting up primary"',
  ],
  ['nothing is there yet', cluster({}), cnpg, 'waiting: has no condition Ready yet'],
  [
    'one says that it has failed',
    cluster({ phase: 'Invalid cluster definition', phaseReason: 'no' }),
    cnpg,
    'failed: no',
  ],
  [
    'one says so and has no text',
    cluster({ phase: 'Invalid cluster definition' }),
    cnpg,
    'failed: status.phase is "Invalid cluster definition"',
  ],
  [
    'nothing came of a change yet',
    cluster(well),
    cnpg,
    'waiting: was changed, and nothing has come of it yet',
    { appliedVersion: '7', since: new Date(ago(9)) },
  ],
  [
    'the status was written after a change',
    cluster(well),
    cnpg,
    'ready',
    { appliedVersion: '6', since: new Date(ago(1)) },
  ],
  [
    'nothing has come of a change in 10 s',
    cluster(well),
    cnpg,
    'ready',
    { appliedVersion: '7', since: new Date(ago(10)) },
  ],
  [
    'it need only be there',
    cluster({}),
    { ready: 'exists' },
    'ready',
    { appliedVersion: '7', since: new Date(ago(1)) },
  ],
  [
    'a number is too small',
    cluster({ instances: 1 }),
    { ready: [{ path: 'status.instances', at_least: 2 }] },
    'waiting: status.instances is 1',
  ],
  [
    'a number is large enough',
    cluster({ instances: 2 }),
    { ready: [{ path: 'status.instances', at_least: 2 }] },
    'ready',
  ],
  [
    'something must be there',
    cluster({ host: '' }),
    { ready: [{ path: 'status.host', present: true }] },
    'waiting: status.host is not there yet',
  ],
  [
    'something must be gone',
    cluster({ host: 'x' }),
    { ready: [{ path: 'status.host', present: false }] },
    'waiting: status.host is "x"',
  ],
  [
    'a role is not applied',
    cluster({ applied: false, message: 'owns tables' }),
    { failed: [{ path: 'status.applied', equals: false, text: 'status.message' }] },
    'failed: owns tables',
  ],
  [
    'an Ingress is read from',
    object('networking.k8s.io/v1', 'Ingress'),
    { read: true },
    'waiting: has no address yet',
  ],
  [
    'a Service has no endpoint',
    service({}),
    { ready: 'endpoints' },
    'waiting: has no pod behind it that is ready',
    {
      endpoints: [
        object('discovery.k8s.io/v1', 'EndpointSlice', { endpoints: [{ conditions: { ready: false } }] }),
      ],
    },
  ],
  [
    'a Service has an endpoint',
    service({}),
    { ready: 'endpoints' },
    'ready',
    { endpoints: [object('discovery.k8s.io/v1', 'EndpointSlice', { endpoints: [{ conditions: {} }] })] },
  ],
  [
    'a Service has an endpoint of an old server',
    service({}),
    { ready: 'endpoints' },
    'ready',
    { endpoints: [object('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.0.0.1' }] }] })] },
  ],
];

test.each(declared.map((row) => ({ what: row[0], row })))(
  'Readiness as an offering declares it is judged when $what.',
  ({ row: [, one, says, means, beside] }) => {
    expect(told(one, says, beside)).toBe(means);
  },
);

test('Kinds whose readiness is known are those of a group, whatever other groups call theirs.', () => {
  const kinds = new Map(judgedKinds());
  expect(kinds.get('apps')).toEqual(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']);
  expect(kinds.get('')).toContain('Secret');
  expect(kinds.get('example.com')).toBeUndefined();
});
