import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isObject, type Json, memberOf } from '../../../src/broker/json.ts';
import { createClusters } from '../../../src/provisioners/kubernetes/client/clusters.ts';
import type { Cluster, ClusterObject, Clusters } from '../../../src/provisioners/kubernetes/cluster.ts';
import { describeWithCluster } from '../../support/cluster/binaries.ts';
import { auditLines, startCluster, type TestCluster } from '../../support/cluster/start-cluster.ts';
import { until } from '../../support/until.ts';

/** The client against a real API server, its controllers, and a stand-in for kubelets. */

const signal = AbortSignal.timeout(600_000);
const otherUid = '11111111-1111-1111-1111-111111111111';

describeWithCluster()('A real API server', () => {
  let real: TestCluster;
  let clusters: Clusters;
  let cluster: Cluster;
  let made = 0;

  beforeAll(async () => {
    real = await startCluster();
    clusters = createClusters({ clusterConfigs: { KUBERNETES_CONFIG: real.kubeconfig } });
    cluster = requireCluster(clusters);
  }, 240_000);
  afterAll(async () => {
    await clusters?.close();
    await real?.close();
  });

  async function newSpace(): Promise<string> {
    const name = `space-${(made += 1)}`;
    await cluster.apply(object('Namespace', name), { force: false }, signal);
    return name;
  }
  /** As another user, for the length of the work. */
  async function as<Result>(user: object, work: (other: Cluster) => Promise<Result>): Promise<Result> {
    const others = createClusters({ clusterConfigs: { KUBERNETES_CONFIG: real.kubeconfigOf(user) } });
    try {
      return await work(requireCluster(others));
    } finally {
      await others.close();
    }
  }
  const apply = (what: ClusterObject, force = false) => cluster.apply(what, { force }, signal);

  test('An object is applied, found, listed by its labels and removed, and afterwards there is none.', async () => {
    const namespace = await newSpace();
    const config = object(
      'ConfigMap',
      'a',
      { namespace, labels: { 'purveyor.io/object': 'x' } },
      { data: { k: 'v' } },
    );
    const { metadata } = await apply(config);
    expect(await apply(config)).toMatchObject({ metadata: { resourceVersion: metadata['resourceVersion'] } });
    const address = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace };
    expect(await cluster.get(address, signal)).toMatchObject({
      data: { k: 'v' },
      metadata: { uid: metadata['uid'] },
    });
    const found = await cluster.list(address, { labels: { 'purveyor.io/object': 'x' } }, signal);
    expect(found).toMatchObject([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace } },
    ]);
    expect(await cluster.remove(address, otherUid, signal)).toBeUndefined();
    expect(await cluster.get(address, signal)).toBeDefined();
    await cluster.remove(address, textOf(metadata['uid']), signal);
    await until('it is gone', async () => (await cluster.get(address, signal)) === undefined);
    expect(await cluster.remove(address, undefined, signal)).toBeUndefined();
  });

  test('Texts arrive as they were meant, and a key that is left out of the stringData of a Secret goes.', async () => {
    const namespace = await newSpace();
    const text = 'a\u0085b\u007f\u2028\ufeff\ufffe😀</x>\n\t"\\\u0000';
    await apply(object('ConfigMap', 'a', { namespace, annotations: { text } }));
    const config = await cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace }, signal);
    expect(memberOf(config?.metadata, 'annotations')['text']).toBe(text);
    const secret = (stringData: Record<string, string>) =>
      object('Secret', 's', { namespace }, { stringData });
    await apply(secret({ old: 'x', kept: 'y' }));
    expect((await apply(secret({ kept: 'ä' })))['data']).toEqual({
      kept: Buffer.from('ä').toString('base64'),
    });
  });

  test('An object with another uid is neither made again nor taken over.', async () => {
    const namespace = await newSpace();
    const absent = object('ConfigMap', 'absent', { namespace, uid: otherUid });
    await expect(apply(absent, true)).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
    await apply(object('ConfigMap', 'there', { namespace }));
    const other = object('ConfigMap', 'there', { namespace, uid: otherUid });
    await expect(apply(other, true)).rejects.toMatchObject({ status: 422, reason: 'Invalid' });
  });

  test('What belongs to somebody else is a conflict that names them, until it is forced.', async () => {
    const namespace = await newSpace();
    const config = (value: string) => object('ConfigMap', 'a', { namespace }, { data: { k: value } });
    await cluster.apply(config('theirs'), { force: false, manager: 'somebody' }, signal);
    const error: unknown = await apply(config('ours')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 409, reason: 'Conflict' });
    expect((error as { causes: unknown[] }).causes).toMatchObject([
      { reason: 'FieldManagerConflict', field: '.data.k' },
    ]);
    expect(String(error)).toContain('somebody');
    expect(await apply(config('ours'), true)).toMatchObject({ data: { k: 'ours' } });
  });

  test('A dry run says what is wrong and makes nothing.', async () => {
    const namespace = await newSpace();
    const config = object('ConfigMap', 'a', { namespace });
    await cluster.apply(config, { force: false, dryRun: true }, signal);
    expect(
      await cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace }, signal),
    ).toBeUndefined();
  });

  test.each<[what: string, wrong: object, status: number, said: RegExp]>([
    ['field that there is not', { kind: 'ConfigMap', dato: {} }, 500, /\.dato: field not declared in schema/],
    [
      'value of another type',
      { kind: 'Service', spec: { ports: 'none' } },
      500,
      /failed to (?:create|convert)/,
    ],
    ['value in bad base64', { kind: 'Secret', data: { x: '***' } }, 500, /illegal base64/],
    ['text that is too long', { kind: 'ConfigMap', data: { x: 'x'.repeat(1_100_000) } }, 422, /Too long/],
    ['request that is too large', { kind: 'ConfigMap', data: { x: 'x'.repeat(3_500_000) } }, 413, /large/],
    [
      'namespace that there is not',
      { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'none' } },
      404,
      /namespaces "none" not found/,
    ],
  ])('An object with a %s is refused by the server in one way.', async (_what, wrong, status, said) => {
    const namespace = await newSpace();
    const { kind, ...others } = { kind: 'ConfigMap', metadata: { name: 'a', namespace }, ...wrong };
    const error: unknown = await apply({ apiVersion: 'v1', kind, ...others } as ClusterObject).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ status });
    expect(String(error)).toMatch(said);
  });

  test('Ports without a protocol are those of TCP, also at an old server.', async () => {
    const namespace = await newSpace();
    const service = object(
      'Service',
      'a',
      { namespace },
      { spec: { ports: [{ port: 6379 }], selector: { a: 'b' } } },
    );
    expect(await apply(service)).toMatchObject({ spec: { ports: [{ port: 6379, protocol: 'TCP' }] } });
  });

  test('A quota that is used up and a namespace that is going are refusals with their own marks.', async () => {
    const namespace = await newSpace();
    await apply(object('ResourceQuota', 'q', { namespace }, { spec: { hard: { configmaps: '1' } } }));
    const refusal = await until('the quota counts', async () =>
      apply(object('ConfigMap', `c-${(made += 1)}`, { namespace })).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(refusal).toMatchObject({ status: 403, reason: 'Forbidden' });
    expect(String(refusal)).toContain('exceeded quota');
    const held = object('ConfigMap', 'held', {
      namespace: await newSpace(),
      finalizers: ['example.com/hold'],
    });
    const { metadata } = await apply(held);
    const space = { apiVersion: 'v1', kind: 'Namespace', name: textOf(metadata['namespace']) };
    const going = await cluster.remove(space, undefined, signal);
    expect(going?.metadata['deletionTimestamp']).toBeDefined();
    const late = object('ConfigMap', 'late', { namespace: space.name });
    await expect(apply(late)).rejects.toMatchObject({
      status: 403,
      causes: [{ reason: 'NamespaceTerminating' }],
    });
    const address = { apiVersion: 'v1', kind: 'ConfigMap', name: 'held', namespace: space.name };
    await cluster.remove(address, undefined, signal);
    // Onto an object that is going it is applied without an error.
    expect((await apply({ ...held, data: { a: 'b' } }, true)).metadata['deletionTimestamp']).toBeDefined();
    await cluster.patch(address, { metadata: { finalizers: null } }, { manager: 'test' }, signal);
    await until('it is gone', async () => (await cluster.get(address, signal)) === undefined);
  });

  test('A kind is served as soon as it is defined, and no longer when its definition is gone.', async () => {
    const thing = { apiVersion: 'example.com/v1', kind: 'Thing' };
    expect(await cluster.served(thing, signal)).toBeUndefined();
    await expect(cluster.get({ ...thing, name: 'a' }, signal)).rejects.toMatchObject({
      status: 404,
      reason: 'NoKind',
    });
    const definition = await apply(definitionOfThings);
    const served = await until('it is served', () => cluster.served(thing, signal));
    expect(served).toMatchObject({ plural: 'things', namespaced: false });
    expect(await cluster.list(thing, { labels: {} }, signal)).toEqual([]);
    await apply({ ...thing, metadata: { name: 'a' }, spec: { size: 1 } });
    await cluster.remove(addressOf(definition), undefined, signal);
    await until('it is no longer served', () =>
      cluster.get({ ...thing, name: 'a' }, signal).then(
        () => undefined,
        (error: unknown) => isObject(error) || (error as { reason: string }).reason === 'NoKind',
      ),
    );
    expect(await cluster.served({ apiVersion: 'apps/v1', kind: 'StatefulSet' }, signal)).toMatchObject({
      plural: 'statefulsets',
      namespaced: true,
    });
  });

  test('A list of more than one page is whole.', async () => {
    const namespace = await newSpace();
    const labels = { many: 'yes' };
    const names = Array.from({ length: 510 }, (_, index) => `c-${index}`);
    await Promise.all(names.map((name) => apply(object('ConfigMap', name, { namespace, labels }))));
    const found = await cluster.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace, labels }, signal);
    expect(new Set(found.map(({ metadata }) => metadata['name']))).toEqual(new Set(names));
  });

  test('Who may do nothing is told what; who has a certificate is who it says; what one may do can be asked.', async () => {
    await as({ token: real.tokens.nobody }, async (nobody) => {
      await expect(nobody.identity(signal)).rejects.toMatchObject({ status: 403, reason: 'Forbidden' });
      const { resourceRules } = await nobody.rules('default', signal);
      expect(resourceRules).not.toContainEqual(expect.objectContaining({ resources: ['*'] }));
    });
    const rule: Json = { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] };
    const group = 'rbac.authorization.k8s.io';
    await apply({ ...object('ClusterRole', 'looker'), apiVersion: `${group}/v1`, rules: [rule] });
    await apply({
      ...object('ClusterRoleBinding', 'looker'),
      apiVersion: `${group}/v1`,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'looker' },
      subjects: [{ apiGroup: group, kind: 'User', name: 'test' }],
    });
    const { certFile, key } = real.clientPair;
    const pair = { 'client-certificate': certFile, 'client-key-data': Buffer.from(key).toString('base64') };
    await as(pair, async (looker) => {
      const uid = await until('the right is known', () => looker.identity(signal).catch(() => undefined));
      expect(uid).toBe(await cluster.identity(signal));
      expect((await looker.rules('default', signal))['resourceRules']).toContainEqual(rule);
    });
  });

  test('A token in a file is replaced while it is in use.', async () => {
    const tokenFile = join(dirname(real.kubeconfig), 'changing-token');
    writeFileSync(tokenFile, real.tokens.admin);
    await as({ tokenFile }, async (other) => {
      const uid = await other.identity(signal);
      writeFileSync(tokenFile, 'no-longer-known');
      // For a minute the one before is used, which is still good.
      expect(await other.identity(signal)).toBe(uid);
    });
    await as({ tokenFile }, async (other) => {
      await expect(other.identity(signal)).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' });
      writeFileSync(tokenFile, real.tokens.secondAdmin);
      expect(await other.identity(signal)).toBe(await cluster.identity(signal));
    });
  });

  test('A StatefulSet gets ready, and its foreground removal ends when its pods are gone.', async () => {
    const namespace = await newSpace();
    const labels = { app: 'a' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'example/a:1' }] } };
    const spec = { serviceName: 'a', replicas: 2, selector: { matchLabels: labels }, template };
    const set = await apply({ ...object('StatefulSet', 'a', { namespace }), apiVersion: 'apps/v1', spec });
    const address = addressOf(set);
    await until('it is ready', async () => {
      const status = memberOf(await cluster.get(address, signal), 'status');
      return status['readyReplicas'] === 2;
    });
    expect(await cluster.remove(address, textOf(set.metadata['uid']), signal)).toMatchObject({
      metadata: { finalizers: ['foregroundDeletion'] },
    });
    await until('it is gone', async () => (await cluster.get(address, signal)) === undefined);
    expect(await cluster.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labels }, signal)).toEqual([]);
  });

  test('A command in a pod that there is not, or without a kubelet behind it, is an error of the cluster.', async () => {
    const pod = { namespace: 'default', name: 'none' };
    await expect(cluster.exec(pod, { run: ['true'] }, signal)).rejects.toMatchObject({
      status: 404,
      reason: 'NotFound',
    });
    await expect(cluster.log(pod, { lines: 1 }, signal)).rejects.toMatchObject({
      status: 404,
      reason: 'NotFound',
    });
  });

  test('What runs the broker on a cluster is taken as it is, with the roles that its catalog needs.', async () => {
    const text = execFileSync('kubectl', ['kustomize', 'deploy/kubernetes']).toString();
    const deployed = parseAllDocuments(text).map((each) => each.toJS() as ClusterObject);
    expect(deployed.map(({ kind }) => kind).toSorted()).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
      'Deployment',
      'Namespace',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
    ]);
    for (const one of deployed) {
      // Kubernetes has had the budget as `v1` since 1.21.
      const isServed = await cluster.served(one, signal);
      const known = isServed ? one : { ...one, apiVersion: 'policy/v1beta1' };
      expect(await apply(known)).toMatchObject({ kind: one.kind, metadata: { name: 'purveyor' } });
    }
    const asked = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const path = '/api/v1/namespaces/purveyor/serviceaccounts/purveyor/token';
    const { body } = await real.ask('POST', path, asked);
    const token = memberOf(body, 'status')['token'];
    await as({ token: textOf(token) }, async (broker) => {
      expect(await broker.identity(signal)).toBe(await cluster.identity(signal));
      const applyAs = (what: ClusterObject) => broker.apply(what, { force: false }, signal);
      await applyAs(object('Namespace', 'of-an-instance'));
      await applyAs(object('Secret', 'auth', { namespace: 'of-an-instance' }));
      const role = { ...object('ClusterRole', 'more'), apiVersion: 'rbac.authorization.k8s.io/v1' };
      await expect(applyAs(role)).rejects.toMatchObject({ status: 403 });
    });
  });

  test('An API server that is killed does not answer, and is used again when it is back.', async () => {
    const uid = await cluster.identity(signal);
    await real.kill();
    await expect(cluster.identity(signal)).rejects.toThrow(
      'The cluster default does not answer (ECONNREFUSED).',
    );
    await real.restart();
    expect(await cluster.identity(signal)).toBe(uid);
  }, 240_000);

  test('The audit log of the API server knows neither a token nor what is in a Secret.', async () => {
    const lines = auditLines(real).join('\n');
    expect(lines).toContain('/api/v1/namespaces/space-1/configmaps/a?fieldManager=purveyor');
    for (const token of Object.values(real.tokens)) expect(lines).not.toContain(token);
  });
});

function requireCluster(clusters: Clusters): Cluster {
  const found = clusters.find();
  if (found) return found;
  throw new Error('There is no cluster.');
}

function object(kind: string, name: string, metadata: object = {}, others: object = {}): ClusterObject {
  return { apiVersion: 'v1', kind, metadata: { name, ...metadata }, ...others } as ClusterObject;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function addressOf({ apiVersion, kind, metadata: { name, namespace } }: ClusterObject) {
  return { apiVersion, kind, name: textOf(name), ...(typeof namespace === 'string' && { namespace }) };
}

const definitionOfThings: ClusterObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Cluster',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
      },
    ],
  },
};
