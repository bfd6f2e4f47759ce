import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/broker/json.ts';
import { memberOf } from '../../../src/broker/json.ts';
import type { Provisioner } from '../../../src/broker/provisioner.ts';
import { createClusters } from '../../../src/provisioners/kubernetes/client/clusters.ts';
import { kubernetes } from '../../../src/provisioners/kubernetes/index.ts';
import { describeWithCluster } from '../../support/cluster/binaries.ts';
import { startCluster, type TestCluster } from '../../support/cluster/start-cluster.ts';
import { runProgram } from '../../support/run-program.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { carry, keyOfWork, workOf } from './carry.ts';
import { withImage, withObjects } from './offerings.ts';

/** The life of instances in a real API server, with its controllers; what kubelets do is done by a stand-in. */

const login = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: '{{binding.key}}' },
  stringData: { password: '{{secrets.password}}' },
};
const last = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'last' },
  data: { of: '{{objects.redis.uid}}' },
};
const bind = {
  objects: { login },
  read: { password: { of: 'login', path: 'data.password', decode: 'base64' } },
};
const config = { ...withObjects({ redis: withImage('redis:7'), last }), quota: { pods: 10 }, bind };

describeWithCluster()('In a real API server,', () => {
  let real: TestCluster;
  let clusters: ReturnType<typeof createClusters>;
  let provisioner: Provisioner;
  beforeAll(async () => {
    real = await startCluster();
    clusters = createClusters({ clusterConfigs: { KUBERNETES_CONFIG: real.kubeconfig } });
    provisioner = kubernetes({ clusters, installation: async () => 'here' });
  }, 180_000);
  afterAll(async () => {
    await clusters?.close();
    await real?.close();
  });
  const find = async (path: string) => (await real.ask('GET', path)).status;

  it('A cluster is asked by `catalog lint` what it would answer to each plan, and nothing is made.', async () => {
    const lint = (...words: readonly string[]) =>
      runProgram(['catalog', 'lint', ...words], { KUBERNETES_CONFIG: real.kubeconfig }).ended;
    const shipped = await lint('catalog/kubernetes', '--cluster', 'default');
    const noKind = 'The cluster default does not know the kind Cluster of postgresql.cnpg.io/v1.';
    expect([shipped.code, shipped.output.trim().split('\n')]).toEqual([
      1,
      [`postgres-ha, plan single: ${noKind}`, `postgres-ha, plan ha: ${noKind}`],
    ]);
    const good = await lint('catalog/kubernetes/redis.yaml', '--cluster', 'default');
    expect([good.code, good.output]).toEqual([0, 'The catalog is good: 1 service, 2 plans.\n']);
    const place = scratchDirectory('lint');
    cpSync('catalog/kubernetes', place, { recursive: true });
    const bad = join(place, 'redis.yaml');
    writeFileSync(bad, readFileSync(bad, 'utf8').replace('replicas: 1', 'replicas: many'));
    const told = await lint(bad, '--cluster', 'default');
    expect([told.code, told.output]).toEqual([
      1,
      expect.stringMatching(/^redis-k8s, plan small: config\.objects\.redis: .*spec\.replicas/) as string,
    ]);
    const unknown = await lint('catalog/kubernetes', '--cluster', 'north');
    expect([unknown.code, unknown.errors]).toEqual([
      1,
      "purveyor: There is no cluster 'north'. There are: default.\n",
    ]);
    expect((await real.ask('GET', '/apis/apps/v1/namespaces/default/statefulsets')).body['items']).toEqual(
      [],
    );
  });

  it('An instance is made, bound, changed, stopped, started, and leaves nothing.', async () => {
    const id = 'life';
    const { made, did } = await carry(provisioner, 'provision', workOf({ id, config }));
    expect(did.slice(0, 3)).toEqual(['check', 'space', 'apply']);
    const facts = made.facts ?? {};
    expect(facts['read']).toEqual({ admin: 'open sesame' });
    const on = (more: object = {}) => workOf({ id, config, facts, ...more });
    const again = await carry(provisioner, 'provision', workOf({ id, config }));
    expect(again.made).toEqual(made);

    const bound = await carry(provisioner, 'bind', on({ binding: 'b1' }));
    expect(memberOf(bound.made.facts, 'read')).toEqual({ admin: 'open sesame', password: 'password-of-b1' });

    const next = { ...withObjects({ redis: withImage('redis:8'), auth: undefined }), read: {}, bind };
    const updated = await carry(provisioner, 'update', on({ config: next }));
    const namespace = `/api/v1/namespaces/${keyOfWork(on())}`;
    expect(await find(`${namespace}/secrets/redis-auth`)).toBe(404);
    expect(await find(`${namespace}/configmaps/last`)).toBe(404);
    const now = { config: next, facts: updated.made.facts ?? {} };
    expect(await provisioner.units?.inspect(on(now))).toMatchObject([{ unit: 'redis', answer: 'ready' }]);

    await carry(provisioner, 'stop', on(now));
    expect(await provisioner.units?.inspect(on({ ...now, stopped: true }))).toMatchObject([{ alive: false }]);
    await carry(provisioner, 'start', on({ ...now, stopped: true }));
    await carry(provisioner, 'restart', on(now));
    expect(await provisioner.units?.inspect(on(now))).toMatchObject([{ unit: 'redis', answer: 'ready' }]);

    await carry(provisioner, 'unbind', on({ ...now, binding: 'b1', bindingFacts: bound.made.facts ?? {} }));
    expect(await provisioner.inventory?.()).toMatchObject([{ key: keyOfWork(on()) }]);
    await carry(provisioner, 'deprovision', on(now));
    expect(await find(namespace)).toBe(404);
    expect(await provisioner.inventory?.()).toEqual([]);
  }, 240_000);

  it('An update that never gets ready or is refused is undone, and a removal needs no facts.', async () => {
    const id = 'undone';
    const { made } = await carry(provisioner, 'provision', workOf({ id, config }));
    const on = (next: JsonObject) => workOf({ id, config: next, facts: made.facts ?? {} });
    const wrong = withObjects({ redis: { ...withImage('redis:7'), spec: { replicas: 'many' } } });
    const noted = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'noted' } };
    const failing = { ...withObjects({ redis: withImage('redis:unknown'), noted }), bind };
    await expect(carry(provisioner, 'update', on(wrong))).rejects.toMatchObject({ word: 'not-taken' });
    const quick = on(failing);
    const operating = { ...quick.plan.operating, timeouts: { start: 2000 } };
    const work = { ...quick, plan: { ...quick.plan, operating } };
    await expect(carry(provisioner, 'update', work)).rejects.toMatchObject({
      word: 'not-ready',
      hints: { instanceUsable: true },
    });
    const space = keyOfWork(quick);
    expect(await find(`/api/v1/namespaces/${space}/configmaps/noted`)).toBe(404);
    expect(await provisioner.units?.inspect(on(config))).toMatchObject([{ answer: 'ready' }]);
    await carry(provisioner, 'deprovision', workOf({ id, config }));
    expect(await find(`/api/v1/namespaces/${space}`)).toBe(404);
  }, 240_000);

  it('In a shared namespace only what is of the instance goes, and a stranger’s object is left alone.', async () => {
    await real.ask('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'apps' },
    });
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'last' } };
    await real.ask('POST', '/api/v1/namespaces/apps/configmaps', theirs);
    const shared = { ...config, namespace: 'apps', quota: undefined } as unknown as JsonObject;
    const work = workOf({ id: 'shared', config: shared });
    let memo: unknown;
    const failed = carry(provisioner, 'provision', work, (reached) => void (memo = reached ?? memo));
    await expect(failed).rejects.toMatchObject({ word: 'taken' });
    await carry(provisioner, 'deprovision', { ...work, trace: memo as typeof work.trace });
    expect(await find('/api/v1/namespaces/apps/configmaps/last')).toBe(200);
    expect(await find('/apis/apps/v1/namespaces/apps/statefulsets/redis')).toBe(404);
    expect(await find('/api/v1/namespaces/apps/persistentvolumeclaims/data-redis-0')).toBe(404);
    expect(await find(`/api/v1/namespaces/apps/secrets/purveyor-${keyOfWork(work)}`)).toBe(404);
  }, 240_000);
});
