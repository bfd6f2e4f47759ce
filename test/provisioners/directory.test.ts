import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { isObject, type JsonObject } from '../../src/broker/json.ts';
import { keyOf } from '../../src/broker/key.ts';
import type { Made, Provisioner, Work } from '../../src/broker/provisioner.ts';
import { render } from '../../src/broker/template.ts';
import { runProgram } from '../../src/system/run-program.ts';
import { directories } from '../../src/provisioners/directory/index.ts';
import { aBinding, aPlan, anInstance } from '../broker/fixtures.ts';
import { aTestNode, type TestNode } from '../node/test-node.ts';
import { aWork, describeProvisioner, finish } from './contract.ts';

let testNode: TestNode;
let provisioner: Provisioner;
let roots: readonly string[];

beforeEach(async () => {
  testNode = await aTestNode();
  provisioner = directories(testNode);
  roots = ['a', 'b'].map((name) => join(testNode.place, name));
  for (const root of roots) mkdirSync(root, { mode: 0o755 });
});
afterEach(() => testNode.close());

function workOn(instanceId: string, config: JsonObject = { roots }, rest: Partial<Work> = {}): Work {
  const plan = aPlan({ making: { provisioner: 'directory', config }, offeringName: 'filesystem' });
  return { ...aWork({ plan, instanceId, values: { plan: { quota_mb: 1 } } }), ...rest };
}

function pathIn({ facts }: Made): string {
  const dir = facts?.['dir'];
  return isObject(dir) && typeof dir['data'] === 'string' ? dir['data'] : '';
}

const make = async (id: string, config?: JsonObject) =>
  pathIn(await finish(provisioner, 'provision', workOn(id, config)));
const look = async (work: Work) => (await provisioner.units?.inspect(work))?.[0];
const asAccount = (...command: string[]) =>
  runProgram(testNode.node, { command, cwd: '/', env: { PATH: testNode.node.path }, timeoutMs: 30_000 });

describeProvisioner('the directory one', async () => {
  const own = await aTestNode();
  return {
    provisioner: directories(own),
    making: { config: { mode: '0770', quota_mb: 50 } },
    close: () => own.close(),
  };
});

