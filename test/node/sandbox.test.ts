import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServicePlan } from '../../src/broker/catalog.ts';
import { type InstanceDirectory, makeInstanceDirectory } from '../../src/node/instance-directory.ts';
import type { LocalNode } from '../../src/node/local-node.ts';
import { type InstanceScope, nodeOfInstance } from '../../src/node/node-of-instance.ts';
import { isAnyLeft, signalGroup } from '../../src/system/end-process.ts';
import { launch } from '../../src/system/launch.ts';
import { isAlive, type ProcessIdentity } from '../../src/system/process-identity.ts';
import { hasInEnvironment, listSession } from '../../src/system/proc.ts';
import { type Ran, runProgram } from '../../src/system/run-program.ts';
import { programBehind } from '../../src/system/sandbox/inside.ts';
import { aPlan, anInstance } from '../broker/fixtures.ts';
import { until } from '../support/until.ts';
import { aTestNode, type TestNode } from './test-node.ts';

/** What a program of an instance sees of the machine and of others, where there is `bwrap`. */

const works = spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', 'true']).status === 0;
const describeIt = works ? describe : describe.skip;

let testNode: TestNode;
let secrets: string;

beforeAll(async () => {
  if (works) testNode = await openSandboxed();
});
afterAll(() => testNode?.close());

/** Of the system's, which everybody may read and nothing here needs. */
const hiddenFile = '/etc/login.defs';

/** A node whose operator has a password beside it, in a directory that everybody may enter. */
async function openSandboxed(): Promise<TestNode> {
  const made = await aTestNode({ sandbox: { use: 'required', hidden: [hiddenFile], reads: [] } });
  secrets = join(made.place, 'secrets');
  mkdirSync(secrets);
  writeFileSync(join(secrets, 'operator-password'), 'open sesame');
  chmodSync(join(secrets, 'operator-password'), 0o644);
  return made;
}

interface Inside {
  readonly node: LocalNode;
  readonly directory: InstanceDirectory;
}

const own = aPlan({ making: { provisioner: 'process', config: { processes: {} } } });

async function anInside(id: string, plan: ServicePlan = own): Promise<Inside> {
  const instance = anInstance({ id });
  const directory = await makeInstanceDirectory(testNode.node, 'process', instance);
  const work = { instance, plan } as InstanceScope['work'];
  return { node: nodeOfInstance(testNode.node, { work, directory }), directory };
}

function sh({ node, directory }: Inside, script: string, ...args: string[]): Promise<Ran> {
  return runProgram(node, {
    command: ['/bin/sh', '-c', script, 'sh', ...args],
    cwd: directory.data,
    env: { PATH: node.path, PURVEYOR_INSTANCE: 'inside', LC_ALL: 'C' },
    timeoutMs: 20_000,
  });
}

