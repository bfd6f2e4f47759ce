import type { JsonObject } from '../../../src/broker/json.ts';
import { memberOf } from '../../../src/broker/json.ts';
import { plainText } from '../../../src/provisioners/kubernetes/objects/plain-text.ts';
import { until } from '../../support/until.ts';
import { brokerOf, carry, keyOfWork, workOf } from './carry.ts';
import { aMemoryCluster, type MemoryCluster } from './memory-cluster.ts';
import { redisConfig, withObjects } from './offerings.ts';

/** The life of an instance, against a cluster in memory. */

const config: JsonObject = {
  ...redisConfig,
  bind: {
    objects: {
      login: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: '{{binding.key}}' },
        stringData: { user: '{{binding.key}}', password: '{{secrets.password}}' },
      },
    },
    read: { user: { of: 'login', path: 'data.user', decode: 'base64' } },
    exec: [
      {
        unit: 'redis',
        run: ['redis-cli'],
        send: 'AUTH {{secrets.admin}}\nACL SETUSER {{binding.key}} >{{secrets.password}}\n',
        expect: 'OK\nOK',
      },
    ],
  },
  unbind: {
    exec: [
      { unit: 'redis', run: ['redis-cli'], send: 'AUTH {{secrets.admin}}\nACL DELUSER {{binding.key}}\n' },
    ],
  },
};

let memory: MemoryCluster;
beforeEach(() => {
  memory = aMemoryCluster();
});

async function provisioned(parts: Partial<Parameters<typeof workOf>[0]> = {}) {
  const provisioner = brokerOf(memory);
  const given = { config, ...parts };
  const { made, did } = await carry(provisioner, 'provision', workOf(given));
  const on = (more: Partial<Parameters<typeof workOf>[0]> = {}) =>
    workOf({ ...given, facts: made.facts ?? {}, ...more });
  return { provisioner, made, did, on };
}

test('An instance gets a namespace that nobody else reaches, and its objects in the order of what needs what.', async () => {
  const { did, made } = await provisioned();
  const key = keyOfWork(workOf({ config }));
  expect(did).toEqual(['check', 'space', 'apply', 'ready', 'apply', 'ready', 'settle', 'read']);
  expect(memory.find('Namespace', key)?.metadata['labels']).toMatchObject({
    'purveyor.io/instance': key,
    'pod-security.kubernetes.io/enforce': 'restricted',
  });
  expect(memory.find('NetworkPolicy', 'purveyor')?.['spec']).toEqual({
    podSelector: {},
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: {} }] }],
  });
  expect(memory.find('ServiceAccount', 'default')).toMatchObject({ automountServiceAccountToken: false });
  const facts = made.facts ?? {};
  expect(facts).toMatchObject({ cluster: { name: 'main', uid: memory.identity }, namespace: key });
  expect(facts['read']).toEqual({ admin: 'open sesame' });
  expect(memberOf(facts['objects'], 'redis')).toMatchObject({ kind: 'StatefulSet', name: 'redis', wave: 1 });
});

test('Secrets are sent as data, and none stands in a label, an annotation or a memo.', async () => {
  const memos: string[] = [];
  await carry(
    brokerOf(memory),
    'provision',
    workOf({
      config: withObjects({
        auth: {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'auth' },
          stringData: { admin: '{{secrets.admin}}' },
        },
      }),
    }),
    (memo) => void memos.push(JSON.stringify(memo)),
  );
  expect(memory.find('Secret', 'auth')).toMatchObject({
    data: { admin: Buffer.from('a-secret-of-all').toString('base64') },
  });
  expect(memory.find('Secret', 'auth')).not.toHaveProperty('stringData');
  expect(memos.join()).not.toContain('a-secret-of-all');
  expect(JSON.stringify(memory.objects().map(({ metadata }) => metadata))).not.toContain('a-secret-of-all');
});

test('What somebody else has made under the same name is never taken over.', async () => {
  const work = workOf({ config: { ...config, namespace: 'apps' } });
  memory.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps' } });
  memory.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'redis', namespace: 'apps' }, spec: {} });
  await expect(carry(brokerOf(memory), 'provision', work)).rejects.toMatchObject({ word: 'taken' });
  expect(memory.find('Service', 'redis')?.metadata['labels']).toBeUndefined();
});

