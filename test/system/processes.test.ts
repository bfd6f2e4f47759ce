import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { endProcess, groupOf, isAnyLeft, signalGroup } from '../../src/system/end-process.ts';
import {
  asIdentity,
  type ProcessIdentity,
  identityOf,
  isAlive,
  readIdentity,
} from '../../src/system/process-identity.ts';
import { launch } from '../../src/system/launch.ts';
import { readStat } from '../../src/system/proc.ts';
import { type TestNode } from '../node/test-node.ts';
import { aNodeWithWork, give } from './work-directory.ts';
import { until } from '../support/until.ts';

/** Others have no account to guard against. */
const asRoot = process.getuid?.() === 0 ? test : test.skip;
let testNode: TestNode;
let directory: string;
const started: ProcessIdentity[] = [];

beforeAll(async () => {
  ({ testNode, directory } = await aNodeWithWork());
});
afterEach(async () => {
  for (const identity of started.splice(0)) {
    await endProcess(identity, { termMs: 0, killMs: 5000, instanceId: 'i1' });
  }
});
afterAll(() => testNode.close());

async function start(...command: string[]): Promise<ProcessIdentity> {
  const identity = await launch(testNode.node, {
    command,
    cwd: directory,
    env: { PATH: testNode.node.path, PURVEYOR_INSTANCE: 'i1' },
    identityFile: join(testNode.node.directory, 'identity.json'),
    logFile: join(directory, 'log'),
  });
  started.push(identity);
  return identity;
}

/** A shell script that says when it is at a certain point by making a file. */
async function startScript(script: string): Promise<ProcessIdentity> {
  const sign = join(directory, 'sign');
  rmSync(sign, { force: true });
  const identity = await start('sh', '-c', script.replaceAll('SIGN', `: > ${sign}`));
  await until('the script has made its sign', () => existsSync(sign));
  return identity;
}

const shortly = { termMs: 100, killMs: 5000 };

describe('The identity of a process', () => {
  test('The identity of a process stands for it as long as it lives.', async () => {
    const identity = await start('sleep', '60');
    expect(isAlive(identity)).toBe(true);
    expect(identityOf(identity.pid)).toEqual(identity);
    await endProcess(identity, shortly);
    expect(isAlive(identity)).toBe(false);
    expect(identityOf(identity.pid)).toBeUndefined();
  });

  test('The identity of a process is another one than that of a later process with the same pid, and of the same pid before the last boot.', async () => {
    const identity = await start('sleep', '60');
    expect(isAlive({ ...identity, startTime: '1' })).toBe(false);
    expect(isAlive({ ...identity, bootId: 'another' })).toBe(false);
  });

  test('The identity of a process is read from the right field, whatever the program is called.', async () => {
    const program = join(directory, ') Z 1 (\n');
    copyFileSync('/bin/sleep', program);
    chmodSync(program, 0o755);
    const { pid, startTime } = await start(program, '60');
    expect(readStat(pid)).toMatchObject({ dead: false, session: pid, group: pid, startTime });
  });

  test('A process that waits to be collected is dead.', async () => {
    // What replaces the shell does not collect the shell's child.
    const parent = await start('sh', '-c', 'sleep 0.3 & echo $! > child; exec sleep 60');
    await until(
      'the child has told its pid',
      () => existsSync(join(directory, 'child')) && readFileSync(join(directory, 'child'), 'utf8') !== '',
    );
    const pid = Number(readFileSync(join(directory, 'child'), 'utf8'));
    await until('the child is dead', () => readStat(pid)?.dead);
    expect(identityOf(pid)).toBeUndefined();
    expect(groupOf(parent)).toEqual([parent.pid]);
  });

  test.each([
    ['{'],
    ['{}'],
    ['[]'],
    ['{"pid":"1","startTime":"2","bootId":"3"}'],
    ['{"pid":0,"startTime":"2","bootId":"3"}'],
    ['{"pid":-1,"startTime":"2","bootId":"3"}'],
  ])('A file with %s says none.', (text) => {
    const file = join(testNode.place, 'bad.json');
    writeFileSync(file, text);
    expect(readIdentity(file)).toBeUndefined();
    expect(readIdentity(`${file}.missing`)).toBeUndefined();
  });
});

test('An identity that cannot be read now is not taken for none.', () => {
  expect(() => readIdentity(testNode.place)).toThrow('EISDIR');
});

