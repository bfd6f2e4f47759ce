import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Hook } from '../../src/broker/catalog.ts';
import { Failure } from '../../src/broker/errors.ts';
import { startGated } from '../../src/system/start-gated.ts';
import { findMissingHook, keepHooks } from '../../src/node/hooks/files.ts';
import { endLeftHooks } from '../../src/node/hooks/runs.ts';
import { readHookLog } from '../../src/node/hooks/log.ts';
import { runHook, type HookRun } from '../../src/node/hooks/run.ts';
import { identityOf, isAlive } from '../../src/system/process-identity.ts';
import { type InstanceDirectory, makeInstanceDirectory } from '../../src/node/instance-directory.ts';
import { writeMarkSync } from '../../src/node/state-files.ts';
import { aTestNode, type TestNode } from './test-node.ts';
import { until } from '../support/until.ts';

/** Others have no account to guard against. */
const asRoot = process.getuid?.() === 0 ? test : test.skip;

let testNode: TestNode;
let directory: InstanceDirectory;

beforeEach(async () => {
  testNode = await aTestNode();
  directory = await makeInstanceDirectory(testNode.node, 'thing', { id: 'i1' });
});
afterEach(() => testNode.close());

/** An executable in the catalog's directory. */
function write(path: string, script: string, mode = 0o755): void {
  const file = join(testNode.place, 'catalog', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, mode);
}

function aHook(rest: Partial<Hook> = {}): Hook {
  return { run: ['./hooks/thing/do'], env: {}, once: false, timeout: 10_000, ...rest };
}

/** Keeps the script as a hook and runs it. */
async function runScript(script: string, rest: Partial<HookRun> = {}, hook: Partial<Hook> = {}) {
  write('hooks/thing/do', script);
  await keep(aHook(hook));
  return run(aHook(hook), rest);
}

const keep = (hook: Hook) => keepHooks(testNode.node, directory, { name: 'thing', hooks: { do: hook } });

function run(hook: Hook, rest: Partial<HookRun> = {}) {
  const signal = new AbortController().signal;
  const values = { params: { word: "a 'b' $(c)\nd" }, secrets: { password: 'hunter22' } };
  const whole = {
    hook,
    name: 'configure',
    instanceId: 'i1',
    directory,
    context: {},
    values,
    redact: (text: string) => text.replaceAll('hunter22', '***'),
    signal,
    ...rest,
  };
  return runHook(testNode.node, whole);
}

