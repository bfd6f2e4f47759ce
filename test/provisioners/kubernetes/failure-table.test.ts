import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { type JsonObject, memberOf } from '../../../src/broker/json.ts';
import type { Provisioner, Work } from '../../../src/broker/provisioner.ts';
import { createClusters } from '../../../src/provisioners/kubernetes/client/clusters.ts';
import { kubernetes } from '../../../src/provisioners/kubernetes/index.ts';
import { hangingPod } from '../../../src/provisioners/kubernetes/rules/pods.ts';
import type { ClusterObject } from '../../../src/provisioners/kubernetes/cluster.ts';
import { createAuthority } from '../../support/certificates.ts';
import { describeWithCluster } from '../../support/cluster/binaries.ts';
import { startCluster, type TestCluster } from '../../support/cluster/start-cluster.ts';
import { openWayToCluster, type WayToCluster } from '../../support/cluster/way.ts';
import { until } from '../../support/until.ts';
import { carry, keyOfWork, workOf, type WorkParts } from './carry.ts';

/** The rows of the table in docs/kubernetes.md, each provoked at a real API server. A title begins with its row. */

const configMap = (name: string, more: object = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});

function configOf(objects: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    namespace: 'own',
    objects: { conf: configMap('conf', { data: { a: 'b' } }), ...objects },
    ...more,
  };
}

function setOf(image: string, serviceName = 'none'): JsonObject {
  const labels = { app: 'main' };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'main' },
    spec: {
      serviceName,
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } },
    },
  };
}

