import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClusters } from '../../../src/provisioners/kubernetes/client/clusters.ts';
import { createGate } from '../../../src/provisioners/kubernetes/client/gate.ts';
import { until } from '../../support/until.ts';
import { answerWith, type Double, startDouble, tokenOf } from './double.ts';

/** The client of a cluster against a server that misbehaves as no real one does when it is asked to. */

const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid: 'u1' } };
const signal = AbortSignal.timeout(120_000);
const unauthorized = {
  kind: 'Status',
  status: 'Failure',
  reason: 'Unauthorized',
  message: 'Unauthorized',
  code: 401,
};

let double: Double | undefined;
afterEach(async () => {
  await double?.close();
  double = undefined;
});

async function doubleWith(user?: object): Promise<Double> {
  double = await startDouble(user);
  return double;
}

test('A server that wants to be left alone says for how long, in seconds or as a date.', async () => {
  const { cluster, ...parts } = await doubleWith();
  void parts;
  double!.answer = (_request, response) => answerWith(response, 429, 'slow down', { 'Retry-After': '7' });
  await expect(cluster.identity(signal)).rejects.toMatchObject({
    status: 429,
    retryAfterMs: 7000,
    reason: '',
  });
  const date = new Date(Date.now() + 60_000).toUTCString();
  double!.answer = (_request, response) => answerWith(response, 503, {}, { 'Retry-After': date });
  const error: unknown = await cluster.identity(signal).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ status: 503 });
  expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
});

test('A connection that the server closes while nobody uses it is replaced without anybody noticing.', async () => {
  const made = await doubleWith();
  made.answer = (_request, response) => answerWith(response, 200, space);
  await made.cluster.identity(signal);
  made.answer = (request, response) => {
    // The first request over the old connection meets its end.
    if (made.seen.length === 2) request.socket.destroy();
    else answerWith(response, 200, space);
  };
  expect(await made.cluster.identity(signal)).toBe('u1');
  expect(made.seen).toHaveLength(3);
});

test('A connection that is cut within an answer is an error that names the cluster and no address.', async () => {
  const made = await doubleWith();
  made.answer = (_request, response) => {
    response.writeHead(200, { 'Content-Length': '1000' });
    response.write('{"half":');
    response.socket?.end();
  };
  const error: unknown = await made.cluster.identity(signal).catch((thrown: unknown) => thrown);
  expect(String(error)).toMatch(/^Error: The cluster main does not answer \(\w+\)\.$/);
});

test('What is no answer of an API server is not taken for one.', async () => {
  const made = await doubleWith();
  made.answer = (_request, response) => answerWith(response, 200, '<html>login</html>');
  await expect(made.cluster.identity(signal)).rejects.toThrow(
    'The cluster main does not answer (as an API server).',
  );
});

test('Whoever gives a request up has its own reason, also while it waits in line behind ten others.', async () => {
  const made = await doubleWith();
  const open: (() => void)[] = [];
  made.answer = (_request, response) => void open.push(() => answerWith(response, 200, space));
  const ten = Array.from({ length: 10 }, () => made.cluster.identity(signal));
  await until('ten requests are there', () => open.length === 10);
  const control = new AbortController();
  const eleventh = made.cluster.identity(control.signal);
  const twelfth = made.cluster.identity(signal);
  control.abort(new Error('given up'));
  await expect(eleventh).rejects.toThrow('given up');
  expect(made.seen).toHaveLength(10);
  open[0]?.();
  await until('the next one is there', () => open.length === 11);
  for (const answer of open.slice(1)) answer();
  expect(new Set(await Promise.all([...ten, twelfth]))).toEqual(new Set(['u1']));
  expect(made.sockets.size).toBeLessThanOrEqual(10);
});

test('A gate that was left by one who waited lets in the one behind.', async () => {
  const gate = createGate(1);
  const held = Promise.withResolvers<void>();
  const control = new AbortController();
  const first = gate.pass(signal, () => held.promise);
  const second = gate.pass(control.signal, async () => 'second');
  const third = gate.pass(signal, async () => 'third');
  control.abort(new Error('left'));
  held.resolve();
  await expect(second).rejects.toThrow('left');
  expect(await third).toBe('third');
  await first;
  await expect(gate.pass(AbortSignal.abort(new Error('before')), async () => 1)).rejects.toThrow('before');
});