describe('A launched program', () => {
  test('A launched program is recorded, leads a session, and runs as the account with its own environment and nothing else.', async () => {
    const identity = await start('sleep', '60');
    expect(readIdentity(join(testNode.node.directory, 'identity.json'))).toEqual(identity);
    expect(readStat(identity.pid)).toMatchObject({ session: identity.pid, group: identity.pid });
    expect(statSync(`/proc/${identity.pid}`).uid).toBe(testNode.node.account?.uid ?? process.getuid?.());
    const environment = readFileSync(`/proc/${identity.pid}/environ`, 'utf8').split('\0').filter(Boolean);
    expect(environment.toSorted()).toEqual([`PATH=${testNode.node.path}`, 'PURVEYOR_INSTANCE=i1']);
  });

  test('A launched program gets its arguments as they are.', async () => {
    const odd = ['a b', '', '$(touch pwned)', '`id`', "'", '"', '\n', '*', '-c', 'ñ👍🏽'];
    const { pid } = await start('sh', '-c', 'sleep 60; true', ...odd);
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    expect(commandLine).toEqual(['sh', '-c', 'sleep 60; true', ...odd]);
  });

  test('A launched program writes to a log that only its account can read, as all that it makes.', async () => {
    rmSync(join(directory, 'log'), { force: true });
    await startScript('echo one; echo two >&2; : > made; SIGN; sleep 60');
    expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('one\ntwo\n');
    expect(statSync(join(directory, 'log')).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'made')).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['that is nowhere', ['no-such-program'], /no executable no-such-program on the path/],
    ['without a name', [''], /no executable \(empty name\)/],
    ['that is not executable', ['./plain'], /no executable \.\/plain/],
    ['whose interpreter is missing', ['./script'], /\.\/script cannot run: .*not found/],
  ])('A program %s is told of, and nothing is recorded.', async (_what, command, message) => {
    writeFileSync(join(directory, 'plain'), 'text', { mode: 0o644 });
    writeFileSync(join(directory, 'script'), '#!/no/such/interpreter\n');
    chmodSync(join(directory, 'script'), 0o755);
    rmSync(join(testNode.node.directory, 'identity.json'), { force: true });
    await expect(start(...command)).rejects.toThrow(message);
    expect(existsSync(join(testNode.node.directory, 'identity.json'))).toBe(false);
  });

  test('The log is no link that leads elsewhere.', async () => {
    rmSync(join(directory, 'log'), { force: true });
    symlinkSync(join(testNode.place, 'elsewhere'), join(directory, 'log'));
    await startScript('echo here; SIGN; sleep 60');
    expect(existsSync(join(testNode.place, 'elsewhere'))).toBe(false);
    expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('here\n');
  });

  test('The log is no pipe that nobody empties.', async () => {
    rmSync(join(directory, 'log'), { force: true });
    execFileSync('mkfifo', [join(directory, 'log')]);
    await startScript('echo here; SIGN; sleep 60');
    expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('here\n');
  });

  asRoot(
    "The log is not another name of somebody else's file, which is neither written nor given away.",
    async () => {
      const strange = join(testNode.place, 'strange');
      writeFileSync(strange, 'mine\n');
      rmSync(join(directory, 'log'), { force: true });
      linkSync(strange, join(directory, 'log'));
      await startScript('echo here; SIGN; sleep 60');
      expect(readFileSync(strange, 'utf8')).toBe('mine\n');
      expect(statSync(strange).uid).toBe(0);
      expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('here\n');
    },
  );

  test.each(['after the launch', 'after the launch, by a starter'])(
    'A launched program survives the broker that started it and died %s.',
    async (death) => {
      const own = mkdirIn(`survivor of ${death}`);
      const identity = await launchAndDie(death, own, ['sleep', '60']);
      expect(isAlive(identity)).toBe(true);
      expect(readIdentity(join(own, 'identity.json'))).toEqual(identity);
      expect(await endProcess(identity, shortly)).toEqual({ halted: false });
    },
  );

  test.each(['at the gate', 'at the gate, by a starter'])(
    'A launched program that was not recorded when the broker was killed %s never ran.',
    async (death) => {
      const own = mkdirIn(`unrecorded ${death}`);
      const identity = await launchAndDie(death, own, ['touch', 'ran']);
      await until('nothing of the group is left', () => !isAnyLeft(identity));
      expect(isAnyLeft(identity)).toBe(false);
      expect(existsSync(join(own, 'ran'))).toBe(false);
    },
  );
});