test('A deprovision needs neither the plan nor the facts, and leaves nothing.', async () => {
  const { provisioner } = await provisioned();
  const stray = workOf({ config: { namespace: 'own', objects: {} } });
  await carry(provisioner, 'deprovision', stray);
  expect(memory.objects()).toEqual([]);
});

test('In a shared namespace only what is of the instance goes, claims too, and what says `keep` stays as nobody’s.', async () => {
  memory.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps' } });
  memory.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs', namespace: 'apps' } });
  const kept = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'backup' }, keep: true };
  const { provisioner, on } = await provisioned({
    config: { ...withObjects({ backup: kept }), namespace: 'apps' },
  });
  const labels = memory.find('Pod', 'redis-0')?.metadata['labels'] as JsonObject;
  memory.put({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data-redis-0', namespace: 'apps', labels },
  });
  await carry(provisioner, 'deprovision', on());
  expect(memory.objects().map(({ kind, metadata: { name } }) => `${kind} ${plainText(name)}`)).toEqual([
    'Namespace apps',
    'ConfigMap theirs',
    'ConfigMap backup',
  ]);
  expect(memory.find('ConfigMap', 'backup')?.metadata['labels']).toEqual({});
});

test('A removal says which finalizers it waits for, and goes on when they are gone.', async () => {
  const { provisioner, on } = await provisioned();
  memory.write('StatefulSet', 'redis', { metadata: { finalizers: ['example.com/backup'] } });
  let looks = 0;
  const { notes } = await carry(provisioner, 'deprovision', on(), () => {
    looks += 1;
    if (looks === 4) {
      memory.write('StatefulSet', 'redis', { metadata: { finalizers: null } });
      memory.drop('StatefulSet', 'redis');
    }
  });
  expect(notes).toContain('StatefulSet redis is being removed; it waits for example.com/backup.');
  expect(memory.objects()).toEqual([]);
});

test('A cluster of the same name that is another one is left alone.', async () => {
  const { provisioner, on } = await provisioned();
  memory.identity = 'another';
  for (const deed of ['deprovision', 'update', 'stop'] as const)
    await expect(carry(provisioner, deed, on())).rejects.toMatchObject({ word: 'another-cluster' });
  expect(memory.find('StatefulSet', 'redis')).toBeDefined();
});

test('A kind that the cluster does not know is told before anything is made.', async () => {
  memory.unserved.add('StatefulSet');
  await expect(carry(brokerOf(memory), 'provision', workOf({ config }))).rejects.toMatchObject({
    word: 'no-kind',
    hints: { detail: 'The cluster main does not know the kind StatefulSet of apps/v1.' },
  });
  expect(memory.objects()).toEqual([]);
});

test('A plan is hidden as long as its cluster does not know a kind of it, or does not allow what it needs.', async () => {
  memory.unserved.add('StatefulSet');
  const provisioner = brokerOf(memory);
  const { plan } = workOf({ config });
  const told = (reason: string | undefined, broker = provisioner) =>
    until(`it says ${reason}`, () => broker.obstacle?.(plan) === reason);
  await told('the cluster main does not know the kind StatefulSet of apps/v1');
  memory.unserved.clear();
  await told(undefined);

  const verbs = ['get', 'list', 'create', 'patch', 'delete'];
  const rule = (apiGroups: string[], resources: string[]) => ({ apiGroups, resources, verbs });
  const given = rule(['', 'networking.k8s.io'], ['*']);
  memory.rights = { incomplete: false, resourceRules: [given, rule(['apps'], ['deployments'])] };
  await told(
    'the broker may not get statefulsets.apps, list statefulsets.apps, create statefulsets.apps, ' +
      'patch statefulsets.apps, delete statefulsets.apps in namespaces of instances',
    brokerOf(memory),
  );
  await expect(carry(brokerOf(memory), 'provision', workOf({ config }))).rejects.toMatchObject({
    word: 'no-kind',
  });
  memory.rights = { incomplete: false, resourceRules: [given, rule(['apps'], ['statefulsets'])] };
  await carry(brokerOf(memory), 'provision', workOf({ config }));
});

