import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../src/system/account.ts';
import { launch } from '../../src/system/launch.ts';
import type { Amounts } from '../../src/system/limits/amounts.ts';
import { createGroups, type Groups } from '../../src/system/limits/groups.ts';
import { readHierarchies } from '../../src/system/limits/hierarchies.ts';
import type { LimitKeeper } from '../../src/system/limits/keeper.ts';
import { describeLimits, openLimits } from '../../src/system/limits/open-limits.ts';
import { treeOfV2 } from '../../src/system/limits/trees.ts';
import { endProcess } from '../../src/system/end-process.ts';
import { identityOf, isAlive } from '../../src/system/process-identity.ts';
import { runProgram } from '../../src/system/run-program.ts';
import { openStarter } from '../../src/system/starter/starter.ts';
import type { TestNode } from '../node/test-node.ts';
import { aNodeWithWork } from './work-directory.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

let testNode: TestNode;
let directory: string;
let keeper: LimitKeeper;

const open = () => openLimits('limits-test', directory, join(testNode.place, 'groups.json'), false);
const probe = await openLimits('limits-probe', '/', join(scratchDirectory('limits'), 'groups.json'), false);
/** Where no control group can be made these are left out: they ask the kernel. */
const testGroups = probe.groups ? test : test.skip;

beforeAll(async () => {
  ({ testNode, directory } = await aNodeWithWork());
  keeper = await open();
});

afterAll(async () => {
  for (const name of keeper.groups?.list() ?? []) await keeper.groups?.remove(name);
  await testNode.close();
});

const hostOf = (group: string, amounts: Amounts, by = keeper): Host => ({
  ...testNode.node,
  limits: { keeper: by, group, amounts },
});

const run = (host: Host, script: string) =>
  runProgram(host, {
    command: ['sh', '-c', script],
    cwd: directory,
    env: { PATH: testNode.node.path, size: 'its own' },
    timeoutMs: 20_000,
  });

const megabyte = 1024 * 1024;
const rlimitsAlone: LimitKeeper = { ways: { memory: 'rlimits', cpu: 'missing', pids: 'rlimits' } };