function mkdirIn(name: string): string {
  mkdirSync(join(testNode.place, name), { mode: 0o755 });
  give(testNode, join(testNode.place, name));
  return join(testNode.place, name);
}

/** Lets another process launch, which is then killed by itself. */
async function launchAndDie(
  death: string,
  own: string,
  command: readonly string[],
): Promise<ProcessIdentity> {
  const script = join(import.meta.dirname, 'launcher.ts');
  const args = [script, JSON.stringify(testNode.node), death, own, ...command];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout, stderr) =>
      error?.signal === 'SIGKILL' ? resolve(stdout) : reject(new Error(`It was not killed: ${stderr}`)),
    );
  });
  const identity = asIdentity(JSON.parse(output));
  if (!identity) throw new Error(`It told no identity: ${output}`);
  return identity;
}

describe('Ending a process', () => {
  test('Ending a process ends it with the first signal when it listens to it.', async () => {
    const identity = await startScript(
      "trap 'echo bye >> log; exit 0' TERM; SIGN; while :; do sleep 0.02; done",
    );
    const deeds: string[] = [];
    expect(
      await endProcess(identity, { termMs: 5000, killMs: 5000, onDeed: (deed) => deeds.push(deed) }),
    ).toEqual({
      halted: false,
    });
    expect(deeds).toEqual(['stop']);
    expect(isAlive(identity)).toBe(false);
  });

  test.each([
    ['ignores SIGTERM', "trap '' TERM; SIGN; while :; do sleep 0.02; done", undefined],
    ['stands still', 'SIGN; exec sleep 60', 'SIGSTOP'],
  ] as const)('Ending a process kills one that %s.', async (_what, script, signal) => {
    const identity = await startScript(script);
    if (signal) signalGroup(identity, signal);
    if (signal)
      await until('the process is stopped by a signal', () =>
        /\) T /.test(readFileSync(`/proc/${identity.pid}/stat`, 'utf8')),
      );
    const deeds: string[] = [];
    const ending = { ...shortly, onDeed: (deed: string) => deeds.push(deed) };
    expect(await endProcess(identity, ending)).toEqual({ halted: true });
    expect(deeds).toEqual(['stop', 'halt']);
    expect(isAlive(identity)).toBe(false);
  });

  test('Ending a process ends its children with it, also those in groups of their own.', async () => {
    const identity = await startScript('sleep 61 & set -m; sleep 62 & SIGN; wait');
    expect(groupOf(identity)).toHaveLength(3);
    await endProcess(identity, shortly);
    expect(groupOf(identity, 'i1')).toEqual([]);
  });

  test('Ending a process ends what outlived it, when that says whose it is.', async () => {
    const identity = await startScript('sleep 61 & SIGN; exit 0');
    await until('the process is gone', () => !readStat(identity.pid));
    expect(groupOf(identity, 'i1')).toHaveLength(1);
    await endProcess(identity, { ...shortly, instanceId: 'i1' });
    expect(groupOf(identity, 'i1')).toEqual([]);
  });

  test('Ending a process leaves what outlived it alone, when that is of somebody else.', async () => {
    const identity = await startScript('sleep 61 & SIGN; exit 0');
    // As long as it waits to be collected, its session is known by it.
    await until('the process is gone', () => !readStat(identity.pid));
    expect(await endProcess(identity, { ...shortly, instanceId: 'i2' })).toEqual({ halted: false });
    expect(await endProcess(identity, shortly)).toEqual({ halted: false });
    expect(groupOf(identity, 'i1')).toHaveLength(1);
  });

  test('Ending a process leaves a stranger with its pid alone.', async () => {
    const stranger = spawn('sleep', ['60'], { detached: true });
    try {
      const identity = identityOf(stranger.pid ?? 0);
      if (!identity) throw new Error('The stranger did not start.');
      const before = { ...identity, startTime: '1' };
      expect(await endProcess(before, { ...shortly, instanceId: 'i1' })).toEqual({ halted: false });
      expect(signalGroup({ ...identity, bootId: 'another' }, 'SIGKILL', 'i1')).toBe(false);
      expect(isAlive(identity)).toBe(true);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('Ending a process is no error when it has ended already.', async () => {
    const identity = await start('true');
    await until('the process has ended', () => !isAlive(identity));
    expect(await endProcess(identity, shortly)).toEqual({ halted: false });
  });
});
