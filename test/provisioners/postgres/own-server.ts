import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';

/** A Postgres of the system's packages, whose pg_dump understands it. */
export interface OwnServer {
  /** The administrator's address. */
  readonly url: string;
  stop(): Promise<void>;
}

const home = '/usr/lib/postgresql';
const [installed] = existsSync(home)
  ? readdirSync(home).filter((version) =>
      ['initdb', 'postgres', 'pg_dump'].every((name) => existsSync(join(home, version, 'bin', name))),
    )
  : [];

/** Where there is none, the tests are skipped and say so. */
export function describeWithServer(name: string, tests: () => void): void {
  if (installed === undefined) describe.skip(`${name} (skipped: there is no server in ${home})`, tests);
  else describe(name, tests);
}

export async function startOwnServer(): Promise<OwnServer> {
  const directory = scratchDirectory('own-server');
  const bin = join(home, installed ?? '', 'bin');
  // Postgres refuses to be root.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const data = join(directory, 'data');
  mkdirSync(data, { mode: 0o700 });
  chmodSync(directory, 0o755);
  const password = join(directory, 'password');
  writeFileSync(password, 'administrator');
  if (user.uid !== undefined) for (const path of [data, password]) chownSync(path, user.uid, user.gid);
  const options = ['--auth=scram-sha-256', '--username=admin', `--pwfile=${password}`, '--no-sync'];
  execFileSync(join(bin, 'initdb'), ['-D', data, ...options], { ...user, cwd: '/', stdio: 'ignore' });
  const port = await findPort();
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' };
  const words = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...words], { ...user, cwd: '/', stdio: 'ignore' });
  const url = `postgres://admin:administrator@127.0.0.1:${port}/postgres`;
  await until('the server answers', () => answers(url));
  return {
    url,
    async stop() {
      const ended = once(server, 'exit');
      server.kill('SIGINT');
      await ended;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
