import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { until } from '../until.ts';

/** A server of the cluster. It dies with the process that has started it. */
export interface Daemon {
  /** @throws Error with the end of its log, when it ends before it is ready */
  start(): Promise<void>;
  kill(): Promise<void>;
}

interface DaemonParts {
  readonly program: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly isReady: () => Promise<boolean>;
}

const patienceMs = 180_000;

export function createDaemon({ program, args, log, isReady }: DaemonParts): Daemon {
  let ending: Promise<unknown> = Promise.resolve();
  let kill: () => void = () => undefined;
  return {
    async start() {
      const file = openSync(log, 'a');
      const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
        stdio: ['ignore', file, file],
        env: { PATH: process.env['PATH'], HOME: '/nonexistent', GOMAXPROCS: '2' },
      });
      closeSync(file);
      ending = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
      kill = () => child.kill('SIGKILL');
      let hasEnded = false;
      void ending.then(() => (hasEnded = true));
      await until(`${program} is ready`, async () => hasEnded || (await isReady()), patienceMs);
      if (hasEnded) throw new Error(`${program} has ended: ${readFileSync(log, 'utf8').slice(-2000)}`);
    },
    async kill() {
      kill();
      await ending;
    },
  };
}
