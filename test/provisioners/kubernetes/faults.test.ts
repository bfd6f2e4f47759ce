import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../../../src/broker/json.ts';
import { memberOf } from '../../../src/broker/json.ts';
import type { Provisioner, Work } from '../../../src/broker/provisioner.ts';
import { createClusters } from '../../../src/provisioners/kubernetes/client/clusters.ts';
import type { Cluster } from '../../../src/provisioners/kubernetes/cluster.ts';
import { kubernetes } from '../../../src/provisioners/kubernetes/index.ts';
import { describeWithCluster } from '../../support/cluster/binaries.ts';
import { auditLines, startCluster, type TestCluster } from '../../support/cluster/start-cluster.ts';
import { carry, type Deed, keyOfWork, workOf } from './carry.ts';
import { withObjects } from './offerings.ts';

/** Instances in a real cluster whose API server is killed, whose credentials expire, and which is replaced by another. */

const signal = AbortSignal.timeout(900_000);
const canary = 'canary-of-a-secret';

const labels = { app: 'redis' };

const config: JsonObject = {
  ...withObjects({
    redis: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'redis' },
      after: ['service'],
      spec: {
        serviceName: 'redis',
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'redis', image: 'redis:7' }] } },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
  }),
  bind: {
    objects: {
      login: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: '{{binding.key}}' },
        stringData: { password: '{{secrets.password}}' },
      },
    },
    read: { password: { of: 'login', path: 'data.password', decode: 'base64' } },
  },
};

describeWithCluster()('A real cluster with faults', () => {
  let real: TestCluster;
  let cluster: Cluster;
  let provisioner: Provisioner;
  let runs: () => number;

  beforeAll(async () => {
    real = await startCluster();
    const plugin = expiringPlugin(dirname(real.kubeconfig), real.tokens);
    runs = plugin.runs;
    const clusters = createClusters({
      clusterConfigs: { KUBERNETES_CONFIG: real.kubeconfigOf(plugin.user) },
    });
    const found = clusters.find();
    if (!found) throw new Error('There is no cluster.');
    cluster = found;
    provisioner = kubernetes({ clusters, installation: async () => 'here' });
  }, 240_000);
  afterAll(async () => {
    await provisioner?.close?.();
    await real?.close();
  });

  /** As the engine does it: what throws is tried again. @param killAt the step after which the API server is killed */
  async function carryThrough(deed: Deed, work: ReturnType<typeof workOf>, killAt?: number) {
    let back: Promise<void> = Promise.resolve();
    const steps = stubborn(provisioner, () => back);
    const carried = await carry(steps.provisioner, deed, work, (_memo, count) => {
      if (count === killAt) back = real.kill().then(() => real.restart());
    });
    await back;
    return { ...carried, thrown: steps.thrown };
  }
  const spaceOf = (work: ReturnType<typeof workOf>) =>
    cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: keyOfWork(work) }, signal);

  test.each([5])(
    'An instance is made, bound and removed though the API server is killed after step %d of each.',
    async (killAt) => {
      const given = { config, id: `i${killAt}`, secrets: { admin: canary } };
      const work = workOf(given);
      const { made, thrown } = await carryThrough('provision', work, killAt);
      expect(thrown[0]).toMatch(/^The cluster default does not answer/);
      const facts = made.facts ?? {};
      expect(memberOf(facts['objects'], 'redis')).toMatchObject({ kind: 'StatefulSet' });
      const binding = workOf({ ...given, facts, binding: 'b1' });
      const { made: bound } = await carryThrough('bind', binding, 1);
      expect(bound.facts?.['read']).toMatchObject({ password: 'password-of-b1' });
      await carryThrough(
        'unbind',
        workOf({ ...given, facts, binding: 'b1', bindingFacts: bound.facts ?? {} }),
      );
      await carryThrough('deprovision', workOf({ ...given, facts }), killAt);
      expect(await spaceOf(work)).toBeUndefined();
    },
    300_000,
  );

  test('A credential that expires every few seconds is asked for anew, and no request is refused for it.', () => {
    expect(runs()).toBeGreaterThan(1);
    const refused = auditLines(real).filter((line) => /"code":401/.test(line));
    expect(refused).toEqual([]);
  });

  test('The audit log of the API server holds nothing that is secret.', () => {
    const lines = auditLines(real).join('\n');
    for (const secret of [canary, 'password-of-b1', 'open sesame', ...Object.values(real.tokens)])
      expect(lines).not.toContain(secret);
  });

  test('Nothing is removed from another cluster that is found at the address of the one before.', async () => {
    const given = { config, id: 'moved' };
    const { made } = await carryThrough('provision', workOf(given));
    await real.wipe();
    const gone = workOf({ ...given, facts: made.facts ?? {} });
    await expect(carry(provisioner, 'deprovision', gone)).rejects.toThrow();
  }, 300_000);
});

/** Steps that throw are done again, once the API server is back. */
function stubborn(provisioner: Provisioner, isBack: () => Promise<void>) {
  const thrown: string[] = [];
  const again =
    <Given, Result>(step: (given: Given) => Promise<Result>) =>
    async (given: Given): Promise<Result> => {
      for (;;) {
        try {
          return await step(given);
        } catch (error) {
          if (thrown.push((error as Error).message) > 50) throw error;
          await isBack();
        }
      }
    };
  const { bind, unbind } = {
    bind: provisioner.bind?.bind(provisioner),
    unbind: provisioner.unbind?.bind(provisioner),
  };
  return {
    thrown,
    provisioner: {
      ...provisioner,
      provision: again((work: Work) => provisioner.provision(work)),
      deprovision: again((work: Work) => provisioner.deprovision(work)),
      bind: bind && again(bind),
      unbind: unbind && again(unbind),
    } as Provisioner,
  };
}

/** A program that tells one of two tokens in turn, each for 10 s. */
function expiringPlugin(folder: string, tokens: TestCluster['tokens']) {
  const [script, count] = [join(folder, 'login'), join(folder, 'runs')];
  writeFileSync(count, '');
  writeFileSync(
    script,
    [
      '#!/bin/sh',
      `echo >> ${count}`,
      `token=${tokens.admin}`,
      `[ $(($(wc -l < ${count}) % 2)) = 0 ] && token=${tokens.secondAdmin}`,
      'end=$(date -u -d @$(($(date +%s) + 10)) +%Y-%m-%dT%H:%M:%SZ)',
      `printf '{"kind":"ExecCredential","status":{"token":"%s","expirationTimestamp":"%s"}}' $token $end`,
    ].join('\n'),
  );
  chmodSync(script, 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: script };
  return { user: { exec }, runs: () => readFileSync(count, 'utf8').length };
}
