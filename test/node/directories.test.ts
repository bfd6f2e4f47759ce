import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../src/broker/key.ts';
import {
  instanceDirectory,
  listInstanceDirectories,
  makeInstanceDirectory,
  purgeInstanceDirectory,
  removeInstanceDirectory,
} from '../../src/node/instance-directory.ts';
import type { NodeOptions } from '../../src/node/open-node.ts';
import { runProgram } from '../../src/system/run-program.ts';
import { aTestNode, type TestNode } from './test-node.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

let testNode: TestNode;
const notes: string[] = [];

beforeEach(async () => {
  notes.length = 0;
  testNode = await aTestNode();
});
afterEach(() => testNode.close());

const isRoot = process.getuid?.() === 0;
const forRoot = isRoot ? test : test.skip;
const needsRoot = isRoot ? '' : ' (skipped: needs root)';

const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8);
const things = () => listInstanceDirectories(testNode.node, 'thing');

describe("An instance's directory", () => {
  test("An instance's directory has a place for everything, and is made twice to the same end.", async () => {
    const made = await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    expect(made).toEqual(instanceDirectory(testNode.node, 'thing', { id: 'i1' }));
    writeFileSync(join(made.data, 'kept'), '');
    rmSync(made.run, { recursive: true });
    await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    expect(readdirSync(made.base).toSorted()).toEqual([
      'conf',
      'data',
      'instance.json',
      'log',
      'run',
      'state',
    ]);
    expect(readdirSync(made.data)).toEqual(['kept']);
  });

  test.each([['../../up'], ['a/b'], ['.'], ['ñ 👍🏽'], ['x'.repeat(300)]])(
    "An instance's directory stays below its parent for the id %j.",
    async (id) => {
      const { base } = await makeInstanceDirectory(testNode.node, 'thing', { id });
      expect(readdirSync(join(testNode.node.directory, 'thing'))).toEqual([keyOf(id)]);
      expect(base).toBe(join(testNode.node.directory, 'thing', keyOf(id)));
      expect(things()).toEqual([{ name: `directory ${keyOf(id)}`, instanceId: id, key: keyOf(id) }]);
    },
  );

  test("An instance's directory belongs to the account where programs work, and to the broker where it keeps its own.", async () => {
    const made = await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    const { account } = testNode.node;
    for (const path of [made.conf, made.data, made.log, made.run]) {
      expect(modeOf(path)).toBe('700');
      expect(statSync(path).uid).toBe(account?.uid ?? process.getuid?.());
    }
    expect(modeOf(made.state)).toBe('700');
    expect(modeOf(made.base)).toBe(account ? '710' : '700');
    expect(statSync(made.state).uid).toBe(process.getuid?.());
  });

  test("An instance's directory lets programs write their data and nothing of the broker.", async () => {
    const made = await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    const script =
      'touch data/mine && ! touch state/mine && ! touch mine && ! cat instance.json && ! mv data other';
    const command = ['sh', '-c', `cd "$1" && ${script}`, 'sh', made.base];
    const ran = await runProgram(testNode.node, {
      command,
      cwd: '/',
      env: { PATH: testNode.node.path },
      timeoutMs: 30_000,
    });
    // The broker's own user may do all of this.
    expect(ran.code).toBe(isRoot ? 0 : 1);
    expect(existsSync(join(made.data, 'mine'))).toBe(true);
  });

  test("An instance's directory is removed whatever is in it, twice, and the next one is empty.", async () => {
    const made = await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    mkdirSync(join(made.data, 'closed'), { mode: 0o755 });
    writeFileSync(join(made.data, 'closed', 'file'), '');
    execFileSync('chmod', ['000', join(made.data, 'closed')]);
    symlinkSync(testNode.place, join(made.data, 'out'));
    for (const _time of [1, 2]) await removeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    expect(readdirSync(join(testNode.node.directory, 'thing'))).toEqual([]);
    expect(existsSync(testNode.place)).toBe(true);
    await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    expect(readdirSync(made.data)).toEqual([]);
  });

  test('What a broken making or removing left is listed with its key, and goes with the instance.', async () => {
    const { base } = await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    const key = keyOf('i1');
    for (const name of [`.new-${key}-1`, `.old-${key}-2`]) mkdirSync(join(base, '..', name));
    mkdirSync(join(base, '..', `.new-${keyOf('i2')}-3`));
    expect(things()).toContainEqual({ name: `directory .new-${key}-1`, key });
    await removeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    expect(things()).toEqual([{ name: `directory .new-${keyOf('i2')}-3`, key: keyOf('i2') }]);
  });

  test('A directory that nobody can have made is listed, and is not believed to be of an instance it is not named after.', async () => {
    await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    const parent = join(testNode.node.directory, 'thing');
    mkdirSync(join(parent, 'planted'));
    mkdirSync(join(parent, keyOf('i2')));
    writeFileSync(join(parent, keyOf('i2'), 'instance.json'), '{"id": "i1"}');
    writeFileSync(join(parent, 'a-file'), '');
    expect(things()).toHaveLength(3);
    expect(things()).toContainEqual({ name: 'directory planted' });
    expect(things()).toContainEqual({ name: `directory ${keyOf('i2')}`, key: keyOf('i2') });
  });

  test('Purging removes what was listed, and never anything else.', async () => {
    await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
    mkdirSync(join(testNode.node.directory, 'thing', 'planted'));
    for (const name of [
      'directory planted',
      'directory planted',
      'directory ..',
      'directory ',
      'directory ../thing',
    ]) {
      await purgeInstanceDirectory(testNode.node, 'thing', { name });
    }
    expect(things()).toEqual([{ name: `directory ${keyOf('i1')}`, instanceId: 'i1', key: keyOf('i1') }]);
  });

  test('A link in its place is in the way.', async () => {
    mkdirSync(join(testNode.node.directory, 'thing'));
    symlinkSync(testNode.place, join(testNode.node.directory, 'thing', keyOf('i1')));
    await expect(makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' })).rejects.toThrow(/in the way/);
  });
});

describe('A node', () => {
  const another = (rest: Partial<NodeOptions>) =>
    aTestNode({ directory: testNode.node.directory, note: (message) => notes.push(message), ...rest });

  test('A node knows its machine, and runs programs as nobody when the broker is root.', () => {
    expect(testNode.node.machine).toMatch(/^[0-9a-f-]{36}$/);
    expect(testNode.node.account?.name).toBe(isRoot ? 'nobody' : undefined);
    expect(modeOf(testNode.node.directory)).toBe(isRoot ? '711' : '700');
  });

  test('A node is one broker at a time.', async () => {
    await expect(another({})).rejects.toThrow(
      `${testNode.node.directory} cannot be this node's directory. It is in use by another broker, process ${process.pid}.`,
    );
    testNode.node.close();
    const next = await another({});
    testNode.node.close();
    await expect(another({})).rejects.toThrow(/in use/);
    await next.close();
  });

  test.each([['{"pid": 1, "startTime": "1", "bootId": "another"}'], ['{"pi']])(
    'A node takes over the directory of a broker that has died: %s.',
    async (lock) => {
      testNode.node.close();
      writeFileSync(join(testNode.node.directory, 'lock'), lock);
      const next = await another({});
      // Where its groups are is remembered, on machines that have any.
      const entries = () => readdirSync(testNode.node.directory).filter((name) => name !== 'groups.json');
      expect(entries()).toEqual(['lock']);
      await next.close();
      expect(entries()).toEqual([]);
    },
  );

  test('Of two brokers that start at once over the dead one of a node, one gets it.', async () => {
    testNode.node.close();
    writeFileSync(join(testNode.node.directory, 'lock'), '');
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => another({})));
    const opened = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(opened).toHaveLength(1);
    await opened[0]?.close();
  });

  test('A node needs an address of this machine, and makes nothing before.', async () => {
    const directory = join(testNode.place, 'never');
    await expect(another({ directory, bind: '192.0.2.1' })).rejects.toThrow(
      `Cannot listen on NODE_BIND (EADDRNOTAVAIL). It must be an address of this machine, and is NODE_HOST unless it is set.`,
    );
    expect(existsSync(directory)).toBe(false);
  });

  test.each([['0.0.0.0'], ['127.0.0.2'], ['localhost']])(
    'A node may have programs listen on %s.',
    async (bind) => {
      const other = await another({ directory: join(testNode.place, 'other'), bind });
      expect(other.node.bind).toBe(bind);
      await other.close();
    },
  );

  test('A node needs an account that there is.', async () => {
    await expect(another({ account: 'no-such-user' })).rejects.toThrow(/no such user as NODE_USER names/);
  });

  forRoot(`can run programs as root, when that is wanted.${needsRoot}`, async () => {
    testNode.node.close();
    const next = await another({ account: 'root' });
    expect(next.node.account).toBeUndefined();
    await next.close();
  });

  forRoot(`keeps its things where the account can reach them.${needsRoot}`, async () => {
    const closed = scratchDirectory('closed');
    const directory = join(closed, 'node');
    for (const _start of [1, 2]) {
      const next = await another({ directory, shelter: testNode.place });
      expect(next.node.directory).toMatch(join(testNode.place, 'purveyor-node-'));
      expect(realpathSync(directory)).toBe(next.node.directory);
      await next.close();
    }
    const shares = expect.stringMatching(
      /^All instances that run programs share the account nobody: NODE_USERS/,
    );
    expect(notes).toEqual([expect.stringMatching(/is a link to .* nobody cannot enter/), shares, shares]);
    rmSync(realpathSync(directory), { recursive: true });
    await expect(another({ directory, shelter: testNode.place })).rejects.toThrow(/a folder that is gone/);
  });

  forRoot(`does not begin where the account cannot work.${needsRoot}`, async () => {
    const closed = scratchDirectory('closed');
    mkdirSync(join(closed, 'node'));
    await expect(another({ directory: join(closed, 'node') })).rejects.toThrow(/nobody cannot enter/);
  });
});