describe('A hook', () => {
  test('A hook reads what it may know from its input, and gives outputs as JSON.', async () => {
    const context = { parameters: { text: 'blanks, "quotes",\nlines and ñ👍🏽' } };
    expect(await runScript('cat', { context })).toEqual({ outputs: context });
    expect(await runScript('true')).toEqual({ outputs: {} });
  });

  test('A hook has an environment of its own, and works in the data directory.', async () => {
    const { outputs } = (await runScript(
      `printf '{"env": "%s", "cwd": "%s", "umask": "%s"}' "$(env | sort | tr '\\n' ';')" "$(pwd)" "$(umask)"`,
      { action: 'prepare' },
      { env: { PASSWORD: '{{secrets.password}}', FIXED: 'x' } },
    )) as { outputs: Record<string, string> };
    const given = `FIXED=x;LANG=C.UTF-8;PASSWORD=hunter22;PATH=${testNode.node.path};`;
    const { base, conf, data, log, run: own } = directory;
    const places = Object.entries({ BASE: base, CONF: conf, DATA: data, LOG: log, RUN: own })
      .map(([name, path]) => `PURVEYOR_DIR_${name}=${path};`)
      .join('');
    // The shell that interprets the script adds PWD itself.
    expect(outputs['env']?.replace(/PWD=[^;]*;/, '')).toBe(
      `${given}PURVEYOR_ACTION=prepare;${places}PURVEYOR_INSTANCE=i1;`,
    );
    expect(outputs).toMatchObject({ cwd: directory.data, umask: '0077' });
  });

  test('A hook gets its arguments as they are, templates filled.', async () => {
    const script = `for it; do printf '<%s>' "$it"; done > got`;
    await runScript(
      script,
      {},
      { run: ['./hooks/thing/do', '{{params.word}}', '', '-x; y', 'p={{secrets.password}}'] },
    );
    expect(readFileSync(join(directory.data, 'got'), 'utf8')).toBe("<a 'b' $(c)\nd><><-x; y><p=hunter22>");
  });

  test('A hook may be a program of the system.', async () => {
    expect(await run(aHook({ run: ['printf', '{"n": 1}'] }))).toEqual({ outputs: { n: 1 } });
  });

  test('A hook asks with 75 to be tried again.', async () => {
    expect(await runScript('exit 75')).toEqual({ again: true });
  });

  test.each([
    ['configure', 1, /The step configure failed \(exit code 1\): first \/ second \/ last/],
    ['check_up', 2, /The step check_up failed \(exit code 2\)/],
  ])('%s fails with exit code %d, and the end of what it said.', async (name, code, message) => {
    const step = runScript(`echo zero >&2; echo first >&2; echo second >&2; echo last >&2; exit ${code}`, {
      name,
    });
    await expect(step).rejects.toThrow(message);
    await expect(step).rejects.toEqual(expect.any(Failure));
    await expect(step).rejects.toMatchObject({
      word: 'hook',
      hints: { detail: 'zero\nfirst\nsecond\nlast' },
    });
  });

  test.each([['check_up'], ['monitor']])(
    '%s says with 1 that it is not up, and its output does not count.',
    async (name) => {
      expect(await runScript('echo PONG', { name })).toEqual({ outputs: {} });
      expect(await runScript('echo no; echo gone >&2; exit 1', { name })).toEqual({ down: 'gone' });
    },
  );

  test.each([
    ['text', 'echo hunter22'],
    ['a list', 'echo "[1]"'],
    ['two objects', 'echo "{}{}"'],
    ['half an object', `printf '{"a": 1'`],
  ])('A hook that writes %s has failed, and what it wrote is not told.', async (_what, script) => {
    const step = runScript(script);
    await expect(step).rejects.toThrow('The step configure wrote what is no JSON object to its output.');
    await expect(step).rejects.toMatchObject({ word: 'hook', hints: {} });
  });

  test('A hook that writes too much has failed.', async () => {
    await expect(runScript('yes')).rejects.toThrow('The step configure wrote more than 64 kB of output');
  });

  test('A hook is ended at its limit with all that it started.', async () => {
    const script = 'sleep 60 & echo $! > child; echo waiting >&2; sleep 60';
    const step = runScript(script, {}, { timeout: 300 });
    await expect(step).rejects.toMatchObject({
      word: 'timeout',
      message: 'The step configure was ended after its limit of 0.3 s: waiting',
    });
    const pid = readFileSync(join(directory.data, 'child'), 'utf8').trim();
    expect(identityOf(Number(pid))).toBeUndefined();
  });

  test('A hook that is `once` runs once, and its outputs are remembered.', async () => {
    const once = { once: true };
    const script = `echo x >> runs; printf '{"made": %s}' "$(wc -l < runs)"`;
    expect(await runScript(script, {}, once)).toEqual({ outputs: { made: 1 } });
    expect(await runScript(script, {}, once)).toEqual({ outputs: { made: 1 } });
    expect(await run(aHook(once), { name: 'prepare' })).toEqual({ outputs: { made: 2 } });
  });

  test('A hook that is `once` runs again when it has not succeeded.', async () => {
    const script = 'echo x >> runs; [ "$(wc -l < runs)" -gt 2 ] || exit $((74 + $(wc -l < runs)))';
    expect(await runScript(script, {}, { once: true })).toEqual({ again: true });
    await expect(run(aHook({ once: true }))).rejects.toThrow(/exit code 76/);
    expect(await run(aHook({ once: true }))).toEqual({ outputs: {} });
  });

  test('A hook that is `once` runs again when its mark was lost with the power of the machine.', async () => {
    await runScript('echo x >> runs', {}, { once: true });
    writeFileSync(join(directory.state, 'once-configure.json'), '');
    expect(await run(aHook({ once: true }))).toEqual({ outputs: {} });
    expect(readFileSync(join(directory.data, 'runs'), 'utf8')).toBe('x\nx\n');
  });

  test('A hook has done what it has done, though what it said cannot be kept.', async () => {
    mkdirSync(join(directory.log, 'hooks.log'));
    expect(await runScript(`echo said >&2; echo '{"a": 1}'`)).toEqual({ outputs: { a: 1 } });
    expect(readHookLog(testNode.node, directory, 10)).toBe('');
  });

  asRoot("keeps what it said in no file of somebody else's, and none is shown as its log.", async () => {
    const strange = join(testNode.place, 'strange');
    writeFileSync(strange, 'mine');
    linkSync(strange, join(directory.log, 'hooks.log'));
    expect(readHookLog(testNode.node, directory, 10)).toBe('');
    await runScript('echo said >&2');
    expect(readFileSync(strange, 'utf8')).toBe('mine');
    expect(statSync(strange).uid).toBe(0);
    expect(readHookLog(testNode.node, directory, 10)).toMatch(/configure: said\n$/);
  });

  test('A hook leaves no note of its run.', async () => {
    await runScript('true');
    expect(readdirSync(directory.state)).toEqual([]);
  });
});

