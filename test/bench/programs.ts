import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
export const login = 'broker:bench-password';

export interface Running {
  readonly port: number;
  readonly child: ChildProcess;
  /** Milliseconds from the start of the process to its first answer. */
  readonly startMs: number;
}

/** The broker as `npm start` runs it, with logs as in production. */
export async function startBroker(port: number, env: Readonly<Record<string, string>>): Promise<Running> {
  const started = performance.now();
  const child = spawn(process.execPath, ['src/start.js'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      LOG_FORMAT: 'json',
      BROKER_PASSWORD: 'bench-password',
      ...env,
    },
  });
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error('The broker ended while it was starting.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { port, child, startMs: performance.now() - started };
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** node:http with the bytes of this file. */
export function startRawServer(file: string): Promise<Omit<Running, 'startMs'>> {
  return startForked('raw-server.ts', file);
}

/** What a broker costs that keeps everything in memory. */
export function startInMemoryBroker(): Promise<Omit<Running, 'startMs'>> {
  return startForked('in-memory-broker.ts', login);
}

async function startForked(program: string, argument: string): Promise<Omit<Running, 'startMs'>> {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  const child = fork(join(import.meta.dirname, program), [argument], { stdio: [...stdio] });
  const [port] = (await once(child, 'message')) as [number];
  return { port, child };
}

export async function stop({ child }: Pick<Running, 'child'>): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
}

/** Megabytes of memory that the process holds now, and the most that it has held. */
export function residentMemory({
  child,
}: Running): { readonly now: number; readonly most: number } | undefined {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    const megabytes = (name: string) =>
      Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
    return { now: megabytes('VmRSS'), most: megabytes('VmHWM') };
  } catch {
    // Only Linux tells.
    return undefined;
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
