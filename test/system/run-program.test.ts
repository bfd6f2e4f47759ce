import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAnyLeft } from '../../src/system/end-process.ts';
import { findExecutables } from '../../src/system/executables.ts';
import { type ProcessIdentity, identityOf, isAlive } from '../../src/system/process-identity.ts';
import { runProgram } from '../../src/system/run-program.ts';
import { type TestNode } from '../node/test-node.ts';
import { aNodeWithWork } from './work-directory.ts';
import { until } from '../support/until.ts';

let testNode: TestNode;
let directory: string;

beforeAll(async () => {
  ({ testNode, directory } = await aNodeWithWork());
});

afterAll(() => testNode.close());

const run = (command: readonly string[], rest: object = {}) =>
  runProgram(testNode.node, {
    command,
    cwd: directory,
    env: { PATH: testNode.node.path },
    timeoutMs: 10_000,
    ...rest,
  });

describe('A program that is run to its end', () => {
  test('A program that is run to its end gets its input, and gives its code and what it wrote.', async () => {
    expect(await run(['sh', '-c', 'cat; echo oops >&2; exit 7'], { input: '{"a": "b c"}' })).toEqual({
      code: 7,
      stdout: '{"a": "b c"}',
      stderr: 'oops\n',
      timedOut: false,
      tooMuch: false,
    });
  });

  test('A program that is run to its end never runs when it is given up while it comes into being.', async () => {
    const control = new AbortController();
    const ran = run(['touch', 'given-up'], { signal: control.signal });
    control.abort(new Error('no more'));
    await expect(ran).rejects.toThrow('no more');
    expect(existsSync(join(directory, 'given-up'))).toBe(false);
  });

  test('A program that is run to its end need not read its input.', async () => {
    expect(await run(['true'], { input: 'x'.repeat(1_000_000) })).toMatchObject({ code: 0 });
  });

  test('A program that is run to its end has no code when a signal ended it.', async () => {
    expect((await run(['sh', '-c', 'kill -9 $$'])).code).toBeUndefined();
  });

  test('A program that is run to its end keeps the end of what it said of errors.', async () => {
    const { stderr } = await run(['sh', '-c', 'seq 100000 >&2; echo the end >&2']);
    expect(stderr).toHaveLength(16_384);
    expect(stderr).toMatch(/100000\nthe end\n$/);
  });

  test('A program that is run to its end is ended with all of its group at the time limit.', async () => {
    const script = 'sleep 60 & echo $! > child; sleep 60';
    const ran = await run(['sh', '-c', script], { timeoutMs: 300 });
    expect(ran).toMatchObject({ code: undefined, timedOut: true });
    expect(identityOf(Number(readFileSync(join(directory, 'child'), 'utf8')))).toBeUndefined();
  });

  test('A program that is run to its end is killed when it does not end at the time limit.', async () => {
    const ran = await run(['sh', '-c', "trap '' TERM; while :; do sleep 0.02; done"], { timeoutMs: 200 });
    expect(ran).toMatchObject({ code: undefined, timedOut: true });
  });

  test('A program that is run to its end is ended when it writes without end.', async () => {
    const ran = await run(['yes'], { maxOutput: 1000 });
    expect(ran).toMatchObject({ tooMuch: true, timedOut: false });
    expect(ran.stdout).toHaveLength(1000);
  });

  test('A program that is run to its end may write as much as the limit.', async () => {
    expect(await run(['printf', 'abc'], { maxOutput: 3 })).toMatchObject({
      code: 0,
      tooMuch: false,
      stdout: 'abc',
    });
  });

  test('A program that is run to its end is not waited for when only something that it left running holds its output.', async () => {
    const begun = Date.now();
    const { stdout } = await run(['sh', '-c', 'sleep 60 & echo $!']);
    expect(Date.now() - begun).toBeLessThan(30_000);
    process.kill(Number(stdout), 'SIGKILL');
  });

  test('A program that is run to its end ends when the work is given up.', async () => {
    const stop = new AbortController();
    let identity: ProcessIdentity | undefined;
    const onStart = (one: ProcessIdentity) => void (identity = one);
    const running = run(['sleep', '60'], { signal: stop.signal, onStart });
    await until('the program has begun', () => identity);
    stop.abort(new Error('Given up.'));
    await expect(running).rejects.toThrow('Given up.');
    expect(identity && isAlive(identity)).toBe(false);
    await expect(run(['touch', 'never'], { signal: stop.signal })).rejects.toThrow('Given up.');
    expect(existsSync(join(directory, 'never'))).toBe(false);
  });

  test('A program that is run to its end never begins when its start could not be recorded.', async () => {
    let identity: ProcessIdentity | undefined;
    const onStart = (one: ProcessIdentity): void => {
      identity = one;
      throw new Error('The disk is full.');
    };
    await expect(run(['touch', 'never'], { onStart })).rejects.toThrow('The disk is full.');
    const gone = () => identity !== undefined && !isAnyLeft(identity);
    await until('the program has ended', gone);
    expect(gone()).toBe(true);
    expect(existsSync(join(directory, 'never'))).toBe(false);
  });

  test('A program that is run to its end must be there.', async () => {
    await expect(run(['no-such-program'])).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('Executables are found on the path, by plain names alone.', () => {
  const file = join(testNode.place, 'not-executable');
  writeFileSync(file, '', { mode: 0o644 });
  mkdirSync(join(testNode.place, 'a-directory'), { recursive: true });
  const names = ['sh', 'no-such-program', '../bin/sh', '', 'not-executable', 'a-directory'];
  expect(findExecutables(`${testNode.place}:relative::/bin`, names)).toEqual(['sh']);
});