describe('Limits that control groups keep', () => {
  testGroups('A program over its memory is ended and counted, while a neighbour goes on.', async () => {
    const [over, beside] = [
      hostOf('over', { memory: 32 * megabyte }),
      hostOf('beside', { memory: 32 * megabyte }),
    ];
    const neighbour = await launch(beside, {
      command: ['sleep', '60'],
      cwd: directory,
      env: { PATH: testNode.node.path },
      identityFile: join(testNode.place, 'neighbour.json'),
      logFile: join(directory, 'neighbour.log'),
    });
    const { stdout } = await run(over, 'head -c 120000000 /dev/zero | tail -c 110000000 | wc -c');
    expect(Number(stdout)).toBe(0);
    expect(keeper.groups?.count('over').memoryKills).toBeGreaterThan(0);
    expect(keeper.groups?.count('beside').memoryKills).toBe(0);
    expect(isAlive(neighbour)).toBe(true);
    await endProcess(neighbour, { termMs: 1000, killMs: 1000 });
  });

  testGroups('A program is in its group before it begins, and so is what it starts.', async () => {
    const { stdout } = await run(
      hostOf('inside', { pids: 20 }),
      'cat /proc/self/cgroup; setsid cat /proc/self/cgroup',
    );
    const places = stdout.split('\n').filter((line) => line.includes('pids') || line.startsWith('0::'));
    expect(places.filter((line) => line.endsWith('/inside')).length).toBeGreaterThanOrEqual(2);
  });

  testGroups('Processes that multiply get no further than pids, and all end with their group.', async () => {
    const host = hostOf('many', { pids: 12 });
    const { stdout } = await run(
      host,
      'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do setsid sleep 300 >/dev/null 2>&1 & done; echo begun',
    );
    expect(stdout).not.toContain('begun');
    expect(keeper.groups?.count('many').pidsRefused).toBeGreaterThan(0);
    expect(pidsIn('many').length).toBeGreaterThan(3);
    expect(pidsIn('many').length).toBeLessThanOrEqual(12);
    await keeper.groups?.remove('many');
    expect(keeper.groups?.list()).not.toContain('many');
  });

  testGroups('The limits of a group can be changed, and hold for what is begun next.', async () => {
    const host = hostOf('changing', { memory: 32 * megabyte });
    await run(host, 'true');
    keeper.groups?.apply('changing', { memory: 300 * megabyte });
    const { stdout } = await run(host, 'head -c 100000000 /dev/zero | tail -c 90000000 | wc -c');
    expect(Number(stdout)).toBe(90_000_000);
  });

  testGroups(
    'A broker that is in another group after its next start finds the groups of its instances.',
    async () => {
      await run(hostOf('kept', { pids: 10 }), 'true');
      const later = await open();
      expect(later.groups?.trees.map(({ base }) => base)).toEqual(
        keeper.groups?.trees.map(({ base }) => base),
      );
      expect(later.groups?.list()).toContain('kept');
    },
  );

  testGroups(
    'What shall outlive the broker puts itself into its group, or else the broker does.',
    async () => {
      const { groups } = keeper;
      if (!groups) throw new Error('There are no groups.');
      const starter = openStarter();
      groups.apply('itself', {});
      const wasThere: boolean[] = [];
      const enter: Groups['enter'] = async (name, amounts, pid) => {
        wasThere.push(pidsIn(name).includes(pid));
        await groups.enter(name, amounts, pid);
      };
      for (const doors of [groups.doors, () => [], () => ['/nowhere/tasks']]) {
        const host = hostOf('itself', {}, { ...keeper, groups: { ...groups, enter, doors } });
        const program = await launch(
          { ...host, start: starter.start },
          {
            command: ['sleep', '60'],
            cwd: directory,
            env: { PATH: testNode.node.path },
            identityFile: join(testNode.place, 'itself.json'),
            logFile: join(directory, 'itself.log'),
          },
        );
        expect(groups.trees.map(({ base }) => pidsOf(join(base, 'itself')))).toEqual(
          groups.trees.map(() => [program.pid]),
        );
        await endProcess(program, { termMs: 1000, killMs: 1000 });
      }
      starter.close();
      expect(wasThere).toEqual([true, false, false]);
    },
  );

  test('A program that cannot be limited never begins.', async () => {
    const broken: LimitKeeper = {
      ways: { memory: 'cgroup v2', cpu: 'missing', pids: 'missing' },
      groups: createGroups([treeOfV2('/proc/nowhere', ['memory'])]),
    };
    await expect(run(hostOf('x', { memory: megabyte }, broken), 'touch begun')).rejects.toThrow(
      'sh could not be limited',
    );
    expect(() => readFileSync(join(directory, 'begun'))).toThrow('ENOENT');
  });
});

describe('Limits of single processes', () => {
  test('A program gets no core file, whatever its limits, and keeps its own variables.', async () => {
    const { stdout } = await run(testNode.node, 'ulimit -c; echo "$size"; env | grep -c PURVEYOR_GATE');
    expect(stdout).toBe('0\nits own\n0\n');
  });

  test('More files than allowed are refused.', async () => {
    const { stderr } = await run(hostOf('files', { files: 8 }), 'exec 3<. 4<. 5<. 6<. 7<.; cat /dev/null');
    expect(stderr).toMatch(/Too many open files|cannot open/);
    expect((await run(hostOf('files', { files: 8 }), 'ulimit -n; ulimit -Hn')).stdout).toBe('8\n8\n');
  });

  test('No file grows beyond the disk of the instance.', async () => {
    const { code, stderr } = await run(
      hostOf('disk', { disk: megabyte }),
      'head -c 3000000 /dev/zero > large; echo "ended with $?" >&2; exit 3',
    );
    // An error that a program may handle, not its end.
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/too large[^]*ended with 1/) as string,
    });
    expect(readFileSync(join(directory, 'large'))).toHaveLength(megabyte);
  });

  test('Where there are no groups, memory is a limit of each process.', async () => {
    const host = hostOf('alone', { memory: 16 * megabyte }, rlimitsAlone);
    const { stdout } = await run(host, 'ulimit -d; head -c 120000000 /dev/zero | tail -c 110000000 | wc -c');
    expect(stdout).toBe(`${(16 + 64) * 1024}\n0\n`);
  });

  test('Where accounts are counted, no more processes are begun than pids.', async () => {
    const { stdout, stderr } = await run(
      hostOf('alone', { pids: 1 }, rlimitsAlone),
      'ulimit -u 2>/dev/null || ulimit -p',
    );
    expect(`${stdout}${stderr}`).toContain('1');
  });
});