describe('The directory of an instance', () => {
  test('The directory of an instance is the same for all bindings: what one writes the other reads.', async () => {
    const made = await finish(provisioner, 'provision', workOn('i1'));
    const template = { path: '{{dir.data}}', volume: { device: { host_path: '{{dir.data}}' } } };
    const [one, other] = await Promise.all(
      ['b1', 'b2'].map(async (bindingId) => {
        const work = { ...workOn('i1'), binding: aWork({ plan: aPlan(), bindingId }).binding } as Work;
        const bound = await finish(provisioner, 'bind', work);
        return render(template, { ...made.facts, ...bound.facts }) as { path: string };
      }),
    );
    expect(one).toEqual(other);
    expect((await asAccount('sh', '-c', 'echo hello > "$1/file"', 'sh', one?.path ?? '')).code).toBe(0);
    expect((await asAccount('cat', join(other?.path ?? '', 'file'))).stdout).toBe('hello\n');
    await finish(provisioner, 'deprovision', workOn('i1'));
    expect(existsSync(dirname(one?.path ?? ''))).toBe(false);
  });

  test('The directory of an instance lies under the roots in turn.', async () => {
    const paths: string[] = [];
    for (const id of ['i1', 'i2', 'i3', 'i4']) paths.push(await make(id));
    expect(paths.map((path) => dirname(dirname(path)))).toEqual([roots[0], roots[1], roots[0], roots[1]]);
    await finish(provisioner, 'deprovision', workOn('i1'));
    await finish(provisioner, 'deprovision', workOn('i3'));
    expect(await make('i5')).toContain(`${roots[0]}/`);
    expect(await make('i6')).toContain(`${roots[0]}/`);
  });

  test('The directory of an instance lies under the roots in turn when many are made at once.', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, index) => make(`i${index}`)));
    expect(roots.map((root) => readdirSync(root).length)).toEqual([5, 5]);
  });

  test('The directory of an instance stays where it is when it is made again or changed, wherever there is more room.', async () => {
    const paths = [await make('i1'), await make('i2')];
    await finish(provisioner, 'deprovision', workOn('i1'));
    expect(await make('i2')).toBe(paths[1]);
    const [first = ''] = roots;
    expect(pathIn(await finish(provisioner, 'update', workOn('i2', { roots: [first] })))).toBe(paths[1]);
    await finish(provisioner, 'deprovision', workOn('i2', { roots: [first] }));
    expect(roots.flatMap((root) => readdirSync(root))).toEqual([]);
  });

  test("The directory of an instance is found again when the node's directory was restored elsewhere, and its bindings follow.", async () => {
    const made = await finish(provisioner, 'provision', workOn('i1', {}));
    const moved = `${testNode.node.directory}-restored`;
    renameSync(testNode.node.directory, moved);
    const restored = directories({ node: { ...testNode.node, directory: moved } });
    const confidential = { parameters: {}, secrets: {}, facts: made.facts ?? {} };
    const instance = anInstance({ id: 'i1', confidential });
    const work = workOn('i1', {}, { instance });
    const path = join(moved, 'directory', keyOf('i1'), 'data');
    expect(pathIn(await finish(restored, 'bind', { ...work, binding: aBinding() }))).toBe(path);
    expect(pathIn(await finish(restored, 'update', work))).toBe(path);
    expect((await restored.units?.inspect(work))?.[0]).toMatchObject({ alive: true });
    // Repeated, as after a death, when nothing is there any more.
    for (const _time of [1, 2]) await finish(restored, 'deprovision', work);
    expect(readdirSync(join(moved, 'directory'))).toEqual([]);
    renameSync(moved, testNode.node.directory);
  });

  test("The directory of an instance lies in the node's own directory when there are no roots.", async () => {
    expect(await make('i1', {})).toBe(join(testNode.node.directory, 'directory', keyOf('i1'), 'data'));
  });

  test.each([['../../up'], ['a/b'], ['..'], ['ñ 👍🏽']])(
    'The directory of an instance lies in its root for the id %j.',
    async (id) => {
      const path = await make(id);
      expect(path).toBe(join(roots[0] ?? '', keyOf(id), 'data'));
      expect(readdirSync(roots[0] ?? '')).toEqual([keyOf(id)]);
    },
  );

  test('The directory of an instance may lie under a root that is a link.', async () => {
    const link = join(testNode.place, 'link');
    symlinkSync(roots[0] ?? '', link);
    expect(await make('i1', { roots: [link] })).toBe(join(link, keyOf('i1'), 'data'));
    expect(readdirSync(roots[0] ?? '')).toEqual([keyOf('i1')]);
    await finish(provisioner, 'deprovision', workOn('i1', { roots: [link] }));
    expect(readdirSync(roots[0] ?? '')).toEqual([]);
  });

  test.each([['base'], ['data']])(
    'The directory of an instance is never what a link in the place of its %s leads to.',
    async (part) => {
      const elsewhere = join(testNode.place, 'elsewhere');
      mkdirSync(elsewhere);
      writeFileSync(join(elsewhere, 'precious'), '');
      const base = join(roots[0] ?? '', keyOf('i1'));
      if (part === 'data') mkdirSync(base);
      symlinkSync(elsewhere, part === 'data' ? join(base, 'data') : base);
      await expect(make('i1')).rejects.toMatchObject({ word: 'storage' });
      await finish(provisioner, 'deprovision', workOn('i1')).catch(() => undefined);
      expect(readdirSync(elsewhere)).toEqual(['precious']);
    },
  );

  test('The directory of an instance has the mode of the offering, also after a change of it.', async () => {
    const path = await make('i1', { roots, mode: '0777' });
    expect(statSync(path).mode & 0o7777).toBe(0o777);
    await finish(provisioner, 'update', workOn('i1', { roots, mode: '2770' }));
    expect(statSync(path).mode & 0o7777).toBe(0o2770);
    expect(statSync(await make('i2')).mode & 0o7777).toBe(0o770);
    expect(statSync(path).uid).toBe(testNode.node.account?.uid ?? process.getuid?.());
  });

  test.each([
    ['a file', 'file', 'it is a file, and must be a directory'],
    ['where nothing can be made', '/proc', 'its path leads nowhere, or to where no directory can be made'],
  ])(
    'The directory of an instance is not made under a root that is %s; the operator is told option and cause.',
    async (_what, at, cause) => {
      writeFileSync(join(testNode.place, 'file'), '');
      const root = resolve(testNode.place, at);
      await expect(make('i1', { roots: [root] })).rejects.toMatchObject({
        word: 'storage',
        hints: { detail: `roots: ${root} cannot be used: ${cause}.` },
      });
    },
  );

  test('The directory of an instance is not made under a root behind a file; the operator is told so.', async () => {
    writeFileSync(join(testNode.place, 'file'), '');
    const root = join(testNode.place, 'file', 'below');
    await expect(make('i1', { roots: [root] })).rejects.toMatchObject({
      hints: { detail: `roots: ${root} cannot be used: a part of its path is a file.` },
    });
  });

  test('The directory of an instance is not made where a root is missing, for nobody knows what is there.', async () => {
    renameSync(roots[1] ?? '', join(testNode.place, 'away'));
    for (const deed of ['provision', 'deprovision'] as const) {
      await expect(finish(provisioner, deed, workOn('i1'))).rejects.toMatchObject({
        word: 'storage',
        hints: { detail: `roots: ${roots[1]} cannot be used: it is not there.` },
      });
    }
    expect(readdirSync(roots[0] ?? '')).toEqual([]);
  });

  test('The directory of an instance cannot be bound when it is gone.', async () => {
    const path = await make('i1');
    rmSync(dirname(path), { recursive: true });
    await expect(provisioner.bind?.(workOn('i1'))).rejects.toMatchObject({ word: 'gone' });
    await expect(provisioner.update?.(workOn('i1'))).rejects.toMatchObject({ word: 'gone' });
  });
});

