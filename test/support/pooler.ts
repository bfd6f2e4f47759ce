import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { readAccounts } from '../../src/system/account.ts';
import { findExecutable } from '../../src/system/executables.ts';
import { freePort } from '../bench/programs.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { until } from './until.ts';

/** A real PgBouncer (Debian's pgbouncer) on loopback, in front of a database. */
export interface TestPooler {
  /** Leads to the database through it. */
  readonly url: string;
  start(): Promise<void>;
  /** As when its machine fails. */
  kill(): Promise<void>;
  /** Carries out a command of its own, such as `reconnect`. */
  command(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

const program = findExecutable('/usr/sbin:/usr/bin', 'pgbouncer');
/** It refuses to be root. */
const account = process.getuid?.() === 0 ? readAccounts().find(({ name }) => name === 'postgres') : undefined;

/** Why there can be none here; undefined when there can. */
export function whyNoPooler(): string | undefined {
  if (program === undefined) return 'there is no executable pgbouncer';
  return process.getuid?.() === 0 && !account ? 'there is no user postgres' : undefined;
}

/**
 * @param url of the database
 * @param settings of PgBouncer, by their names there
 */
export async function aTestPooler(
  url: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<TestPooler> {
  const { host, port, user, password, database } = new Client(url);
  const place = scratchDirectory('pooler');
  chmodSync(place, 0o755);
  const own = await freePort();
  const [config, users] = [join(place, 'pgbouncer.ini'), join(place, 'users')];
  writeFileSync(users, `"${user}" "${password}"\n`);
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: own,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    admin_users: user,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  const databases = `[databases]\n${database} = host=${host} port=${port}\n`;
  writeFileSync(config, `${databases}[pgbouncer]\n${lines.join('\n')}\n`);
  let child: ChildProcess | undefined;
  const login = `postgres://${user}:${encodeURIComponent(String(password))}@127.0.0.1:${own}`;
  const command: TestPooler['command'] = async (text) => {
    const client = new Client(`${login}/pgbouncer`);
    try {
      await client.connect();
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  async function start(): Promise<void> {
    const log = openSync(join(place, 'log'), 'a');
    const as = account ? { uid: account.uid, gid: account.gid } : {};
    child = spawn(String(program), [config], { stdio: ['ignore', log, log], ...as });
    await until('the pooler answers', () => command('show version').catch(() => undefined));
  }
  await start();
  return {
    url: `${login}/${database}`,
    start,
    async kill() {
      const ended = new Promise((resolve) => child?.once('exit', resolve));
      child?.kill('SIGKILL');
      await ended;
    },
    command,
  };
}
