import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { findExecutable } from '../../src/system/executables.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { until } from './until.ts';

/** A real registry of images (Debian's docker-registry) on loopback, with a login: `someone`, `letmein`. */
export interface TestRegistry {
  /** `127.0.0.1:40123`, as names of its images begin. */
  readonly name: string;
  /** A file with the login, as `docker login` writes it. */
  readonly logins: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const hasRegistry = findExecutable('/usr/bin', 'docker-registry') !== undefined;

/** By bcrypt, which the registry asks for. */
const hash = '$2y$05$abcdefghijklmnopqrstuuKwWV7ESJpzKzf9FQg57dBvMuv92X9HS';

export async function aTestRegistry(): Promise<TestRegistry> {
  const place = scratchDirectory('registry');
  const name = `127.0.0.1:${await freePort()}`;
  const [config, logins] = [join(place, 'config.yml'), join(place, 'config.json')];
  mkdirSync(join(place, 'data'));
  writeFileSync(join(place, 'htpasswd'), `someone:${hash}\n`);
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(place, 'data') }, delete: { enabled: true } },
      auth: { htpasswd: { realm: 'test', path: join(place, 'htpasswd') } },
      http: { addr: name },
    }),
  );
  const auth = Buffer.from('someone:letmein').toString('base64');
  writeFileSync(logins, JSON.stringify({ auths: { [name]: { auth } } }));
  let server: ChildProcess | undefined;
  const registry: TestRegistry = {
    name,
    logins,
    async start() {
      const log = openSync(join(place, 'log'), 'a');
      server = spawn('/usr/bin/docker-registry', ['serve', config], {
        stdio: ['ignore', log, log],
        // It would look for traces elsewhere.
        env: { OTEL_TRACES_EXPORTER: 'none' },
      });
      await until('the registry answers', () =>
        fetch(`http://${name}/v2/`).then(
          ({ status }) => status === 401,
          () => false,
        ),
      );
    },
    async stop() {
      const ended = new Promise((resolve) => server?.once('exit', resolve));
      server?.kill('SIGKILL');
      await ended;
    },
  };
  await registry.start();
  return registry;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