test.each([
  [{ roots: ['relative'] }],
  [{ roots: [] }],
  [{ roots: ['/a', '/a'] }],
  [{ mode: '0999' }],
  [{ mode: 770 }],
  [{ quota_mb: 0 }],
])('An offering file cannot say %j.', (config) => {
  expect(new Ajv({ strict: false }).validate(provisioner.traits.config, config)).toBe(false);
});

describe('A look', () => {
  const config = () => ({ roots, quota_mb: '{{plan.quota_mb}}' });

  test('A look tells how much is used.', async () => {
    const path = await make('i1', config());
    writeFileSync(join(path, 'file'), 'x'.repeat(100_000));
    expect(await look(workOn('i1', config()))).toEqual({
      unit: 'filesystem',
      alive: true,
      answer: 'ready',
      reason: '1 MB of 1 MB are used',
    });
    expect(await look(workOn('i1'))).toEqual({ unit: 'filesystem', alive: true, answer: 'ready' });
  });

  test('A look says when there is more than the quota, and closes nothing: files can be made and deleted.', async () => {
    const path = await make('i1', config());
    expect((await asAccount('dd', 'if=/dev/zero', `of=${path}/big`, 'bs=1M', 'count=3')).code).toBe(0);
    expect(await look(workOn('i1', config()))).toEqual({
      unit: 'filesystem',
      alive: true,
      answer: 'ready',
      reason: 'it is over its quota: 4 MB of 1 MB are used',
      warning: 'it is over its quota: 4 MB of 1 MB are used',
    });
    expect(statSync(path).mode & 0o777).toBe(0o770);
    expect((await asAccount('touch', join(path, 'new'))).code).toBe(0);
    expect((await asAccount('rm', join(path, 'big'))).code).toBe(0);
    expect((await look(workOn('i1', config())))?.reason).toBe('1 MB of 1 MB are used');
  });

  test('A look warns from nine tenths of the quota.', async () => {
    const path = await make('i1', config());
    writeFileSync(join(path, 'large'), Buffer.alloc(1_000_000, 'x'));
    expect(await look(workOn('i1', config()))).toMatchObject({ warning: '1 MB of 1 MB are used' });
  });

  test('A look changes no mode that somebody has given the directory.', async () => {
    const path = await make('i1', config());
    writeFileSync(join(path, 'big'), Buffer.alloc(2_000_000, 'x'));
    chmodSync(path, 0o700);
    await look(workOn('i1', config()));
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  test('A look holds it against the quota of the plan as it is now.', async () => {
    const path = await make('i1', config());
    writeFileSync(join(path, 'big'), Buffer.alloc(2_000_000, 'x'));
    expect((await look(workOn('i1', config())))?.reason).toMatch(/over its quota/);
    const larger = workOn('i1', config(), { values: { plan: { quota_mb: 10 } } });
    await finish(provisioner, 'update', larger);
    expect((await look(larger))?.reason).toBe('2 MB of 10 MB are used');
  });

  test('A look counts what is on the disk: neither holes nor what links lead to.', async () => {
    const path = await make('i1', config());
    writeFileSync(join(path, 'sparse'), '');
    truncateSync(join(path, 'sparse'), 1_000_000_000);
    symlinkSync('/usr', join(path, 'usr'));
    expect((await look(workOn('i1', config())))?.reason).toBe('1 MB of 1 MB are used');
  });

  test('A look sees into folders that are closed.', async () => {
    const path = await make('i1', config());
    mkdirSync(join(path, 'closed'));
    writeFileSync(join(path, 'closed', 'big'), Buffer.alloc(3_000_000, 'x'));
    chmodSync(join(path, 'closed'), 0);
    const reason = (await look(workOn('i1', config())))?.reason;
    chmodSync(join(path, 'closed'), 0o700);
    if (process.getuid?.() === 0) expect(reason).toMatch(/over its quota/);
    else expect(reason).toMatch(/MB are used/);
  });

  test('A look finds what is gone: the directory, or its root.', async () => {
    const path = await make('i1');
    rmSync(dirname(path), { recursive: true });
    expect(await look(workOn('i1'))).toMatchObject({ alive: false, fault: 'its directory is gone' });
    rmSync(roots[0] ?? '', { recursive: true });
    const fault = 'the root of its directory is not there';
    expect(await look(workOn('i1'))).toMatchObject({ alive: false, fault });
    const instance = anInstance({
      confidential: { parameters: {}, secrets: {}, facts: { dir: { base: dirname(path) } } },
    });
    expect(await look(workOn('i1', {}, { instance }))).toMatchObject({ alive: false, fault });
  });
});

describe('The inventory', () => {
  test('The inventory knows all roots that were ever used, and leaves out what others have there.', async () => {
    await make('i1');
    await make('i2');
    await make('i3', {});
    const planted = join(roots[0] ?? '', keyOf('nobody'));
    mkdirSync(planted);
    mkdirSync(join(roots[0] ?? '', 'of-somebody-else'));
    const restarted = directories(testNode);
    const listed = (await restarted.inventory?.()) ?? [];
    expect(listed).toHaveLength(4);
    expect(listed).toContainEqual({ name: `directory ${planted}`, key: keyOf('nobody') });
    expect(listed.map(({ instanceId }) => instanceId)).toEqual(expect.arrayContaining(['i1', 'i2', 'i3']));
    rmSync(roots[1] ?? '', { recursive: true });
    expect(await restarted.inventory?.()).toHaveLength(3);
  });

  test("The inventory lists all that is in the node's own root, whatever its name, but never what holds another root.", async () => {
    await make('i1', {});
    const own = join(testNode.node.directory, 'directory');
    const inside = join(own, 'deep', 'volumes');
    mkdirSync(inside, { recursive: true });
    const link = join(testNode.place, 'link');
    symlinkSync(inside, link);
    await make('i2', { roots: [link] });
    for (const name of ['foo', '.hidden', 'deeper']) mkdirSync(join(own, name));
    const listed = (await provisioner.inventory?.()) ?? [];
    expect(listed.toSorted((one, other) => one.name.localeCompare(other.name))).toEqual(
      [
        { name: `directory ${join(own, '.hidden')}` },
        { name: `directory ${join(own, 'deeper')}` },
        { name: `directory ${join(own, 'foo')}` },
        { name: `directory ${join(own, keyOf('i1'))}`, instanceId: 'i1', key: keyOf('i1') },
        { name: `directory ${join(link, keyOf('i2'))}`, instanceId: 'i2', key: keyOf('i2') },
      ].toSorted((one, other) => one.name.localeCompare(other.name)),
    );
    await provisioner.purge?.({ name: `directory ${join(own, 'foo')}` });
    await provisioner.purge?.({ name: `directory ${join(own, 'deep')}` });
    expect(readdirSync(own).toSorted()).toEqual(['.hidden', 'deep', 'deeper', keyOf('i1')].toSorted());
    expect(readdirSync(inside)).toEqual([keyOf('i2')]);
  });

  test('The inventory gives the names by which things are removed, and nothing else is.', async () => {
    const path = await make('i1');
    await provisioner.purge?.({ name: `directory ${testNode.place}` });
    await provisioner.purge?.({ name: `directory ${roots[0]}` });
    expect(existsSync(path)).toBe(true);
    const [thing] = (await provisioner.inventory?.()) ?? [];
    if (thing) await provisioner.purge?.(thing);
    expect(readdirSync(roots[0] ?? '')).toEqual([]);
    expect(readFileSync(join(testNode.node.directory, 'lock'), 'utf8')).not.toBe('');
  });
});
