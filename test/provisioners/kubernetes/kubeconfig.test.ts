import { stringify } from 'yaml';
import { inClusterAccess } from '../../../src/provisioners/kubernetes/client/in-cluster.ts';
import { readKubeconfig } from '../../../src/provisioners/kubernetes/client/kubeconfig.ts';
import { clusterNameOf } from '../../../src/provisioners/kubernetes/options.ts';

const canary = 'canary-of-a-secret';

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly others?: object;
}

function kubeconfig({ cluster = {}, user = {}, others = {} }: Parts): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'one',
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u' } },
      { name: 'two', context: { cluster: 'd' } },
    ],
    clusters: [
      { name: 'c', cluster: { server: 'https://one.example:6443/', ...cluster } },
      { name: 'd', cluster: { server: 'https://two.example/k8s/clusters/c-1' } },
    ],
    users: [{ name: 'u', user }],
    ...others,
  });
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('A kubeconfig', () => {
  test('The current context of a kubeconfig counts, or the one that is named; paths begin in its folder.', () => {
    const text = kubeconfig({
      cluster: { 'certificate-authority': 'ca.crt', 'tls-server-name': 'api' },
      user: {
        tokenFile: 'secrets/token',
        token: canary,
        'client-certificate': '/abs.crt',
        'client-key-data': base64('k'),
      },
    });
    expect(readKubeconfig(text, '/etc/k')).toMatchObject({
      server: 'https://one.example:6443',
      serverName: 'api',
      authority: { file: '/etc/k/ca.crt' },
      isInsecure: false,
      user: {
        token: { file: '/etc/k/secrets/token' },
        certificate: { file: '/abs.crt' },
        key: { text: 'k' },
      },
    });
    expect(readKubeconfig(text, '/etc/k', 'two')).toMatchObject({
      server: 'https://two.example/k8s/clusters/c-1',
      user: {},
    });
  });

  test('A certificate is left unseen only where the kubeconfig says so; names to act as are headers.', () => {
    const { isInsecure, user } = readKubeconfig(
      kubeconfig({
        cluster: { 'insecure-skip-tls-verify': true },
        user: {
          username: 'a',
          password: 'b',
          as: 'c',
          'as-groups': ['d', 'e'],
          'as-user-extra': { 'x/y': ['z'] },
        },
      }),
      '/',
    );
    expect(isInsecure).toBe(true);
    expect(user.password).toBe('a:b');
    expect(user.impersonation).toEqual({
      'Impersonate-User': 'c',
      'Impersonate-Group': ['d', 'e'],
      'Impersonate-Extra-x%2Fy': ['z'],
    });
  });

  test('The program of a kubeconfig is found in its folder when it is a path, and in PATH when it is a name.', () => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './login',
      args: ['a'],
      env: [{ name: 'B', value: 'c' }],
    };
    const read = (more: object) =>
      readKubeconfig(kubeconfig({ user: { exec: { ...exec, ...more } } }), '/k').user.plugin;
    expect(read({ provideClusterInfo: true })).toEqual({
      apiVersion: exec.apiVersion,
      command: '/k/login',
      args: ['a'],
      env: { B: 'c' },
      wantsCluster: true,
    });
    expect(read({ command: 'aws' })?.command).toBe('aws');
  });

  test.each<[what: string, text: string, sentence: string]>([
    ['text that is no YAML', `a: [${canary}`, 'is no kubeconfig: it must be a YAML object'],
    ['text', canary, 'is no kubeconfig: it must be a YAML object'],
    ['context', kubeconfig({ others: { 'current-context': 'other' } }), "has no context named 'other'"],
    [
      'current context that is not there',
      kubeconfig({ others: { 'current-context': '' } }),
      'has no current context: name one of its contexts behind a #',
    ],
    ['cluster that is not there', kubeconfig({ others: { clusters: [] } }), "has no cluster named 'c'"],
    ['user that is not there', kubeconfig({ others: { users: null } }), "has no user named 'u'"],
    [
      'server with a login',
      kubeconfig({ cluster: { server: `https://a:${canary}@b` } }),
      'has no address of http or https as server of its cluster',
    ],
    [
      'proxy',
      kubeconfig({ cluster: { 'proxy-url': `http://${canary}` } }),
      'has a proxy-url, which this program does not go through',
    ],
    [
      'auth-provider',
      kubeconfig({ user: { 'auth-provider': { name: canary } } }),
      'has an auth-provider, which Kubernetes has replaced by exec',
    ],
    [
      'exec of another version',
      kubeconfig({ user: { exec: { apiVersion: canary, command: 'a' } } }),
      'has an exec whose apiVersion is not client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1',
    ],
    [
      'exec without a command',
      kubeconfig({ user: { exec: { apiVersion: 'client.authentication.k8s.io/v1' } } }),
      'has an exec without a command',
    ],
  ])(
    'A kubeconfig with a wrong %s is refused with a sentence that repeats no value.',
    (_what, text, sentence) => {
      expect(() => readKubeconfig(text, '/')).toThrow(new Error(sentence));
    },
  );
});

test('A pod finds its cluster by the variables that every pod has, and its token in a file.', () => {
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  expect(inClusterAccess(environment, '/account')).toMatchObject({
    server: 'https://[fd00::1]:443',
    authority: { file: '/account/ca.crt' },
    user: { token: { file: '/account/token' } },
  });
  expect(() => inClusterAccess({})).toThrow('says in-cluster, but this program runs in no pod of a cluster');
});

test.each([
  ['KUBERNETES_CONFIG', 'default'],
  ['MAIN_KUBERNETES_CONFIG', 'main'],
  ['EU_WEST_KUBERNETES_CONFIG', 'eu-west'],
])('The variable %s configures the cluster %s.', (variable, name) => {
  expect(clusterNameOf(variable)).toBe(name);
});
