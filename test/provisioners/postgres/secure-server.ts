import { chmodSync, copyFileSync, lchownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbedded } from '../../../src/database/embedded.ts';
import type { Authority } from '../../support/certificates.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

/** A Postgres of its own that speaks TLS at `localhost`, with a certificate of the authority. */
export interface SecureServer {
  /** The administrator's address, without anything about TLS. */
  readonly url: string;
  /** The same, verified by the authority. */
  readonly verified: string;
  /** Says whether others than the administrator may come without TLS, from now on. */
  takeInTheClear(isTaken: boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startSecureServer(authority: Authority): Promise<SecureServer> {
  const dataDir = scratchDirectory('secure');
  chmodSync(dataDir, 0o755);
  const embedded = await startEmbedded({ dataDir, note: () => undefined });
  const { host, port, user, password, database } = new Client({ connectionString: embedded.url });
  const login = { host, port, user, password: password ?? '', database };
  const cluster = join(dataDir, 'postgres', 'cluster');
  const pair = authority.issue();
  give(pair.certFile, join(cluster, 'server.crt'));
  give(pair.keyFile, join(cluster, 'server.key'));

  async function takeInTheClear(isTaken: boolean): Promise<void> {
    const kind = isTaken ? 'host' : 'hostssl';
    const lines = ['local all all', `host all ${user} 127.0.0.1/32`, `${kind} all all 127.0.0.1/32`];
    writeFileSync(join(cluster, 'pg_hba.conf'), lines.map((line) => `${line} scram-sha-256\n`).join(''));
    await ask(login, 'select pg_reload_conf()');
  }

  await ask(login, "alter system set ssl_cert_file = 'server.crt'");
  await ask(login, "alter system set ssl_key_file = 'server.key'");
  await ask(login, 'alter system set ssl = on');
  await takeInTheClear(false);
  const url = `postgres://${user}:${encodeURIComponent(login.password)}@localhost:${port}/${database}`;
  return { url, verified: `${url}?sslrootcert=${authority.certFile}`, takeInTheClear, stop: embedded.stop };
}

/** To whom the cluster belongs. */
function give(from: string, to: string): void {
  const { uid, gid } = statSync(join(to, '..'));
  copyFileSync(from, to);
  chmodSync(to, 0o600);
  lchownSync(to, uid, gid);
}

async function ask(login: object, statement: string): Promise<void> {
  const client = new Client(login);
  await client.connect();
  await client.query(statement);
  await client.end();
}
