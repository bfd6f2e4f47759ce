import type { JsonObject } from '../../../src/broker/json.ts';
import { createClusters } from '../../../src/provisioners/kubernetes/client/clusters.ts';
import { kubernetes } from '../../../src/provisioners/kubernetes/index.ts';
import { aPlan, anOffering, withFolder } from '../../catalog/folder.ts';
import { describeWithCluster } from '../../support/cluster/binaries.ts';
import { auditLines, kubectl, startCluster, type TestCluster } from '../../support/cluster/start-cluster.ts';
import { runProgram } from '../../support/run-program.ts';
import { carry, workOf } from './carry.ts';
import { withImage, withObjects } from './offerings.ts';

/** What `catalog rbac` prints, applied to a real API server, and a broker that has no other rights. */

const login = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: '{{binding.key}}' },
  stringData: { password: '{{secrets.password}}' },
};
const init = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'init' },
  spec: {
    template: {
      metadata: { labels: { app: 'init' } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'init', image: 'init:1' }] },
    },
  },
};
const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'more' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};
const config = {
  ...withObjects({ redis: withImage('redis:7'), init, claim }),
  bind: { objects: { login }, read: { password: { of: 'login', path: 'data.password', decode: 'base64' } } },
};
const bounds = { quota: { pods: 5 }, limits: [{ type: 'Container', default: { memory: '1Gi' } }] };

describeWithCluster()('In a real API server,', () => {
  let real: TestCluster;
  beforeAll(async () => {
    real = await startCluster();
    kubectl(real.kubeconfig, ['create', 'namespace', 'shared']);
  }, 240_000);
  afterAll(() => real?.close());

  it.each<readonly [where: string, account: string, config: JsonObject]>([
    ['a namespace of its own', 'own', { ...config, ...bounds, namespace: 'own' }],
    ['a namespace that others are in', 'sharing', { ...config, namespace: 'shared' }],
  ])(
    'A broker with the roles that `catalog rbac` prints, and no other rights, makes an instance in %s, binds, changes, stops, starts and removes it.',
    async (_where, account, own) => {
      const plan = aPlan({ name: account });
      const secrets = { admin: { length: 24 }, password: { per: 'binding', length: 24 } };
      const making = { provisioner: 'kubernetes', secrets, config: own, credentials: {} };
      const offering = anOffering({ ...making, plans: [plan] });
      const printed = await withFolder({ 'one.yaml': offering }, (directory) => {
        const words = ['catalog', 'rbac', '--service-account', `brokers:${account}`];
        return runProgram(words, { CATALOG_DIR: directory }).ended;
      });
      expect(printed).toMatchObject({ errors: '', code: 0 });
      kubectl(real.kubeconfig, ['apply', '-f', '-'], printed.output);

      const as = `system:serviceaccount:brokers:${account}`;
      const user = { token: real.tokens.admin, as };
      const clusters = createClusters({ clusterConfigs: { KUBERNETES_CONFIG: real.kubeconfigOf(user) } });
      const provisioner = kubernetes({ clusters, installation: async () => account });
      const given = { id: account, config: own };
      const { made } = await carry(provisioner, 'provision', workOf(given));
      const facts = made.facts ?? {};
      const bound = await carry(provisioner, 'bind', workOf({ ...given, facts, binding: 'b1' }));
      const next = {
        ...own,
        ...withObjects({ redis: withImage('redis:8'), claim }),
        bind: own['bind'] ?? {},
      };
      const changed = { ...next, namespace: own['namespace'] ?? '' };
      const updated = await carry(provisioner, 'update', workOf({ ...given, config: changed, facts }));
      const now = { ...given, config: changed, facts: updated.made.facts ?? {} };
      for (const deed of ['stop', 'start', 'restart'] as const)
        await carry(provisioner, deed, workOf({ ...now, stopped: deed === 'start' }));
      expect(await provisioner.units?.inspect(workOf(now))).toMatchObject([{ answer: 'ready' }]);
      const bindingFacts = bound.made.facts ?? {};
      await carry(provisioner, 'unbind', workOf({ ...now, binding: 'b1', bindingFacts }));
      await carry(provisioner, 'deprovision', workOf(now));
      await provisioner.close?.();
      const asked = auditLines(real).filter((line) => line.includes(as));
      expect(asked.length).toBeGreaterThan(50);
      expect(asked.filter((line) => line.includes('"code":403'))).toEqual([]);
    },
    240_000,
  );
});