test('A token file is read again when the server knows its token no more, and the request is made once more.', async () => {
  const made = await doubleWith({ tokenFile: 'token' });
  writeFileSync(join(made.folder, 'token'), 'first\n');
  let good = 'first';
  made.answer = (request, response) =>
    tokenOf(request) === good ? answerWith(response, 200, space) : answerWith(response, 401, unauthorized);
  expect(await made.cluster.identity(signal)).toBe('u1');
  good = 'second';
  writeFileSync(join(made.folder, 'token'), 'second\n');
  expect(await Promise.all([1, 2, 3].map(() => made.cluster.identity(signal)))).toEqual(['u1', 'u1', 'u1']);
  expect(made.seen.map(tokenOf).slice(0, 2)).toEqual(['first', 'first']);
  good = 'third';
  await expect(made.cluster.identity(signal)).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' });
  expect(made.seen.filter((request) => tokenOf(request) === 'second')).toHaveLength(5);
});

test('A program that tells who we are is run once for its credential, and again when it has expired or is refused.', async () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './login',
    args: ['a b', '$(id)'],
    env: [{ name: 'OWN', value: 'x' }],
  };
  const made = await doubleWith({ exec: { ...exec, provideClusterInfo: true } });
  const [count, script] = [join(made.folder, 'count'), join(made.folder, 'login')];
  const write = (expires: number) => {
    const status = `"token":"t$n","expirationTimestamp":"${new Date(Date.now() + expires).toISOString()}"`;
    writeFileSync(
      script,
      `#!/bin/sh\necho "$1|$2|$OWN|$BROKER_PASSWORD|$KUBERNETES_EXEC_INFO" >> ${count}\nn=$(wc -l < ${count})\n` +
        `echo "{\\"kind\\":\\"ExecCredential\\",\\"status\\":{${status.replaceAll('"', '\\"')}}}"\n`,
    );
    chmodSync(script, 0o755);
  };
  const runs = () => readFileSync(count, 'utf8').trim().split('\n');
  write(3_600_000);
  made.answer = (_request, response) => answerWith(response, 200, space);
  await Promise.all([1, 2, 3].map(() => made.cluster.identity(signal)));
  expect(runs()).toHaveLength(1);
  const [first = ''] = runs();
  expect(first).toMatch(/^a b\|\$\(id\)\|x\|\|\{/);
  expect(JSON.parse(first.slice(first.indexOf('{')))).toMatchObject({
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: expect.stringContaining('/below') as string } },
  });
  write(1_000);
  let refused = true;
  made.answer = (request, response) => {
    if (tokenOf(request).trim() === 't1' && refused) answerWith(response, 401, unauthorized);
    else answerWith(response, 200, space);
  };
  // A credential is not asked for again at once: first it is refused for a while.
  await until('the program was run anew', async () => {
    await made.cluster.identity(signal).catch(() => undefined);
    return runs().length === 2;
  });
  refused = false;
  await made.cluster.identity(signal);
  expect(runs().length).toBeGreaterThanOrEqual(3);
  expect(tokenOf(made.seen.at(-1)).trim()).toMatch(/^t[3-9]$/);
});

test.each<[what: string, script: string, sentence: string]>([
  ['fails', 'echo canary >&2; exit 3', 'failed (exit code 3)'],
  ['writes no credential', 'echo canary', 'wrote no ExecCredential with a token or a certificate'],
])('A program that %s is an error without what it has written.', async (_what, script, sentence) => {
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/sh', args: ['-c', script] };
  const made = await doubleWith({ exec });
  await expect(made.cluster.identity(signal)).rejects.toThrow(
    new Error(`The kubeconfig of MAIN_KUBERNETES_CONFIG has an exec whose command ${sentence}.`),
  );
});