describe('What a machine can keep', () => {
  test('What keeps the limits is told in one line.', () => {
    expect(describeLimits({ ways: { memory: 'cgroup v1', cpu: 'cgroup v1', pids: 'cgroup v1' } })).toBe(
      'memory, cpu, pids by cgroup v1; files by rlimits; disk by rlimits and measuring',
    );
    expect(describeLimits({ ways: { memory: 'rlimits', cpu: 'missing', pids: 'missing' } })).toBe(
      'memory, files by rlimits; disk by rlimits and measuring; cpu, pids: missing',
    );
  });

  test('The group of a process is found below where its hierarchy is mounted.', () => {
    const mounts = [
      '30 25 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755',
      '31 30 0:27 /docker/abc /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory',
      '32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
      '33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
    ].join('\n');
    const membership = '4:memory:/docker/abc/inner\n3:cpu,cpuacct:/a:b\n0::/user.slice/x.service\n';
    expect(readHierarchies(mounts, membership)).toEqual({
      v2: { top: '/sys/fs/cgroup/unified', own: '/sys/fs/cgroup/unified/user.slice/x.service' },
      v1: {
        memory: { top: '/sys/fs/cgroup/memory', own: '/sys/fs/cgroup/memory/inner' },
        cpu: { top: '/sys/fs/cgroup/cpu,cpuacct', own: '/sys/fs/cgroup/cpu,cpuacct/a:b' },
        pids: undefined,
      },
    });
  });

  // The machines of the tests give version 2 no controllers: a directory with the same files stands for one.
  test('A group of version 2 gets its limits by the files of that version.', async () => {
    const base = mkdtempSync(join(testNode.place, 'v2-'));
    const group = join(base, 'one');
    mkdirSync(group);
    const files = ['memory.max', 'memory.swap.max', 'cpu.max', 'pids.max', 'cgroup.procs'];
    for (const file of files) writeFileSync(join(group, file), '');
    writeFileSync(join(group, 'memory.events'), 'low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n');
    writeFileSync(join(group, 'pids.events'), 'max 5\n');
    const groups = createGroups([treeOfV2(base, ['memory', 'cpu', 'pids'])]);
    groups.apply('one', { memory: 64 * megabyte, cpu: 0.5, pids: 100 });
    await groups.enter('one', {}, process.pid);
    const written = files.map((file) => readFileSync(join(group, file), 'utf8'));
    expect(written).toEqual([String(64 * megabyte), '0', '50000 100000', '100', String(process.pid)]);
    expect(groups.count('one')).toEqual({ memoryKills: 2, pidsRefused: 5 });
    expect(groups.list()).toEqual(['one']);
  });
});

function pidsIn(group: string): readonly number[] {
  const tree = keeper.groups?.trees.find(({ controllers }) => controllers.includes('pids'));
  return pidsOf(join(tree?.base ?? '', group));
}

function pidsOf(folder: string): readonly number[] {
  const lines = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n');
  return lines
    .filter(Boolean)
    .map(Number)
    .filter((pid) => identityOf(pid) !== undefined);
}