describeWithCluster()('At a real API server,', () => {
  let real: TestCluster;
  let way: WayToCluster;
  const opened: Provisioner[] = [];
  let provisioner: Provisioner;
  beforeAll(async () => {
    real = await startCluster();
    way = await openWayToCluster(real);
    provisioner = open(way.kubeconfig);
  }, 240_000);
  afterAll(async () => {
    for (const one of opened) await one.close?.();
    await way?.close();
    await real?.close();
  });

  function open(kubeconfig: string, installation = 'here'): Provisioner {
    const clusters = createClusters({ clusterConfigs: { KUBERNETES_CONFIG: kubeconfig } });
    const one = kubernetes({ clusters, installation: async () => installation });
    opened.push(one);
    return one;
  }
  async function provisioned(parts: WorkParts) {
    const { made } = await carry(provisioner, 'provision', workOf(parts));
    return { ...parts, facts: made.facts ?? {} };
  }
  const spaceOf = (parts: WorkParts) => `/api/v1/namespaces/${keyOfWork(workOf(parts))}`;
  const ask = async (method: string, path: string, body?: object, type?: string) => {
    const { status, body: answer } = await real.ask(method, path, body, type);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  };
  const isThere = async (path: string) => (await real.ask('GET', path)).status === 200;
  const merge = 'application/merge-patch+json';
  const hold = (path: string, finalizers: readonly string[] = ['example.com/held']) =>
    ask('PATCH', path, { metadata: { finalizers } }, merge);

  test('No answer: The step throws, so that it is tried again, and makes the instance when there is one.', async () => {
    const work = workOf({ id: 'no-answer', config: configOf({}) });
    way.fate = () => 'lost';
    await expect(carry(provisioner, 'provision', work)).rejects.toThrow(
      /^The cluster default does not answer/,
    );
    way.fate = () => 'well';
    await carry(provisioner, 'provision', work);
  });

  test('401: The token is read again, and where that is none either the step throws.', async () => {
    const tokenFile = join(dirname(real.kubeconfig), 'wrong-token');
    writeFileSync(tokenFile, 'wrong');
    const other = open(way.kubeconfigOf({ tokenFile }));
    const work = workOf({ id: 'no-token', config: configOf({}) });
    await expect(carry(other, 'provision', work)).rejects.toMatchObject({ status: 401 });
    writeFileSync(tokenFile, real.tokens.admin);
    await carry(other, 'provision', work);
  });

  test('403 for want of a right: It is a failure that names verb and kind.', async () => {
    const other = open(way.kubeconfigOf({ token: real.tokens.nobody }));
    const work = workOf({ id: 'no-right', config: configOf({}) });
    await expect(carry(other, 'provision', work)).rejects.toMatchObject({
      word: 'forbidden',
      hints: { detail: expect.stringMatching(/cannot get resource "namespaces"/) as string },
    });
  });

  test('403 of a quota: It is a failure that says that there is no room, and nothing is left.', async () => {
    const config = configOf({ more: configMap('more', {}) }, { quota: { configmaps: 1 } });
    const parts = { id: 'no-room', config };
    await until('the quota counts', async () => {
      const told = await carry(provisioner, 'provision', workOf(parts)).catch((error: unknown) => error);
      if ((told as { word?: string }).word === 'no-room') return true;
      await carry(provisioner, 'deprovision', workOf(parts));
      return false;
    });
    await carry(provisioner, 'deprovision', workOf(parts));
    expect(await isThere(spaceOf(parts))).toBe(false);
  });

  test('403 of a namespace that goes: It is waited for, and made anew.', async () => {
    const parts = { id: 'going-space', config: configOf({}) };
    await provisioned(parts);
    const space = spaceOf(parts);
    await hold(`${space}/configmaps/conf`);
    const { metadata: before } = await ask('GET', space);
    await ask('DELETE', space);
    const { notes } = await carry(provisioner, 'provision', workOf(parts), async (_memo, count) => {
      if (count === 3) await hold(`${space}/configmaps/conf`, []);
    });
    expect(notes.join('\n')).toMatch(/is being removed/);
    const { metadata: after } = await ask('GET', space);
    expect((after as JsonObject)['uid']).not.toBe((before as JsonObject)['uid']);
  });

  describe('with a webhook,', () => {
    let answer: 'no' | 'nothing' | 'yes' = 'no';
    const name = 'rules.example.com';
    const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations`;
    const authority = createAuthority('Webhooks');
    const server = () => {
      const pair = authority.issue(90, 'IP:127.0.0.1');
      return createServer({ key: pair.key, cert: pair.cert }, (request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          if (answer === 'nothing') return;
          const review = JSON.parse(Buffer.concat(chunks).toString()) as { request: { uid: string } };
          const { uid } = review.request;
          const said = { uid, allowed: answer === 'yes', status: { message: 'not on a Monday' } };
          response.end(
            JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: said }),
          );
        });
      });
    };
    let webhook: ReturnType<typeof server>;
    beforeAll(async () => {
      webhook = server();
      await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
      const { port } = webhook.address() as AddressInfo;
      await ask('POST', path, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name },
        webhooks: [
          {
            name,
            clientConfig: {
              url: `https://127.0.0.1:${port}/`,
              caBundle: Buffer.from(authority.cert).toString('base64'),
            },
            rules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['limitranges'] },
            ],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            timeoutSeconds: 1,
          },
        ],
      });
    });
    afterAll(async () => {
      await ask('DELETE', `${path}/${name}`);
      webhook.closeAllConnections();
      webhook.close();
    });
    const limits = (id: string) => {
      const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'range' } };
      return { id, config: configOf({ range: { ...range, spec: { limits: [] } } }) };
    };
    const thrownBy = async (id: string) =>
      carry(provisioner, 'provision', workOf(limits(id))).then(
        () => undefined,
        (error: unknown) => error as { readonly word?: string; readonly message: string },
      );

    test('403 of a policy: It is a failure with the words of the webhook.', async () => {
      const told = await until('the webhook is asked', () => thrownBy('policy'));
      expect(told).toMatchObject({
        word: 'policy',
        hints: { detail: expect.stringMatching(/denied the request: not on a Monday/) as string },
      });
    });

    test('A webhook that does not answer: The step throws, and goes on when the webhook does.', async () => {
      answer = 'nothing';
      const told = await until('the webhook is asked', () => thrownBy('mute'));
      expect(told).toMatchObject({ status: 500 });
      expect(told.message).toMatch(/failed calling webhook/);
      answer = 'yes';
      expect(await thrownBy('mute')).toBeUndefined();
    });
  });

  test('404 of a kind: It is a failure before anything is made.', async () => {
    const thing = { apiVersion: 'example.com/v1', kind: 'Nothing', metadata: { name: 'a' }, ready: 'exists' };
    const parts = { id: 'no-kind', config: configOf({ thing }) };
    await expect(carry(provisioner, 'provision', workOf(parts))).rejects.toMatchObject({ word: 'no-kind' });
    expect(await isThere(spaceOf(parts))).toBe(false);
  });

  test('404 of the namespace: An update and a bind are failures, and a removal finds nothing to do.', async () => {
    const bind = { objects: { login: configMap('{{binding.key}}') } };
    const parts = await provisioned({ id: 'gone-space', config: configOf({}, { bind }) });
    await ask('DELETE', spaceOf(parts));
    await until('it is gone', async () => !(await isThere(spaceOf(parts))));
    await expect(carry(provisioner, 'update', workOf(parts))).rejects.toMatchObject({ word: 'no-namespace' });
    const bound = carry(provisioner, 'bind', workOf({ ...parts, binding: 'b1' }));
    await expect(bound).rejects.toMatchObject({ word: 'no-namespace' });
    await carry(provisioner, 'deprovision', workOf(parts));
  });

  test('An object that is gone: Its unit is at fault, and a restart makes it again.', async () => {
    const parts = await provisioned({ id: 'gone-object', config: configOf({ main: setOf('main:1') }) });
    const path = spaceOf(parts).replace('/api/v1', '/apis/apps/v1') + '/statefulsets/main';
    await ask('DELETE', path);
    await until('it is gone', async () => !(await isThere(path)));
    expect(await provisioner.units?.inspect(workOf(parts))).toMatchObject([
      { unit: 'main', fault: expect.stringContaining('gone') as string },
    ]);
    await carry(provisioner, 'restart', workOf(parts));
    expect(await provisioner.units?.inspect(workOf(parts))).toMatchObject([{ answer: 'ready' }]);
  });

  test('409 of another manager: What somebody else has made under the name is a failure, and stays.', async () => {
    const space = '/api/v1/namespaces/default/configmaps';
    await ask('POST', space, configMap('theirs'));
    const config = { ...configOf({ theirs: configMap('theirs') }), namespace: 'default' };
    const parts = { id: 'taken', config };
    let trace: Work['trace'];
    const made = carry(provisioner, 'provision', workOf(parts), (memo) => void (trace = memo ?? trace));
    await expect(made).rejects.toMatchObject({ word: 'taken' });
    await carry(provisioner, 'deprovision', { ...workOf(parts), trace });
    expect([await isThere(`${space}/theirs`), await isThere(`${space}/conf`)]).toEqual([true, false]);
  });

  test('409 or 422 of a uid: What a stranger has put in its place is neither changed nor removed.', async () => {
    const config = { ...configOf({}), namespace: 'kube-public' };
    const parts = await provisioned({ id: 'stranger', config });
    const path = '/api/v1/namespaces/kube-public/configmaps/conf';
    await ask('DELETE', path);
    await ask('POST', path.slice(0, -'/conf'.length), configMap('conf'));
    await expect(carry(provisioner, 'update', workOf(parts))).rejects.toMatchObject({ word: 'taken' });
    await carry(provisioner, 'deprovision', workOf(parts));
    expect(await isThere(path)).toBe(true);
    await ask('DELETE', path);
  });

  test('422 of a field that cannot change: The update is a failure, and the instance is usable.', async () => {
    const parts = await provisioned({ id: 'immutable', config: configOf({ main: setOf('main:1') }) });
    const config = configOf({ main: setOf('main:1', 'another') });
    await expect(carry(provisioner, 'update', workOf({ ...parts, config }))).rejects.toMatchObject({
      word: 'immutable',
      hints: { instanceUsable: true },
    });
    expect(await provisioner.units?.inspect(workOf(parts))).toMatchObject([{ answer: 'ready' }]);
  });

  test.each([
    ['422 of a value', configMap('Not_A_Name')],
    ['413 of a size', configMap('large', { data: { a: 'x'.repeat(3_500_000) } })],
    ['500 of a form', configMap('wrong', { dato: {} })],
  ])('%s: It is a failure, and not tried again.', async (row, wrong) => {
    const parts = { id: row, config: configOf({ wrong }) };
    await expect(carry(provisioner, 'provision', workOf(parts))).rejects.toMatchObject({ word: 'not-taken' });
    await carry(provisioner, 'deprovision', workOf(parts));
    expect(await isThere(spaceOf(parts))).toBe(false);
  });

  test('429: It is tried again after the time that the server names, and is no failure.', async () => {
    let left = 5;
    way.fate = () => (left-- > 0 ? 'refused' : 'well');
    const { notes } = await carry(provisioner, 'provision', workOf({ id: 'busy', config: configOf({}) }));
    expect(notes).toContain('The cluster is busy.');
  });

  test('An object that is being removed: It is waited for, with its finalizers as the note, and made anew.', async () => {
    const parts = await provisioned({ id: 'going-object', config: configOf({}) });
    const path = `${spaceOf(parts)}/configmaps/conf`;
    await hold(path);
    await ask('DELETE', path);
    const { notes } = await carry(provisioner, 'update', workOf(parts), async (_memo, count) => {
      if (count === 4) await hold(path, []);
    });
    expect(notes.join('\n')).toContain('example.com/held');
    const { metadata } = await ask('GET', path);
    expect(metadata).not.toHaveProperty('deletionTimestamp');
  });

  test('A finalizer that hangs: The removal names it, never takes it away, and ends when it is gone.', async () => {
    const parts = await provisioned({ id: 'hanging', config: configOf({}) });
    const path = `${spaceOf(parts)}/configmaps/conf`;
    await hold(path);
    const { notes } = await carry(provisioner, 'deprovision', workOf(parts), async (_memo, count) => {
      if (count < 6) expect(await isThere(path)).toBe(true);
      if (count === 6) await hold(path, []);
    });
    expect(notes.join('\n')).toContain('example.com/held');
    expect(await isThere(spaceOf(parts))).toBe(false);
  });

  test('A pod that hangs at an old revision: It is the one that is taken away.', async () => {
    const parts = await provisioned({ id: 'stuck', config: configOf({ main: setOf('main:1') }) });
    const path = spaceOf(parts).replace('/api/v1', '/apis/apps/v1') + '/statefulsets/main';
    const containers = (image: string) => ({
      spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
    });
    await ask('PATCH', path, containers('main:never'), merge);
    const pods = async () =>
      (await ask('GET', `${spaceOf(parts)}/pods`))['items'] as unknown as ClusterObject[];
    const isBroken = (pod: ClusterObject) => JSON.stringify(pod['spec']).includes('main:never');
    await until('its pod is not ready', async () => {
      const [pod] = await pods();
      return pod !== undefined && isBroken(pod) && JSON.stringify(pod['status']).includes('podIP');
    });
    await ask('PATCH', path, containers('main:2'), merge);
    const later = new Date(Date.now() + 120_000);
    const found = await until('it hangs', async () => {
      const set = (await ask('GET', path)) as unknown as ClusterObject;
      return hangingPod(set, { now: later, since: new Date(), pods: await pods() });
    });
    expect(isBroken(found)).toBe(true);
  });

  test.each([
    ['An image that cannot be had', 'main:unknown', /does not get its image/],
    ['A pod that crashes', 'main:crash', /ends again and again|restarts|crash/i],
  ])('%s: It is the note, and a failure when the time is over.', async (row, image, said) => {
    const work = workOf({ id: row, config: configOf({ main: setOf(image) }) });
    const operating = { ...work.plan.operating, timeouts: { start: 2000 } };
    const short = { ...work, plan: { ...work.plan, operating } };
    await expect(carry(provisioner, 'provision', short)).rejects.toMatchObject({
      word: 'not-ready',
      message: expect.stringMatching(said) as string,
    });
  });

  test('What is read is not there yet: It is waited for.', async () => {
    const read = { it: { of: { apiVersion: 'v1', kind: 'Secret', name: 'late' }, path: 'data.it' } };
    const parts = { id: 'late', config: configOf({}, { read }) };
    const { made, notes } = await carry(provisioner, 'provision', workOf(parts), async (_memo, count) => {
      if (count !== 8) return;
      const late = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'late' }, data: { it: 'MQ==' } };
      await ask('POST', `${spaceOf(parts)}/secrets`, late);
    });
    expect(notes.length).toBeGreaterThan(0);
    expect(memberOf(made.facts, 'read')).toEqual({ it: 'MQ==' });
  });

  test('Another cluster at the address: It is a failure before anything is done.', async () => {
    const parts = await provisioned({ id: 'elsewhere', config: configOf({}) });
    const facts = { ...parts.facts, cluster: { name: 'default', uid: 'of-another-one' } };
    for (const deed of ['update', 'deprovision'] as const)
      await expect(carry(provisioner, deed, workOf({ ...parts, facts }))).rejects.toMatchObject({
        word: 'another-cluster',
      });
    expect(await isThere(spaceOf(parts))).toBe(true);
  });

  test('Another database: What was made with the one before is nobody’s, and is left alone.', async () => {
    const parts = await provisioned({ id: 'left', config: configOf({}) });
    expect(await open(way.kubeconfig, 'another').inventory?.()).toEqual([]);
    await carry(open(way.kubeconfig, 'another'), 'deprovision', workOf({ ...parts, facts: {} }));
    expect(await isThere(spaceOf(parts))).toBe(true);
  });
});
