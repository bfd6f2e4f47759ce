import type { JsonObject } from '../../../src/broker/json.ts';
import { pathProblem, readPath } from '../../../src/provisioners/kubernetes/rules/paths.ts';
import { orderProblem, wavesOf, type Ordered } from '../../../src/provisioners/kubernetes/rules/waves.ts';
import {
  applySetId,
  applySetParent,
  applySetProblem,
  kindsOfApplySet,
  unionOfKinds,
} from '../../../src/provisioners/kubernetes/rules/apply-set.ts';
import { hangingPod } from '../../../src/provisioners/kubernetes/rules/pods.ts';
import {
  needsOfPlan,
  pluralOf,
  rulesOf,
  type Wants,
} from '../../../src/provisioners/kubernetes/rules/needs.ts';
import { missingRights } from '../../../src/provisioners/kubernetes/rules/rights.ts';
import { ago, now, pod, statefulSet } from './states.ts';

const read = {
  metadata: { annotations: { 'a.b/c': 'x' } },
  spec: { ports: [{ name: 'main', port: 6379 }] },
  status: { phase: 'Active', conditions: [{ type: 'Ready', status: 'True' }] },
};

test.each([
  ['status.phase', 'Active'],
  ['spec.ports[0].port', 6379],
  ['spec.ports[1].port', undefined],
  ['status.conditions[type=Ready].status', 'True'],
  ['status.conditions[type=Other].status', undefined],
  ['metadata.annotations["a.b/c"]', 'x'],
  ['spec.ports[name=main].port', 6379],
  ['spec.ports.port', undefined],
  ['status.phase.length', undefined],
  ['status.constructor', undefined],
])('The path %s leads to %j.', (path, value) => {
  expect(pathProblem(path)).toBeUndefined();
  expect(readPath(read, path)).toBe(value);
});

test.each([
  '',
  '.status',
  'status.',
  'status..phase',
  'ports[x]',
  'ports[-1]',
  'a["b]',
  'a[b=c',
  'a[0]b',
  '$(id)',
])('The path %j is refused by a sentence.', (path) => {
  expect(pathProblem(path)).toMatch(/^'.*' is no path such as status\.phase, /);
  expect(readPath(read, path)).toBeUndefined();
});

function ordered(
  name: string,
  kind: string,
  after: readonly string[] = [],
  mentions: readonly string[] = [],
): Ordered {
  return { name, apiVersion: 'v1', kind, after, mentions };
}

test('Objects come in waves by what they mention and come after, and within a wave by their kinds.', () => {
  const objects = [
    ordered('role', 'DatabaseRole', ['db']),
    ordered('db', 'Cluster', [], ['auth']),
    ordered('web', 'Deployment'),
    ordered('service', 'Service'),
    ordered('auth', 'Secret'),
    ordered('account', 'ServiceAccount'),
    ordered('other', 'Thing'),
    ordered('conf', 'ConfigMap', ['db'], ['auth']),
  ];
  const waves = [['account', 'auth', 'service', 'web', 'other'], ['db'], ['conf', 'role']];
  expect(wavesOf(objects)).toEqual(waves);
  expect(wavesOf(objects.toReversed())).toEqual(waves);
});

test('Objects without an order are told by their names.', () => {
  const circle = [
    ordered('a', 'Secret', ['c']),
    ordered('b', 'Secret', ['a']),
    ordered('c', 'Secret', [], ['b']),
  ];
  expect(orderProblem(circle)).toBe('objects come after each other in a circle: a after c after b after a');
  expect(orderProblem([ordered('a', 'Secret', [], ['a'])])).toMatch(/circle: a after a$/);
  expect(orderProblem([ordered('a', 'Secret', ['x'])])).toBe('a comes after x, which is none of the objects');
  expect(() => wavesOf(circle)).toThrow('in a circle');
});

const place = { name: 'purveyor', namespace: 'p1' };
const kinds = [
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
];

