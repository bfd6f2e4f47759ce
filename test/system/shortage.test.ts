// A process that has all the descriptors that it may have.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { isAway } from '../../src/postgres/trouble.ts';
import { exchange } from '../../src/provisioners/process/probe/tcp.ts';
import { endProcess } from '../../src/system/end-process.ts';
import { isShortage } from '../../src/system/error-code.ts';
import { launch } from '../../src/system/launch.ts';
import { hasInEnvironment, listProcesses, readCommandLine } from '../../src/system/proc.ts';
import { isAlive, readIdentity } from '../../src/system/process-identity.ts';
import { runProgram } from '../../src/system/run-program.ts';
import { startGated } from '../../src/system/start-gated.ts';
import { listen } from '../support/database-gate.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';

const whereLimited = spawnSync('prlimit', ['--version']).status === 0 ? test : test.skip;

interface Descriptors {
  /** From now on nothing can be opened. */
  takeAll(): void;
  giveBack(): void;
}

/** Does the work while this process may have only so many descriptors that they can be taken away from it. */
async function withFewDescriptors<Result>(work: (all: Descriptors) => Promise<Result>): Promise<Result> {
  const pid = String(process.pid);
  // Others change the limit, since a process without descriptors can start none.
  const line = `was=$(ulimit -Sn); prlimit --pid ${pid} --nofile=400: && echo low && read go; prlimit --pid ${pid} --nofile=$was:`;
  const keeper = spawn('/bin/sh', ['-c', line]);
  const held: number[] = [];
  const all: Descriptors = {
    takeAll() {
      try {
        for (;;) held.push(openSync('/dev/null', 'r'));
      } catch (error) {
        expect(error).toMatchObject({ code: 'EMFILE' });
      }
    },
    giveBack: () => held.splice(0).forEach((one) => closeSync(one)),
  };
  try {
    await once(keeper.stdout, 'data');
    return await work(all);
  } finally {
    all.giveBack();
    const ended = once(keeper, 'exit');
    keeper.stdin.end('go\n');
    await ended;
  }
}

const host = { path: '/usr/bin:/bin' };

/** Sleeps for long, and can be found by what is in its environment. */
function sleeper(mark: string) {
  return { command: ['sleep', '600'], cwd: '/', env: { PURVEYOR_SLEEPER: mark } };
}

/** @param program that it has become; absent: whatever it is */
function isAnybody(mark: string, program?: string): boolean {
  return listProcesses().some(
    (pid) =>
      hasInEnvironment(pid, `PURVEYOR_SLEEPER=${mark}`) === true &&
      (program === undefined || readCommandLine(pid)[0] === program),
  );
}

whereLimited(
  'A process without descriptors says so of a port and of a program, and not that these were wrong',
  async () => {
    const server = createServer();
    const port = await listen(server);
    const command = { command: ['true'], cwd: '/', env: {} };
    const [asked, started] = await withFewDescriptors((all) => {
      all.takeAll();
      return Promise.all([
        exchange({ host: '127.0.0.1', port }, {}, 1000, new AbortController().signal).catch(
          (error: unknown) => error,
        ),
        startGated(host, command, ['ignore', 'pipe', 'pipe']).catch((error: unknown) => error),
      ]);
    });
    expect(asked).toMatchObject({ code: 'EMFILE' });
    expect([asked, started].map(isShortage)).toEqual([true, true]);
    server.close();
  },
);

whereLimited(
  'A program that was let go keeps its identity when nobody has room to see it begin',
  async () => {
    const directory = scratchDirectory('shortage');
    const identityFile = join(directory, 'identity.json');
    const it = { ...sleeper('launched'), identityFile, logFile: join(directory, 'log') };
    const identity = await withFewDescriptors(async (all) => {
      const launched = launch(host, it);
      // By then it has been let go, and not begun yet.
      await new Promise((resolve) => setImmediate(resolve));
      const pid = readIdentity(identityFile)?.pid ?? 0;
      const commandLine = openSync(`/proc/${pid}/cmdline`, 'r');
      all.takeAll();
      const said = Buffer.alloc(100);
      const length = () => readSync(commandLine, said, 0, said.length, 0);
      await until('it is the program', () => said.toString('utf8', 0, length()).startsWith('sleep'));
      closeSync(commandLine);
      all.takeAll();
      all.giveBack();
      return launched;
    });
    expect(readIdentity(identityFile)).toEqual(identity);
    expect(isAlive(identity)).toBe(true);
    expect(readFileSync(`/proc/${identity.pid}/cmdline`, 'utf8')).toMatch(/^sleep\0/);
    await endProcess(identity, { termMs: 2000, killMs: 2000 });
  },
);

whereLimited('A program that cannot be identified for want of descriptors never begins', async () => {
  const failed = await withFewDescriptors(async (all) => {
    // It exists as soon as this has been called, and is looked at later.
    const started = startGated(host, sleeper('gated'), ['ignore', 'pipe', 'pipe']);
    all.takeAll();
    return started.catch((error: unknown) => error);
  });
  expect(failed).toMatchObject({ code: 'EMFILE' });
  await until('it is gone', () => !isAnybody('gated'));
});

whereLimited(
  'A program that is given up is ended, also when nobody has room to look for it at first',
  async () => {
    const given = new AbortController();
    const ran = await withFewDescriptors(async (all) => {
      const running = runProgram(host, {
        ...sleeper('given-up'),
        timeoutMs: 60_000,
        signal: given.signal,
      }).catch((error: unknown) => error);
      await until('it runs', () => isAnybody('given-up', 'sleep'));
      all.takeAll();
      given.abort(new Error('It was given up.'));
      const early = await Promise.race([running, new Promise((resolve) => setImmediate(resolve))]);
      expect(early).toBeUndefined();
      all.giveBack();
      return running;
    });
    expect(ran).toEqual(new Error('It was given up.'));
    expect(isAnybody('given-up')).toBe(false);
  },
);

test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN'])(
  'A connection to the database that fails by %s is an outage',
  (code) => {
    const error = Object.assign(new Error(`connect ${code}`), { code });
    expect([isAway(error), isShortage(error)]).toEqual([true, true]);
  },
);
