import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readUserIds } from '../../src/system/proc.ts';
import { handControllersDown } from '../../src/system/limits/delegation.ts';
import { createGroups } from '../../src/system/limits/groups.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

// By a controller that machines keep beside version 1, so the rules of version 2 can be tried out there too.
const wanted = 'hugetlb';
const mount = readFileSync('/proc/self/mountinfo', 'utf8')
  .split('\n')
  .find((line) => line.includes(' - cgroup2 '));
const top = mount?.split(' ')[4] ?? '';
const canDelegate = process.getuid?.() === 0 && hands(top);
const testDelegation = canDelegate ? test : test.skip;

/** Does the top hand the controller down, or can it? */
function hands(group: string): boolean {
  try {
    writeFileSync(join(group, 'cgroup.subtree_control'), `+${wanted}`, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

let service: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  if (!canDelegate) return;
  service = join(top, `purveyor-test-${process.pid}.service`);
  mkdirSync(service);
});
afterEach(async () => {
  if (!canDelegate) return;
  for (const child of children.splice(0)) child.kill('SIGKILL');
  const below = ['purveyor/node', 'purveyor', 'purveyor-broker', '.'].map((name) => join(service, name));
  for (const base of below.filter((one) => existsSync(one))) {
    const parts = {
      controllers: [],
      door: 'cgroup.procs',
      isPrepared: true,
      settings: () => [],
      counters: {},
    };
    const groups = createGroups([{ base: dirname(base), ...parts }]);
    await groups.remove(
      base === service ? service.slice(dirname(service).length + 1) : (base.split('/').at(-1) ?? ''),
    );
  }
  if (existsSync(service)) rmdirSync(service);
});

/** A broker that was started in the group of its service; it prepares a place for its groups, and says how it went. */
async function brokerIn(group: string, uid = 0): Promise<{ kept: string[]; alone: boolean; pid: number }> {
  const script = join(scratchDirectory('delegation'), 'broker.mjs');
  const code = join(import.meta.dirname, '../../src/system/limits/delegation.ts');
  writeFileSync(
    script,
    `import { handControllersDown, isAlone } from ${JSON.stringify(code)};
     process.stdin.once('data', () => {
       const alone = isAlone(${JSON.stringify(group)});
       const kept = handControllersDown(${JSON.stringify(join(group, 'purveyor', 'node'))}, ['${wanted}']);
       process.stdout.write(JSON.stringify({ alone, kept, pid: process.pid }));
     });`,
  );
  chmodSync(dirname(script), 0o755);
  const child = spawn(process.execPath, [script], {
    uid,
    gid: uid,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child, 'spawn');
  enter(group, child.pid ?? 0);
  child.stdin.write('go\n');
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  return JSON.parse(String(text)) as { kept: string[]; alone: boolean; pid: number };
}

function enter(group: string, pid: number): void {
  writeFileSync(join(group, 'cgroup.procs'), String(pid), { flag: 'r+' });
}

const groupOf = (pid: number) =>
  /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1]?.replace(/^.*\.service/, '');

function sleeper(): number {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  children.push(child);
  return child.pid ?? 0;
}

describe('A subtree that was delegated', () => {
  testDelegation.each([0, 65_534])(
    'A broker that is alone in its group moves down into a leaf, and hands controllers to its instances (user %d).',
    async (uid) => {
      // What systemd does for Delegate=yes with User=.
      for (const file of ['.', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'])
        chownSync(join(service, file), uid, uid);
      const { kept, alone, pid } = await brokerIn(service, uid);
      expect({ kept, alone, user: readUserIds(pid)[0] }).toEqual({ kept: [wanted], alone: true, user: uid });
      expect(groupOf(pid)).toBe('/purveyor-broker');
      const instance = join(service, 'purveyor', 'node', 'one');
      mkdirSync(instance);
      expect(existsSync(join(instance, 'hugetlb.2MB.max'))).toBe(true);
      const program = sleeper();
      enter(instance, program);
      expect(groupOf(program)).toBe('/purveyor/node/one');
      process.kill(program, 'SIGKILL');
      await createGroups([
        {
          base: dirname(instance),
          controllers: [],
          door: 'cgroup.procs',
          isPrepared: true,
          settings: () => [],
          counters: {},
        },
      ]).remove('one');
    },
  );

  testDelegation(
    'A broker that is not alone in its group moves nobody, and has no controllers there.',
    async () => {
      const other = sleeper();
      enter(service, other);
      const { kept, alone, pid } = await brokerIn(service);
      expect({ kept, alone }).toEqual({ kept: [], alone: false });
      expect([groupOf(pid), groupOf(other)]).toEqual(['', '']);
    },
  );

  testDelegation('A broker for which a group of its own was made has its instances beside it.', async () => {
    // What systemd does for DelegateSubgroup=broker: the service itself has no processes.
    const own = join(service, 'purveyor-broker');
    mkdirSync(own);
    enter(own, sleeper());
    expect(handControllersDown(join(service, 'purveyor', 'node'), [wanted])).toEqual([wanted]);
  });
});
