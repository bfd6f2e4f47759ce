import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containerEngine } from '../../src/provisioners/process/containers/engine.ts';
import { findExecutable } from '../../src/system/executables.ts';
import { importImage, path, removeAll, type TestEngine, unmount } from './container-engine.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { until } from './until.ts';

/**
 * A real Podman, as `podman system service` serves it, with directories of its own. It needs root, and the packages
 * podman, netavark, aardvark-dns and runc beside those of the tests with Docker, whose client is used here as well.
 */
export async function aPodmanEngine(): Promise<TestEngine> {
  const place = scratchDirectory('podman');
  const at = (name: string) => join(place, name);
  const socket = at('podman.sock');
  const engine = containerEngine(socket);
  const env = settingsIn(place);
  let service: ChildProcess | undefined;
  async function start(): Promise<void> {
    const log = openSync(at('log'), 'a');
    const words = ['--tmpdir', at('tmp'), 'system', 'service', '--time=0', `unix://${socket}`];
    service = spawn('podman', words, { cwd: place, env, stdio: ['ignore', log, log] });
    await until('Podman answers', () =>
      engine.ask('GET', '/_ping', { limit: 5_000 }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  }
  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const ended = new Promise((resolve) => service?.once('exit', resolve));
    service?.kill(signal);
    await ended;
  }
  await start();
  const image = 'purveyor-test/redis:7';
  importImage(socket, place, image);
  return {
    socket,
    engine,
    image,
    start,
    kill: () => end('SIGKILL'),
    async close() {
      removeAll(socket);
      await end('SIGTERM');
      unmount(place);
    },
  };
}

const programs = ['podman', 'conmon', 'netavark', 'runc', 'redis-server', 'redis-cli', 'busybox', 'iptables'];
const places = `${path}:/usr/lib/podman`;

/** Why there can be none here; undefined when there can. */
export function whyNoPodman(): string | undefined {
  if (process.getuid?.() !== 0) return 'Podman is started by root here';
  const missing = programs.find((name) => findExecutable(places, name) === undefined);
  return missing && `there is no ${missing}`;
}

/**
 * Whatever the machine says of containers does not count. runc, and bounds below those of the machine: crun, which
 * Debian's Podman prefers, cannot run where there is no CAP_SYS_RESOURCE or where groups of processes are of both kinds.
 */
function settingsIn(place: string): NodeJS.ProcessEnv {
  const at = (name: string) => join(place, name);
  for (const name of ['root', 'run', 'tmp', 'networks']) mkdirSync(at(name));
  writeFileSync(
    at('containers.conf'),
    `[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[network]
network_backend = "netavark"
network_config_dir = "${at('networks')}"
`,
  );
  const storage = `[storage]\ndriver = "vfs"\ngraphroot = "${at('root')}"\nrunroot = "${at('run')}"\n`;
  writeFileSync(at('storage.conf'), storage);
  writeFileSync(at('registries.conf'), '');
  return {
    PATH: path,
    HOME: place,
    TMPDIR: at('tmp'),
    XDG_RUNTIME_DIR: at('run'),
    CONTAINERS_CONF: at('containers.conf'),
    CONTAINERS_STORAGE_CONF: at('storage.conf'),
    CONTAINERS_REGISTRIES_CONF: at('registries.conf'),
  };
}