test('What a server says repeats neither our token nor what is in a Secret.', async () => {
  const made = await doubleWith({ token: 'canary-token' });
  const kinds = {
    kind: 'APIResourceList',
    resources: [{ name: 'secrets', kind: 'Secret', namespaced: true, verbs: [] }],
  };
  made.answer = (request, response) => {
    if (request.method === 'GET') return answerWith(response, 200, kinds);
    const message = `no: canary-token, canary-value, ${Buffer.from('canary-value').toString('base64')}`;
    return answerWith(response, 422, {
      kind: 'Status',
      status: 'Failure',
      reason: 'Invalid',
      message,
      details: { causes: [{ reason: 'FieldValueInvalid', message, field: 'data' }] },
    });
  };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a', namespace: 'b' },
    stringData: { x: 'canary-value' },
  };
  const error: unknown = await made.cluster
    .apply(secret, { force: false }, signal)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    status: 422,
    reason: 'Invalid',
    message: 'no: [hidden], [hidden], [hidden]',
  });
  expect(JSON.stringify(error)).not.toContain('canary');
});

test('A kind that has gone away after it was looked up is not served, and no object of it is absent.', async () => {
  const made = await doubleWith();
  const resources = [{ name: 'things', kind: 'Thing', namespaced: false, verbs: ['get'] }];
  let isServed = true;
  made.answer = (request, response) => {
    const isList = request.url === '/below/apis/example.com/v1';
    if (isServed && isList) answerWith(response, 200, { kind: 'APIResourceList', resources });
    else if (isServed)
      answerWith(response, 404, { kind: 'Status', reason: 'NotFound', message: 'things "a" not found' });
    else answerWith(response, 404, '404 page not found\n');
  };
  const thing = { apiVersion: 'example.com/v1', kind: 'Thing', name: 'a' };
  expect(await made.cluster.get(thing, signal)).toBeUndefined();
  isServed = false;
  await expect(made.cluster.get(thing, signal)).rejects.toMatchObject({ status: 404, reason: 'NoKind' });
  expect(await made.cluster.served(thing, signal)).toBeUndefined();
});

test('A list that the server can no longer continue is had again as a whole.', async () => {
  const made = await doubleWith();
  const resources = [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: [] }];
  const item = (name: string) => ({ metadata: { name } });
  made.answer = (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://a');
    if (pathname === '/below/api/v1')
      return answerWith(response, 200, { kind: 'APIResourceList', resources });
    if (searchParams.has('continue')) return answerWith(response, 410, { kind: 'Status', reason: 'Expired' });
    if (searchParams.has('limit'))
      return answerWith(response, 200, { metadata: { continue: 'x' }, items: [item('a')] });
    return answerWith(response, 200, { metadata: {}, items: [item('a'), item('b')] });
  };
  const found = await made.cluster.list(
    { apiVersion: 'v1', kind: 'ConfigMap' },
    { labels: { 'a/b': 'c' } },
    signal,
  );
  expect(found).toEqual(
    ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })),
  );
  expect(made.seen.at(-1)?.url).toBe('/below/api/v1/configmaps?labelSelector=a%2Fb%3Dc');
});

describe('The clusters of a configuration', () => {
  const files = (...variables: string[]) =>
    createClusters({
      clusterConfigs: Object.fromEntries(variables.map((one) => [one, '/nowhere/config#x'])),
    });

  test('Without a name the cluster of KUBERNETES_CONFIG is meant, else the only one, and none of several.', () => {
    expect(files('KUBERNETES_CONFIG', 'A_KUBERNETES_CONFIG').find()?.name).toBe('default');
    expect(files('A_KUBERNETES_CONFIG').find()?.name).toBe('a');
    expect(files('A_KUBERNETES_CONFIG', 'B_KUBERNETES_CONFIG').find()).toBeUndefined();
    expect(files().find()).toBeUndefined();
    expect(files('A_KUBERNETES_CONFIG').find('b')).toBeUndefined();
  });

  test('A kubeconfig that cannot be read is an error of who uses it, and names its variable.', async () => {
    await expect(files('A_KUBERNETES_CONFIG').find()?.identity(signal)).rejects.toThrow(
      'The kubeconfig of A_KUBERNETES_CONFIG names /nowhere/config, which cannot be read (ENOENT).',
    );
  });
});