describe('Hooks that are left over', () => {
  async function aRunningHook(broker: object) {
    const env = { PATH: testNode.node.path, PURVEYOR_INSTANCE: 'i1' };
    const command = { command: ['sleep', '60'], cwd: directory.data, env };
    const gated = await startGated(testNode.node, command, ['ignore', 'pipe', 'pipe']);
    writeMarkSync(directory, 'runs-configure-1', { hook: { ...gated.identity }, broker: { ...broker } });
    gated.open();
    return gated;
  }

  test('Hooks that are left over of a dead broker are ended before the next one runs.', async () => {
    const { identity } = await aRunningHook({ pid: 1, startTime: '1', bootId: 'before' });
    await run(aHook({ run: ['true'] }));
    expect(isAlive(identity)).toBe(false);
    expect(readdirSync(directory.state)).toEqual([]);
  });

  test('Hooks that are left over of a living broker go on.', async () => {
    const { identity, child } = await aRunningHook(identityOf(process.pid) ?? {});
    await run(aHook({ run: ['true'] }));
    await endLeftHooks(directory, 'i1');
    expect(isAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await until('the program has ended', () => !isAlive(identity));
  });
});

describe('Copies of hooks', () => {
  test('Copies of hooks hold the whole folder of the offering, and other hooks of the catalog.', async () => {
    write('hooks/thing/do', 'true');
    write('hooks/thing/lib/part', 'echo part', 0o644);
    write('hooks/other/do', 'true');
    write('tools/check', 'true');
    symlinkSync('do', join(testNode.place, 'catalog/hooks/thing/alias'));
    const hooks = {
      init: aHook(),
      bind: aHook({ run: ['hooks/thing/../thing/do'] }),
      monitor: aHook({ run: ['./tools/check'] }),
      remove: aHook({ run: ['true'] }),
    };
    await keepHooks(testNode.node, directory, { name: 'thing', hooks });
    const kept = readdirSync(directory.hooks, { recursive: true }).map(String).toSorted();
    expect(kept).toEqual([
      'hooks',
      'hooks/thing',
      'hooks/thing/alias',
      'hooks/thing/do',
      'hooks/thing/lib',
      'hooks/thing/lib/part',
      'tools',
      'tools/check',
    ]);
    expect(statSync(join(directory.hooks, 'hooks/thing/do')).mode & 0o777).toBe(0o550);
    expect(statSync(join(directory.hooks, 'hooks/thing/lib/part')).mode & 0o777).toBe(0o440);
    for (const hook of Object.values(hooks)) await run(hook);
  });

  test('Copies of hooks stay as they were when the catalog changes, until they are made again.', async () => {
    await runScript('true');
    write('hooks/thing/do', 'exit 3');
    expect(await run(aHook())).toEqual({ outputs: {} });
    await keep(aHook());
    await expect(run(aHook())).rejects.toThrow(/exit code 3/);
    expect(readdirSync(directory.base).filter((name) => name.startsWith('hooks'))).toEqual(['hooks']);
  });

  test('Copies of hooks are left as they are while the catalog is the same, and healed when their folder is another one.', async () => {
    await runScript('true');
    write('hooks/thing/lib', 'true', 0o644);
    await keep(aHook());
    const folder = () => statSync(directory.hooks).ino;
    const before = folder();
    await keep(aHook());
    expect(folder() === before).toBe(testNode.node.account !== undefined);
    rmSync(directory.hooks, { recursive: true });
    mkdirSync(directory.hooks);
    await keep(aHook());
    expect(await run(aHook())).toEqual({ outputs: {} });
  });

  test.each([
    ['a file', '/etc/passwd'],
    ['a folder', '/etc'],
    ['a neighbour', '../other'],
  ])('A link out of the folder to %s is refused.', async (_what, target) => {
    write('hooks/thing/do', 'true');
    write('hooks/other/do', 'true');
    symlinkSync(target, join(testNode.place, 'catalog/hooks/thing/link'));
    await expect(keep(aHook())).rejects.toMatchObject({ word: 'misconfigured' });
    expect(existsSync(directory.hooks)).toBe(false);
  });

  test.each([['./hooks/thing/missing'], ['./hooks/thing/plain'], ['../catalog/../secret'], ['/bin/true']])(
    'The program %s cannot be a hook.',
    async (program) => {
      write('hooks/thing/plain', 'true', 0o644);
      write('../secret', 'true');
      const hook = aHook({ run: [program] });
      await expect(keep(hook)).rejects.toMatchObject({ word: 'misconfigured' });
      await expect(run(hook)).rejects.toMatchObject({ word: 'misconfigured' });
    },
  );

  test('A hook that no catalog directory has is known beforehand.', () => {
    write('hooks/thing/do', 'true');
    expect(findMissingHook(testNode.node, { init: aHook(), bind: aHook({ run: ['sh'] }) })).toBeUndefined();
    expect(findMissingHook(testNode.node, { init: aHook({ run: ['./hooks/thing/no'] }) })).toBe(
      'hooks/thing/no',
    );
  });
});