test('The id of a set is the one that kubectl computes for its parent.', () => {
  // printf purveyor.p1.Secret. | openssl dgst -sha256 -binary | basenc --base64url
  expect(applySetId(place)).toBe('applyset-cDJj6dSp4g9fBifapp-whIaDJN-dEAYP9G2PiqZntCI-v1');
});

test('The parent of a set names its kinds for other tools, and with their versions for us.', () => {
  const parent = applySetParent(place, { version: '1.2', kinds, namespaces: ['p2', 'p1', 'p2'] });
  expect(parent.metadata).toEqual({
    ...place,
    labels: { 'applyset.kubernetes.io/id': applySetId(place) },
    annotations: {
      'applyset.kubernetes.io/tooling': 'purveyor/1.2',
      'applyset.kubernetes.io/contains-group-kinds': 'Secret,StatefulSet.apps',
      'applyset.kubernetes.io/additional-namespaces': 'p2',
      'purveyor.io/kinds': 'apps/v1/StatefulSet,v1/Secret',
    },
  });
  expect(kindsOfApplySet(parent)).toEqual(kinds.toReversed());
});

test('A set that changes has the kinds of before and of now, each once, until it shrinks.', () => {
  const before = kindsOfApplySet(applySetParent(place, { version: '1', kinds })) ?? [];
  const wanted = [{ apiVersion: 'apps/v1', kind: 'StatefulSet' }];
  const union = unionOfKinds(before, wanted);
  expect(union).toEqual(kinds.toReversed());
  expect(kindsOfApplySet(applySetParent(place, { version: '1', kinds: union }))).toEqual(kinds.toReversed());
  expect(kindsOfApplySet(applySetParent(place, { version: '1', kinds: wanted }))).toEqual(wanted);
  expect(kindsOfApplySet(applySetParent(place, { version: '1', kinds: [] }))).toEqual([]);
});

test('A parent of another tool, of nobody, or of another set is not taken.', () => {
  const own = applySetParent(place, { version: '1', kinds });
  const secret = (metadata: object) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...place, ...metadata },
  });
  const kubectl = secret({ annotations: { 'applyset.kubernetes.io/tooling': 'kubectl/v1.30' } });
  expect(applySetProblem(own, place)).toBeUndefined();
  expect(applySetProblem(kubectl, place)).toBe('p1/purveyor belongs to kubectl/v1.30');
  expect(applySetProblem(secret({}), place)).toBe('p1/purveyor exists and is not of this broker');
  expect(applySetProblem(own, { ...place, namespace: 'p2' })).toBe(
    'p2/purveyor is the parent of another set',
  );
  expect(kindsOfApplySet(kubectl)).toBeUndefined();
});

test('An update of a StatefulSet hangs at a pod of an older revision that does not get ready for a minute.', () => {
  const stuck = pod({ revision: 'db-1', seconds: 60 });
  const find = (spec: object, one = stuck, status = {}) =>
    hangingPod(statefulSet(spec, status), { now, pods: [one] });
  expect(find({})).toBe(stuck);
  expect(find({}, stuck, { observedGeneration: 1 })).toBeUndefined();
  expect(find({}, pod({ revision: 'db-1', seconds: 59 }))).toBeUndefined();
  expect(find({}, pod({ revision: 'db-2', seconds: 90 }))).toBeUndefined();
  expect(find({}, pod({ revision: 'db-1', seconds: 90, ready: true }))).toBeUndefined();
  expect(find({ podManagementPolicy: 'Parallel' })).toBeUndefined();
  expect(find({ updateStrategy: { type: 'OnDelete' } })).toBeUndefined();
  expect(find({ updateStrategy: { rollingUpdate: { partition: 1 } } })).toBeUndefined();
  expect(hangingPod(statefulSet({}, {}), { now, since: new Date(ago(30)), pods: [stuck] })).toBeUndefined();
});

