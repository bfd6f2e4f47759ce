import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClusterError } from '../../../src/provisioners/kubernetes/cluster-error.ts';
import { brokerOf, carry, workOf } from './carry.ts';
import { aMemoryCluster, type MemoryCluster } from './memory-cluster.ts';
import { redisConfig } from './offerings.ts';

/** The rows of the table in docs/kubernetes.md that a real API server without kubelets does not bring about. */

const program = { unit: 'redis', run: ['redis-cli'], send: 'x', expect: 'OK' };
const config = { ...redisConfig, bind: { exec: [program] }, unbind: { exec: [program] } };
let memory: MemoryCluster;
beforeEach(() => {
  memory = aMemoryCluster();
});

/** The first of such requests is answered so. */
function answerOnce(verb: string, parts: ConstructorParameters<typeof ClusterError>[0]): void {
  let isSaid = false;
  memory.before = (asked) => {
    if (asked !== verb || isSaid) return;
    isSaid = true;
    throw new ClusterError(parts);
  };
}

async function provisioned() {
  const { made } = await carry(brokerOf(memory), 'provision', workOf({ config }));
  return { config, facts: made.facts ?? {}, binding: 'b1' };
}

test('409 of a race: It is tried again at once.', async () => {
  answerOnce('apply', { status: 409, reason: 'AlreadyExists', message: 'configmaps "x" already exists' });
  const { notes } = await carry(brokerOf(memory), 'provision', workOf({ config }));
  expect(notes).toContain('It was changed by somebody else at the same time.');
});

test('5xx: The step throws, so that it is tried again, and nothing is made twice.', async () => {
  answerOnce('apply', { status: 500, message: 'etcdserver: leader changed' });
  await expect(carry(brokerOf(memory), 'provision', workOf({ config }))).rejects.toMatchObject({
    status: 500,
  });
  await carry(brokerOf(memory), 'provision', workOf({ config }));
  expect(memory.objects().filter(({ kind }) => kind === 'StatefulSet')).toHaveLength(1);
});

test('No pod for a program: It is waited for.', async () => {
  const parts = await provisioned();
  memory.pods = 'none';
  memory.write('StatefulSet', 'redis', { spec: { again: true } });
  const { notes } = await carry(brokerOf(memory), 'bind', workOf(parts), (_memo, count) => {
    if (count !== 4) return;
    memory.pods = 'ready';
    memory.write('StatefulSet', 'redis', { spec: { again: false } });
  });
  expect(notes.length).toBeGreaterThan(0);
  expect(memory.ran).toHaveLength(1);
});

test('403 without a word for a program: It is a failure.', async () => {
  const parts = await provisioned();
  answerOnce('exec', { status: 403, message: '' });
  await expect(carry(brokerOf(memory), 'bind', workOf(parts))).rejects.toMatchObject({ word: 'forbidden' });
});

test('A program that fails: A bind is a failure with its words redacted, and an unbind is tried again.', async () => {
  const parts = await provisioned();
  memory.answer = () => ({ exitCode: 1, stdout: '', stderr: 'NOAUTH a-secret-of-all' });
  await expect(carry(brokerOf(memory), 'bind', workOf(parts))).rejects.toMatchObject({
    hints: { detail: expect.stringContaining('NOAUTH ***') as string },
  });
  let tries = 0;
  memory.answer = () => {
    tries += 1;
    return tries < 3
      ? { exitCode: 1, stdout: '', stderr: 'NOAUTH' }
      : { exitCode: 0, stdout: 'OK', stderr: '' };
  };
  await carry(brokerOf(memory), 'unbind', workOf(parts));
  expect(tries).toBe(3);
});

test('A broker that dies after an apply: It is applied again, onto the same objects.', async () => {
  let before: unknown;
  await carry(brokerOf(memory), 'provision', workOf({ config }), (_memo, count) => {
    if (count === 4) before = memory.find('Secret', 'redis-auth')?.metadata['uid'];
    return count !== 4;
  });
  expect(before).toBeDefined();
  expect(memory.find('Secret', 'redis-auth')?.metadata['uid']).toBe(before);
});

test('Each row of the table of failures in docs/kubernetes.md is the beginning of a test’s title, and the other way round.', () => {
  const page = readFileSync('docs/kubernetes.md', 'utf8');
  const table = page.slice(page.indexOf('## When something fails'));
  const rows = [...table.matchAll(/^\| (.+?) +\| .+ \| (real|memory) +\|$/gm)].map(
    ([, row = '', where = '']) => `${row}, ${where}`,
  );
  const titles = [
    ...titlesIn('failure-table.test.ts').map((row) => `${row}, real`),
    ...titlesIn('failures-in-memory.test.ts').map((row) => `${row}, memory`),
  ];
  expect(rows.toSorted()).toEqual(titles.toSorted());
});

/** What stands before the colon; those of tables stand in their rows. */
function titlesIn(file: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8');
  const single = [...text.matchAll(/^ +?test\('([^':]+):|^test\('([^':]+):/gm)].map(
    ([, inner, outer]) => inner ?? outer ?? '',
  );
  const tables = [...text.matchAll(/^ {2}test\.each\(\[([^]+?)^ {2}\]\)/gm)].flatMap(([, rows = '']) =>
    [...rows.matchAll(/^ {4}\['([^']+)'/gm)].map(([, row = '']) => row),
  );
  return [...single, ...tables];
}
