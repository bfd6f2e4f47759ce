import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { runAs, type Account } from '../system/account.ts';
import { codeOf } from '../system/error-code.ts';
import { isServerAlive } from './postmaster.ts';

/** The role and the database of the broker; the role owns the whole cluster. */
export const NAME = 'purveyor';

const PASSWORD_FILE = 'purveyor-password';

/** Reads the major version of the cluster in `home`; undefined where there is none yet. */
export function readMajorVersion(home: string): number | undefined {
  const cluster = join(home, 'cluster');
  if (!fs.existsSync(cluster)) return undefined;
  const major = Number.parseInt(readIfThere(join(cluster, 'PG_VERSION')), 10);
  if (major) return major;
  throw new Error(
    `${cluster} is not a Postgres cluster (no PG_VERSION): move it away, or restore it from a backup.`,
  );
}

/** Reads the password that `createCluster` made. */
export function readPassword(home: string): string {
  const password = readIfThere(join(home, 'cluster', PASSWORD_FILE));
  if (password) return password;
  throw new Error(
    `${join(home, 'cluster', PASSWORD_FILE)} is missing: restore it with the cluster from a backup.`,
  );
}

export interface ClusterUsers {
  /** Whose the cluster is then; undefined: our own user's. */
  readonly account: Account | undefined;
  /** Who makes it; its group can enter what the account's can. */
  readonly maker: Account | undefined;
}

/**
 * Makes `<home>/cluster`, password inside. It is made under another name first, so that a cluster is either whole
 * or not there, whatever is killed when.
 * @param onBegun is called when the program that makes it runs
 */
export async function createCluster(
  home: string,
  binDir: string,
  { account, maker }: ClusterUsers,
  onBegun: () => void = () => undefined,
): Promise<void> {
  sweepDrafts(home);
  // The maker has the account's group.
  if (maker?.uid !== account?.uid) fs.chmodSync(home, 0o710);
  const draft = fs.mkdtempSync(join(home, `new-${process.pid}-`));
  try {
    const initialised = initialise(draft, binDir, maker);
    onBegun();
    await initialised;
    if (account && maker?.uid !== account.uid) await giveAway(draft, account);
    adopt(join(draft, 'cluster'), join(home, 'cluster'));
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

async function initialise(draft: string, binDir: string, maker: Account | undefined): Promise<void> {
  const [cluster, password] = [join(draft, 'cluster'), join(draft, 'password')];
  fs.writeFileSync(password, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (maker) for (const path of [password, draft]) fs.lchownSync(path, maker.uid, maker.gid);
  const place = ['--pgdata', cluster, '--username', NAME, '--pwfile', password];
  const nature = ['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-locale', '--data-checksums'];
  await runAs(maker, join(binDir, 'initdb'), [...place, ...nature]);
  fs.renameSync(password, join(cluster, PASSWORD_FILE));
}

/** Gives a directory and all below it to the account, and what links lead to to nobody. */
export async function giveAway(path: string, { uid, gid }: Account): Promise<void> {
  await runAs(undefined, 'chown', ['-Rh', `${uid}:${gid}`, path]);
}

function adopt(draft: string, cluster: string): void {
  try {
    fs.renameSync(draft, cluster);
  } catch (error) {
    // Another broker that started at the same moment was faster: its cluster is the cluster.
    if (!fs.existsSync(cluster)) throw error;
  }
  syncFolder(join(cluster, '..'));
}

/** A rename survives a power cut only when the folder is synced. */
function syncFolder(path: string): void {
  const folder = fs.openSync(path, 'r');
  fs.fsyncSync(folder);
  fs.closeSync(folder);
}

/** Removes what first starts left behind that were killed half-way. */
function sweepDrafts(home: string): void {
  for (const name of fs.readdirSync(home)) {
    const pid = Number(/^new-(\d+)-/.exec(name)?.[1]);
    if (pid && !isServerAlive(pid)) fs.rmSync(join(home, name), { recursive: true, force: true });
  }
}

function readIfThere(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}