test('Rights that are missing are told by verb and resource.', () => {
  const rules = {
    resourceRules: [
      { verbs: ['get', 'list'], apiGroups: ['apps'], resources: ['*'] },
      { verbs: ['*'], apiGroups: [''], resources: ['secrets', '*/exec'] },
      { verbs: ['patch'], apiGroups: ['apps'], resources: ['statefulsets'], resourceNames: ['one'] },
    ] as JsonObject[],
  };
  const needs = [
    { group: 'apps', resource: 'statefulsets', verbs: ['get', 'patch'] },
    { group: '', resource: 'secrets', verbs: ['delete'] },
    { group: '', resource: 'pods/exec', verbs: ['create'] },
    { group: '', resource: 'pods/log', verbs: ['get'] },
  ];
  expect(missingRights(rules, needs)).toEqual(['patch statefulsets.apps', 'get pods/log']);
  expect(missingRights({ ...rules, incomplete: true }, needs)).toEqual([]);
  expect(missingRights({}, needs)).toHaveLength(5);
});

const nothing = {
  space: {},
  objects: {},
  read: {},
  units: {},
  bind: { objects: {}, read: {}, exec: [] },
  unbind: { exec: [] },
};

function rulesFor(wants: Partial<Wants>, isOwn: boolean, hasExec = false): readonly string[] {
  const { within, beside } = needsOfPlan(
    { ...nothing, ...wants },
    isOwn,
    (kind) => pluralOf(kind).plural,
    hasExec,
  );
  return rulesOf([...within, ...beside]).map(
    ({ apiGroups, resources, verbs }) => `${apiGroups.join()} ${resources.join()}: ${verbs.join()}`,
  );
}

test('An offering without objects of its own needs what its namespace takes, and nothing of the rest.', () => {
  expect(rulesFor({}, true)).toEqual([
    ' namespaces,secrets: get,list,create,patch,delete',
    ' persistentvolumeclaims,pods: list,delete',
    ' serviceaccounts: get,create,patch',
    'networking.k8s.io networkpolicies: get,create,patch',
  ]);
  expect(rulesFor({}, false)).toEqual([
    ' persistentvolumeclaims,pods: list,delete',
    ' secrets: get,list,create,patch,delete',
  ]);
});

test('Rights follow from the kinds of an offering, from what it reads and runs, and from its quota and limits.', () => {
  const wants = {
    objects: {
      db: { apiVersion: 'postgresql.cnpg.io/v1', kind: 'Cluster' },
      web: { apiVersion: 'v1', kind: 'Service', ready: 'endpoints' },
      disk: { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
    },
    read: { host: { of: 'web' }, port: { of: { apiVersion: 'v1', kind: 'ConfigMap' } } },
    units: { db: {} },
    bind: { ...nothing.bind, exec: [{}] },
    space: { quota: { pods: '1' }, limits: [] },
  };
  expect(rulesFor(wants, true)).toEqual([
    ' configmaps,endpoints,pods/log: get',
    ' limitranges,resourcequotas,serviceaccounts: get,create,patch',
    ' namespaces,persistentvolumeclaims,secrets,services: get,list,create,patch,delete',
    ' pods: list,delete',
    ' pods/exec: get,create',
    'networking.k8s.io networkpolicies: get,create,patch',
    'postgresql.cnpg.io clusters: get,list,create,patch,delete',
    'storage.k8s.io storageclasses: get',
  ]);
  expect(rulesFor({}, false, true)).toContain(' pods/exec: get,create');
});

test.each([
  ['v1', 'Endpoints', 'endpoints', false],
  ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', false],
  ['networking.k8s.io/v1', 'Ingress', 'ingresses', false],
  ['example.com/v1', 'Gateway', 'gateways', true],
  ['redis.redis.opstreelabs.in/v1beta2', 'Redis', 'redis', false],
])(
  'In roles, of %s a %s is one of the %s; whether that is a guess: %s.',
  (apiVersion, kind, plural, isGuess) => {
    expect(pluralOf({ apiVersion, kind })).toEqual({ plural, isGuess });
  },
);
