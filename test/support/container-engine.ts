import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { containerEngine, type ContainerEngine } from '../../src/provisioners/process/containers/engine.ts';
import { findExecutable } from '../../src/system/executables.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { until } from './until.ts';

/**
 * A real Docker engine, started for the tests of one file: with directories of its own, and an image that is made from
 * Debian's programs on this machine. No registry is reached.
 *
 * It runs here as everywhere, whatever groups of processes the machine has (measured: cgroup v1 and v2, overlay, bridges
 * and their rules of iptables). It needs root, and the packages docker.io and busybox-static.
 */
export interface TestEngine {
  readonly socket: string;
  readonly engine: ContainerEngine;
  /** What the image is called. */
  readonly image: string;
  /** kill -9 of the engine; containers go on until it is back. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Removes all containers and networks, and ends it. */
  close(): Promise<void>;
}

/** Where programs of engines lie. */
export const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const programs = ['dockerd', 'containerd', 'runc', 'redis-server', 'redis-cli', 'busybox', 'iptables'];

/** Why there can be none here; undefined when there can. */
export function whyNoEngine(): string | undefined {
  if (process.getuid?.() !== 0) return 'a container engine is started by root only';
  const missing = programs.find((name) => findExecutable(path, name) === undefined);
  return missing && `there is no ${missing}`;
}

export async function aTestEngine(): Promise<TestEngine> {
  const place = scratchDirectory('engine');
  const socket = join(place, 'docker.sock');
  const engine = containerEngine(socket);
  const image = 'purveyor-test/redis:7';
  let daemon: ChildProcess | undefined;
  async function start(): Promise<void> {
    const directories = ['--data-root', join(place, 'data'), '--exec-root', join(place, 'exec')];
    const own = ['--pidfile', join(place, 'docker.pid'), '-H', `unix://${socket}`, '--live-restore'];
    // Nothing of the machine's own network is changed: ports are handed over by programs of the engine, and each test
    // file has addresses of its own.
    const [high, low] = [(process.pid >> 4) & 127, (process.pid & 15) << 4];
    const pool = `base=10.${128 + high}.${low}.0/20,size=27`;
    const quiet = [
      '--bridge',
      'none',
      '--iptables=false',
      '--ip-forward=false',
      '--default-address-pool',
      pool,
    ];
    const log = join(place, 'log');
    const started = spawn('dockerd', [...directories, ...own, ...quiet], {
      env: { PATH: path },
      stdio: ['ignore', 'ignore', openSync(log, 'a')],
    });
    daemon = started;
    await until('the container engine answers', () => {
      if (started.exitCode !== null)
        throw new Error(`The container engine ended: ${readFileSync(log, 'utf8').slice(-3000)}`);
      return engine.ask('GET', '/_ping', { limit: 5_000 }).then(
        ({ status }) => status === 200,
        () => false,
      );
    });
  }
  async function kill(): Promise<void> {
    const ended = new Promise((resolve) => daemon?.once('exit', resolve));
    daemon?.kill('SIGKILL');
    await ended;
    // Where nobody collects what has ended, the engine would take its own helper for alive by this file.
    rmSync(join(place, 'exec/containerd/containerd.pid'), { force: true });
  }
  await start();
  importImage(socket, place, image);
  return {
    socket,
    engine,
    image,
    kill,
    start,
    async close() {
      try {
        removeAll(socket);
        const ended = new Promise((resolve) => daemon?.once('exit', resolve));
        daemon?.kill('SIGTERM');
        await ended;
      } finally {
        unmount(place);
      }
    },
  };
}

/** What an engine that was killed has left mounted. */
export function unmount(place: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const own = mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${place}/`));
  for (const path of own.toReversed()) execFileSync('umount', ['-l', path]);
}

/** As the machine's own client says it. */
export function docker(socket: string, ...words: readonly string[]): string {
  return execFileSync('/usr/bin/docker', ['-H', `unix://${socket}`, ...words], {
    env: { PATH: path },
  }).toString();
}

export function removeAll(socket: string): void {
  const containers = docker(socket, 'ps', '-aq').split('\n').filter(Boolean);
  if (containers.length > 0) docker(socket, 'rm', '-f', ...containers);
  docker(socket, 'network', 'prune', '-f');
}

/** Redis with the libraries it needs, and a shell. */
export function importImage(socket: string, place: string, image: string): void {
  const programs = ['redis-server', 'redis-cli'].map((name) => findExecutable(path, name) ?? '');
  importRoot(socket, join(place, 'image'), image, programs);
}

/** An image of what lies below `root`, with these programs and the libraries they need, and a shell. */
export function importRoot(socket: string, root: string, image: string, wanted: readonly string[]): void {
  for (const folder of ['bin', 'usr/bin', 'tmp', 'etc']) mkdirSync(join(root, folder), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'cp', 'id', 'kill', 'sleep', 'grep', 'touch'])
    symlinkSync('busybox', join(root, 'bin', name));
  for (const one of wanted) {
    const program = realpathSync(one);
    copyFileSync(program, join(root, 'usr/bin', basename(one)));
    for (const library of execFileSync('ldd', [program]).toString().match(/\/\S+/g) ?? []) {
      const target = join(root, library);
      if (existsSync(target)) continue;
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(realpathSync(library), target);
      chmodSync(target, 0o755);
    }
  }
  const archive = `${root}.tar`;
  execFileSync('tar', ['-C', root, '-cf', archive, '.']);
  docker(socket, 'import', archive, image);
}