describeIt(`A program in a sandbox${works ? '' : ' (skipped: bwrap is missing, or does not work)'}`, () => {
  (existsSync(hiddenFile) ? test : test.skip)(
    "A program in a sandbox sees nothing of a file that is the operator's, although everybody may read it",
    async () => {
      const script = 'cat "$1"; test -r /etc/passwd && echo "the rest"';
      const { stdout } = await sh(await anInside('hidden'), script, hiddenFile);
      expect(stdout).toBe('the rest\n');
    },
  );

  test('A program in a sandbox writes where its instance is, and nowhere else', async () => {
    const inside = await anInside('writes');
    const { conf, data, log, run, base } = inside.directory;
    const tried = [conf, data, log, run, '/tmp', '/run', '/usr', '/etc', '/', '/dev', '/var'];
    const script = 'for one; do touch "$one/mark" 2>/dev/null && echo "$one"; done; touch "$OUT/mark"; :';
    const { stdout } = await sh(inside, script.replace('$OUT', base), ...tried);
    expect(stdout.trim().split('\n')).toEqual([conf, data, log, run, '/tmp', '/run']);
    expect(existsSync(join(base, 'mark'))).toBe(false);
    expect(existsSync(join(data, 'mark'))).toBe(true);
    // The temporary places are its own.
    expect([existsSync('/tmp/mark'), existsSync('/run/mark')]).toEqual([false, false]);
  });

  test('A program in a sandbox finds nothing of the broker, of other instances or of what the node remembers of its own', async () => {
    const inside = await anInside('looks');
    const other = await anInside('neighbour');
    writeFileSync(join(other.directory.data, 'treasure'), 'theirs', { mode: 0o644 });
    const paths = [
      join(secrets, 'operator-password'),
      join(other.directory.data, 'treasure'),
      other.directory.base,
      inside.directory.state,
      join(testNode.node.directory, 'lock'),
      join(import.meta.dirname, '../../package.json'),
      '/root',
      '/home',
    ];
    expect(paths.slice(0, 5).every((path) => existsSync(path))).toBe(true);
    const { stdout } = await sh(inside, 'for one; do test -e "$one" && echo "$one"; done; :', ...paths);
    expect(stdout).toBe('');
    const everything = await sh(
      inside,
      'grep -rls "open sesame\\|theirs" / --exclude-dir=proc --exclude-dir=usr --exclude-dir=etc --exclude-dir=opt; ls "$1"',
      join(testNode.node.directory, 'process'),
    );
    expect(everything.stdout.trim().split('\n')).toEqual([inside.directory.base.split('/').at(-1)]);
  });

  test('A program in a sandbox sees no process but its own, and cannot signal one', async () => {
    const inside = await anInside('alone');
    const script =
      'ls /proc | grep -c "^[0-9]*$"; kill -0 "$1" 2>&1 || echo none; cat /proc/1/environ | tr "\\0" "\\n"';
    const { stdout } = await sh(inside, script, String(process.pid));
    const [count, ...rest] = stdout.split('\n');
    expect(Number(count)).toBeLessThan(8);
    expect(rest.join('\n')).toContain('none');
    expect(rest.join('\n')).not.toContain('JEST_WORKER_ID');
  });

  test('A program in a sandbox has the environment, the directory, the signals and the rights of one without a sandbox', async () => {
    const inside = await anInside('same');
    const bare = { ...inside, node: { ...inside.node, sandbox: undefined } };
    const script =
      'env | sort; pwd; umask; id -u; id -g; grep -E "Sig(Ign|Blk|Cgt)|CapEff" /proc/self/status';
    const [shut, free] = await Promise.all([sh(inside, script), sh(bare, script)]);
    expect(shut).toEqual(free);
    const rights = await sh(inside, 'grep NoNewPrivs /proc/self/status');
    expect(rights.stdout).toBe('NoNewPrivs:\t1\n');
  });

  test('A program in a sandbox ends with the code that it has, and says why it cannot run', async () => {
    const inside = await anInside('codes');
    expect((await sh(inside, 'exit 7')).code).toBe(7);
    expect((await sh(inside, 'kill -9 $$')).code).toBeUndefined();
    await expect(start(inside, [join(inside.directory.data, 'broken')])).rejects.toThrow(
      'There is no executable',
    );
    const file = join(inside.directory.data, 'broken');
    writeFileSync(file, '#!/no/such/interpreter\n', { mode: 0o755 });
    await expect(start(inside, [file])).rejects.toThrow(`${file} cannot run: `);
  });

  test('A program in a sandbox sees what the offering file names, and not what else lies there', async () => {
    const script = join(testNode.place, 'script');
    writeFileSync(script, 'echo "I am $0"; ls "$(dirname "$0")"', { mode: 0o755 });
    const config = {
      processes: { main: { run: ['sh', script, '{{params.path}}'], env: { HOUSE: '/srv/house' } } },
    };
    const inside = await anInside('named', aPlan({ making: { provisioner: 'process', config } }));
    const { stdout } = await sh(inside, 'exec sh "$1"', script);
    expect(stdout).toBe(`I am ${script}\nnode\nscript\n`);
  });
});

describeIt('What is launched into a sandbox', () => {
  test('What is launched into a sandbox is the program when its start is told, asked to end by its own handler, and there until it has', async () => {
    const inside = await anInside('graceful');
    const { data } = inside.directory;
    const script =
      'trap "sleep 0.3; echo saved > saved; exit 0" TERM; echo > ready; while :; do sleep 0.05; done';
    const identity = await start(inside, ['/bin/sh', '-c', script]);
    await until('it is ready', async () => existsSync(join(data, 'ready')));
    const program = programBehind(identity.pid, inside.node.sandbox);
    expect(program).not.toBe(identity.pid);
    expect(hasInEnvironment(program, 'PURVEYOR_INSTANCE=inside')).toBe(true);
    expect(signalGroup(identity, 'SIGTERM', 'inside')).toBe(true);
    expect(isAlive(identity)).toBe(true);
    await until('it has ended', async () => !isAlive(identity));
    expect(readFileSync(join(data, 'saved'), 'utf8')).toBe('saved\n');
    await until('nothing is left', async () => !isAnyLeft(identity, 'inside'));
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'What is launched into a sandbox is gone with all that it started, sent %s',
    async (signal) => {
      const inside = await anInside(`gone-${signal}`);
      const script = '(setsid sh -c "echo > far; sleep 300" &) ; sleep 300';
      const identity = await start(inside, ['/bin/sh', '-c', script]);
      await until('its grandchild runs', async () => existsSync(join(inside.directory.data, 'far')));
      signalGroup(identity, signal, 'inside');
      await until('the program has ended', async () => !isAlive(identity));
      // One that has left its session goes on until it is killed with the sandbox.
      signalGroup(identity, 'SIGKILL', 'inside');
      await until('nothing is left', async () => !isAnyLeft(identity, 'inside'));
      expect(listSession(identity.pid)).toEqual([]);
    },
  );
});

function start({ node, directory }: Inside, command: string[]): Promise<ProcessIdentity> {
  return launch(node, {
    command,
    cwd: directory.data,
    env: { PATH: node.path, PURVEYOR_INSTANCE: 'inside' },
    identityFile: join(directory.state, 'unit-main.json'),
    logFile: join(directory.log, 'main.log'),
  });
}
