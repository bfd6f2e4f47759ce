// A process that has all the descriptors that it may have.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { isAway } from '../../src/postgres/trouble.ts';
import { exchange } from '../../src/provisioners/process/probe/tcp.ts';
import { isShortage } from '../../src/system/error-code.ts';
import { startGated } from '../../src/system/start-gated.ts';
import { listen } from '../support/database-gate.ts';
import { createServer } from 'node:net';

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

/** Does the work while this process can open nothing. */
async function withoutDescriptors<Result>(work: () => Promise<Result>): Promise<Result> {
  const pid = String(process.pid);
  // Others change the limit, since a process without descriptors can start none.
  const line = `was=$(ulimit -Sn); prlimit --pid ${pid} --nofile=400: && echo low && read go; prlimit --pid ${pid} --nofile=$was:`;
  const keeper = spawn('/bin/sh', ['-c', line]);
  const held: number[] = [];
  try {
    await once(keeper.stdout, 'data');
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch (error) {
    expect(error).toMatchObject({ code: 'EMFILE' });
    return await work();
  } finally {
    for (const one of held) closeSync(one);
    const ended = once(keeper, 'exit');
    keeper.stdin.end('go\n');
    await ended;
  }
}

(canLimit ? test : test.skip)(
  'A process without descriptors says so of a port and of a program, and not that these were wrong',
  async () => {
    const server = createServer();
    const port = await listen(server);
    const command = { command: ['true'], cwd: '/', env: {} };
    const [asked, started] = await withoutDescriptors(() =>
      Promise.all([
        exchange({ host: '127.0.0.1', port }, {}, 1000, new AbortController().signal).catch(
          (error: unknown) => error,
        ),
        startGated({ path: '/usr/bin:/bin' }, command, ['ignore', 'pipe', 'pipe']).catch(
          (error: unknown) => error,
        ),
      ]),
    );
    expect(asked).toMatchObject({ code: 'EMFILE' });
    expect([asked, started].map(isShortage)).toEqual([true, true]);
    server.close();
  },
);

test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN'])(
  'A connection to the database that fails by %s is an outage',
  (code) => {
    const error = Object.assign(new Error(`connect ${code}`), { code });
    expect([isAway(error), isShortage(error)]).toEqual([true, true]);
  },
);