test('An instance whose pods are not there is awaited, with the reason as the note.', async () => {
  memory.pods = 'none';
  let looks = 0;
  const { notes } = await carry(brokerOf(memory), 'provision', workOf({ config }), () => {
    looks += 1;
    if (looks !== 9) return;
    memory.pods = 'ready';
    memory.write('StatefulSet', 'redis', { spec: { again: true } });
  });
  expect(notes.join('\n')).toContain('The StatefulSet redis');
});

test('A binding has objects of its own and a user by a program in a pod, and an unbind takes both away.', async () => {
  const { provisioner, on } = await provisioned();
  const bound = await carry(provisioner, 'bind', on({ binding: 'b1' }));
  const other = await carry(provisioner, 'bind', on({ binding: 'b2' }));
  const { read } = bound.made.facts ?? {};
  expect(read).toEqual({ admin: 'open sesame', user: expect.stringMatching(/^p[0-9a-f]{20}$/) });
  expect(memory.ran[0]).toMatchObject({ run: ['redis-cli'], pod: 'redis-0' });
  expect(memory.ran[0]?.send).toContain('>password-of-b1\n');
  await carry(provisioner, 'unbind', on({ binding: 'b1', bindingFacts: bound.made.facts ?? {} }));
  const names = memory.objects().map(({ metadata: { name } }) => name);
  expect(names).not.toContain(memberOf(bound.made.facts, 'read')['user']);
  expect(names).toContain(memberOf(other.made.facts, 'read')['user']);
  expect(memory.ran.at(-1)?.send).toContain('ACL DELUSER');
  await carry(provisioner, 'deprovision', on());
  expect(memory.objects()).toEqual([]);
});

test('A program that says something else than is expected fails the bind, with its words redacted.', async () => {
  const { provisioner, on } = await provisioned();
  memory.answer = () => ({ exitCode: 0, stdout: 'ERR a-secret-of-all', stderr: '' });
  await expect(carry(provisioner, 'bind', on({ binding: 'b1' }))).rejects.toMatchObject({
    word: 'refused',
    hints: { detail: 'The program of config.bind.exec ended with 0: ERR ***' },
  });
  await expect(carry(provisioner, 'bind', on({ binding: 'b1', stopped: true }))).rejects.toMatchObject({
    word: 'stopped',
  });
});

test('An update changes what is there, makes what is new, and takes away what the plan has no more.', async () => {
  const { provisioner, on } = await provisioned();
  const bound = await carry(provisioner, 'bind', on({ binding: 'b1' }));
  const uid = memory.find('StatefulSet', 'redis')?.metadata['uid'];
  const next = withObjects({
    conf: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'redis-conf' },
      data: { 'redis.conf': 'maxmemory 1gb\n' },
    },
    extra: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'extra' } },
    auth: undefined,
  });
  const changed = { ...next, read: {}, bind: config['bind'] ?? {} };
  const before = memory.find('StatefulSet', 'redis');
  const { made, did } = await carry(provisioner, 'update', on({ config: changed }));
  expect(did).toEqual(expect.arrayContaining(['apply', 'ready', 'prune', 'settle']));
  expect(memory.find('Secret', 'redis-auth')).toBeUndefined();
  expect(memory.find('ConfigMap', 'extra')).toBeDefined();
  expect(memory.find('StatefulSet', 'redis')?.metadata['uid']).toBe(uid);
  // Its pods have the new file only when they are made again.
  const checksum = (object: typeof before) =>
    memberOf(memberOf(memberOf(memberOf(object, 'spec'), 'template'), 'metadata'), 'annotations')[
      'purveyor.io/checksum'
    ];
  expect(checksum(memory.find('StatefulSet', 'redis'))).not.toBe(checksum(before));
  expect(Object.keys(memberOf(made.facts, 'objects'))).not.toContain('auth');
  expect(memory.find('Secret', plainText(memberOf(bound.made.facts, 'read')['user']))).toBeDefined();
});

