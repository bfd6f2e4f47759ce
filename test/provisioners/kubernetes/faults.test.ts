import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../../../src/broker/json.ts';
import { isObject, memberOf } from '../../../src/broker/json.ts';
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

/** Something else in it, something less, and something more. */
const changed: JsonObject = {
  ...config,
  objects: {
    ...memberOf(config, 'objects'),
    conf: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other-conf' }, data: { a: 'b' } },
    more: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'more' }, after: ['redis'] },
  },
};

/** Those after which the cluster is asked once more. */
const phasesOfDeeds = [
  ['space', 'announce', 'apply', 'await', 'read'],
  ['announce', 'apply', 'await'],
  ['space', 'announce', 'apply', 'await', 'prune', 'settle', 'read'],
  ['exec', 'delete'],
  ['objects', 'claims', 'space'],
];

function phaseIn(memo: Work['memo']): string {
  const { at } = isObject(memo) ? memo : {};
  return typeof at === 'string' ? at : '';
}

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

  /** To its end, as the engine does it: what throws is tried again, when the API server is back. */
  async function carryThrough(
    deed: Deed,
    work: Work,
    { after, untilBack = async () => undefined }: Carrying = {},
  ) {
    const steps = stubborn(provisioner, untilBack);
    const carried = await carry(steps.provisioner, deed, work, after);
    return { ...carried, thrown: steps.thrown };
  }
  /** The phases that a deed goes through when nothing disturbs it. */
  async function phasesOf(deed: Deed, work: ReturnType<typeof workOf>) {
    const phases = new Set<string>();
    const note = async (memo: Work['memo']) => void phases.add(phaseIn(memo));
    const { made } = await carryThrough(deed, work, { after: note });
    phases.delete('check');
    phases.delete('');
    return { made, phases: [...phases] };
  }
  /**
   * Each of these is in another phase when the API server is killed. It comes back when all have found that it does not
   * answer.
   */
  async function killedInEach(deed: Deed, phases: readonly string[], works: readonly Work[]) {
    const [there, missed] = [createCountdown(phases.length), createCountdown(phases.length)];
    const dead = there.over.then(() => real.kill());
    const back = missed.over.then(() => real.restart());
    const carried = await Promise.all(
      works.map(async (work, index) => {
        if (index >= phases.length) return carryThrough(deed, work, { untilBack: () => back });
        const [arrive, miss] = [there.once(), missed.once()];
        return carryThrough(deed, work, {
          async after(memo) {
            if (phaseIn(memo) !== phases[index]) return;
            arrive();
            await dead;
          },
          untilBack() {
            miss();
            return back;
          },
        });
      }),
    );
    for (const { thrown } of carried.slice(0, phases.length))
      expect(thrown[0]).toMatch(/^The cluster default does not answer/);
    return carried.map(({ made }) => made);
  }
  const spaceOf = (work: ReturnType<typeof workOf>) =>
    cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: keyOfWork(work) }, signal);

  test('An instance is made, bound, changed, unbound and removed though the API server is killed in whichever phase of it.', async () => {
    const given = (index: number) => ({ config, id: `i${index}`, secrets: { admin: canary } });
    const first = await phasesOf('provision', workOf(given(0)));
    const facts = first.made.facts ?? {};
    const bound = await phasesOf('bind', workOf({ ...given(0), facts, binding: 'b0' }));
    const updated = await phasesOf('update', workOf({ ...given(0), config: changed, facts }));
    const now = { ...given(0), config: changed, facts: updated.made.facts ?? {} };
    const bindingFacts = bound.made.facts ?? {};
    const unbound = await phasesOf('unbind', workOf({ ...now, binding: 'b0', bindingFacts }));
    const removed = await phasesOf('deprovision', workOf(now));
    const all = [first, bound, updated, unbound, removed].map(({ phases }) => phases);
    expect(all).toEqual(phasesOfDeeds);

    const ids = Array.from({ length: Math.max(...all.map(({ length }) => length)) }, (_, index) => index + 1);
    const made = await killedInEach(
      'provision',
      first.phases,
      ids.map((id) => workOf(given(id))),
    );
    const of = (at: number) => ({ ...given(at + 1), facts: made[at]?.facts ?? {}, binding: `b${at + 1}` });
    const bindings = await killedInEach(
      'bind',
      bound.phases,
      made.map((_, at) => workOf(of(at))),
    );
    expect(bindings.map(({ facts: told }) => memberOf(told, 'read')['password'])).toEqual(
      ids.map((id) => `password-of-b${id}`),
    );
    const changes = await killedInEach(
      'update',
      updated.phases,
      made.map((_, at) => workOf({ ...of(at), config: changed, binding: undefined })),
    );
    const after = (at: number) => ({ ...of(at), config: changed, facts: changes[at]?.facts ?? {} });
    await killedInEach(
      'unbind',
      unbound.phases,
      made.map((_, at) => workOf({ ...after(at), bindingFacts: bindings[at]?.facts ?? {} })),
    );
    const works = made.map((_, at) => workOf({ ...after(at), binding: undefined }));
    await killedInEach('deprovision', removed.phases, works);
    for (const work of works) expect(await spaceOf(work)).toBeUndefined();
    expect(await provisioner.inventory?.()).toEqual([]);
  }, 900_000);

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

interface Carrying {
  readonly after?: (memo: Work['memo']) => Promise<void>;
  readonly untilBack?: () => Promise<void>;
}

/** Over when so many have come, each of whom counts once. */
function createCountdown(count: number) {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let left = count;
  return {
    over,
    once() {
      let hasCome = false;
      return () => {
        if (!hasCome) left -= 1;
        hasCome = true;
        if (left === 0) resolve();
      };
    },
  };
}

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
  const { bind, unbind, update } = {
    update: provisioner.update?.bind(provisioner),
    bind: provisioner.bind?.bind(provisioner),
    unbind: provisioner.unbind?.bind(provisioner),
  };
  return {
    thrown,
    provisioner: {
      ...provisioner,
      provision: again((work: Work) => provisioner.provision(work)),
      deprovision: again((work: Work) => provisioner.deprovision(work)),
      update: update && again(update),
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
