import { type JsonObject, memberOf } from '../../../src/broker/json.ts';
import { createClusters } from '../../../src/provisioners/kubernetes/client/clusters.ts';
import { kubernetes } from '../../../src/provisioners/kubernetes/index.ts';
import { describeWithCluster } from '../../support/cluster/binaries.ts';
import { listAll, type Listed } from '../../support/cluster/list-all.ts';
import { auditLines, startCluster, type TestCluster } from '../../support/cluster/start-cluster.ts';
import { describeProvisioner } from '../contract.ts';
import { carry, keyOfWork, workOf } from './carry.ts';
import { withImage, withObjects } from './offerings.ts';

/** What every provisioner keeps to, at a real API server, and where the secrets of instances stand there. */

const config = withObjects({ redis: withImage('redis:7') });

/** With secrets wherever an offering can have them in an object. */
function secretive(image: string): JsonObject {
  const auth = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'redis-auth' },
    stringData: { admin: '{{secrets.admin}}' },
  };
  const login = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: '{{binding.key}}' },
    stringData: { password: '{{secrets.password}}' },
  };
  return { ...withObjects({ auth, redis: withImage(image) }), bind: { objects: { login } } };
}

describeWithCluster()('At a real API server,', () => {
  let real: TestCluster;
  beforeAll(async () => {
    real = await startCluster();
  }, 240_000);
  afterAll(() => real?.close());
  const open = () => {
    const clusters = createClusters({ clusterConfigs: { KUBERNETES_CONFIG: real.kubeconfig } });
    return kubernetes({ clusters, installation: async () => 'here' });
  };

  describeProvisioner('the one of clusters', () => {
    const provisioner = open();
    return { provisioner, making: { config }, close: async () => provisioner.close?.() };
  });

  test('Secrets of instances and bindings stand in the data of Secrets alone: in no event, annotation, managed field or other object, and in no address or other word of the audit log.', async () => {
    const provisioner = open();
    const given = { id: 'secretive', config: secretive('redis:7'), secrets: { admin: 'canary-of-instance' } };
    const { made } = await carry(provisioner, 'provision', workOf(given));
    const facts = made.facts ?? {};
    const bound = await carry(provisioner, 'bind', workOf({ ...given, facts, binding: 'b1' }));
    // What is put back after a failure stands in the cluster, too.
    const failing = workOf({ ...given, config: secretive('redis:unknown'), facts });
    const operating = { ...failing.plan.operating, timeouts: { start: 2000 } };
    const update = carry(provisioner, 'update', { ...failing, plan: { ...failing.plan, operating } });
    await expect(update).rejects.toMatchObject({ word: 'not-ready' });
    const all = await listAll(real.ask);
    const bindingFacts = bound.made.facts ?? {};
    await carry(provisioner, 'unbind', workOf({ ...given, facts, binding: 'b1', bindingFacts }));
    await carry(provisioner, 'deprovision', workOf({ ...given, facts }));
    await provisioner.close?.();

    const key = keyOfWork(failing);
    const there = all.filter(({ item }) => memberOf(item, 'metadata')['namespace'] === key);
    const kinds = there.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['Event', 'Pod', 'StatefulSet', 'Secret']));
    expect(JSON.stringify(there)).toContain('managedFields');
    const data = there.filter(({ kind }) => kind === 'Secret').map(({ item }) => item['data'] ?? {});
    // They are there: elsewhere they would be seen as well.
    expect(canariesIn(data)).toEqual(canaries);
    expect(all.filter((one) => canariesIn(withoutSecretData(one)).length > 0)).toEqual([]);
    const lines = auditLines(real);
    expect(lines.filter((line) => line.includes(`/namespaces/${key}/secrets/`)).length).toBeGreaterThan(5);
    expect(lines.filter((line) => canariesIn(line).length > 0)).toEqual([]);
  }, 240_000);
});

const canaries = ['canary-of-instance', 'password-of-b1'];

/** As they are, or in base64. */
function canariesIn(value: unknown): readonly string[] {
  const text = JSON.stringify(value);
  const encoded = (canary: string) => Buffer.from(canary).toString('base64').replace(/=+$/, '');
  return canaries.filter((canary) => text.includes(canary) || text.includes(encoded(canary)));
}

function withoutSecretData({ kind, item: { data, ...item } }: Listed): JsonObject {
  return kind === 'Secret' ? item : { ...item, data: data ?? null };
}