test('An update that the cluster refuses is undone, and the instance is usable.', async () => {
  const { provisioner, on } = await provisioned();
  const broken = withObjects({
    extra: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'extra' } },
    conf: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'redis-conf' },
      data: { 'redis.conf': 'maxmemory 1gb\n' },
    },
    redis: { ...(memberOf(config, 'objects')['redis'] as JsonObject), spec: { serviceName: 'another' } },
  });
  await expect(carry(provisioner, 'update', on({ config: broken }))).rejects.toMatchObject({
    word: 'immutable',
    hints: { instanceUsable: true, updateRepeatable: true },
  });
  expect(memory.find('ConfigMap', 'extra')).toBeUndefined();
  expect(memory.find('ConfigMap', 'redis-conf')).toMatchObject({
    data: { 'redis.conf': 'dir /data\nappendonly yes\n' },
  });
  await carry(provisioner, 'deprovision', on());
  expect(memory.objects()).toEqual([]);
});

test('What says `replace` is made anew where it cannot be changed.', async () => {
  const redis = memberOf(config, 'objects')['redis'] as JsonObject;
  const { provisioner, on } = await provisioned();
  const uid = memory.find('StatefulSet', 'redis')?.metadata['uid'];
  const spec = { ...memberOf(redis, 'spec'), serviceName: 'another' };
  await carry(
    provisioner,
    'update',
    on({ config: withObjects({ redis: { ...redis, replace: true, spec } }) }),
  );
  expect(memory.find('StatefulSet', 'redis')?.metadata['uid']).not.toBe(uid);
});

test('A stop takes the pods away and nothing else, a start brings them back, and a restart makes new ones.', async () => {
  const { provisioner, on } = await provisioned();
  const state = async (stopped = false) => {
    const [unit] = (await provisioner.units?.inspect(on({ stopped }))) ?? [];
    return unit;
  };
  expect(await state()).toEqual({
    unit: 'redis',
    alive: true,
    answer: 'ready',
    address: `redis.${keyOfWork(on())}.svc:6379`,
  });
  await carry(provisioner, 'stop', on());
  expect(await state(true)).toMatchObject({ alive: false, reason: 'it has no pods' });
  expect(memory.find('Pod', 'redis-0')).toBeUndefined();
  // An update of what is at rest leaves it at rest.
  await carry(provisioner, 'update', on({ stopped: true }));
  expect(memory.find('Pod', 'redis-0')).toBeUndefined();
  await carry(provisioner, 'start', on({ stopped: true }));
  const pod = memory.find('Pod', 'redis-0')?.metadata['uid'];
  expect(pod).toBeDefined();
  await carry(provisioner, 'restart', on());
  expect(memory.find('Pod', 'redis-0')?.metadata['uid']).not.toBe(pod);
  expect(await state()).toMatchObject({ answer: 'ready' });
});

test('A command runs in a pod of the unit, and its log is told.', async () => {
  const { provisioner, on } = await provisioned();
  memory.answer = (run) => ({ exitCode: 3, stdout: run.join(' '), stderr: '!' });
  const executed = await provisioner.units?.exec?.(on(), { command: ['ls', '/'], timeout: 20_000 });
  expect(executed).toEqual([{ unit: 'redis', code: 3, output: 'ls /!' }]);
  const log = await provisioner.units?.log?.(on(), { lines: 5 });
  expect(log).toEqual([{ unit: 'redis', text: 'log of redis-0, 5 lines\n' }]);
  await expect(
    provisioner.units?.exec?.(on(), { command: ['ls'], unit: 'other', timeout: 1 }),
  ).rejects.toThrow("There is no unit 'other'. There are: redis.");
});

test('An object that somebody has taken away is a fault, and a restart makes it again.', async () => {
  const { provisioner, on } = await provisioned();
  memory.drop('StatefulSet', 'redis');
  expect(await provisioner.units?.inspect(on())).toMatchObject([{ fault: 'it is gone from the cluster' }]);
  await carry(provisioner, 'restart', on());
  expect(await provisioner.units?.inspect(on())).toMatchObject([{ answer: 'ready' }]);
});
