import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';

/** The user Postgres runs as, when it cannot be the user the broker runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

// Our own environment (keys, DATABASE_URL, PGPORT and the like) stays out of the programs we start.
export const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Chooses the user for the database: undefined (our own) unless we are root, which Postgres refuses to run as.
 * Then the owner of the cluster that is there, else `postgres`, else `nobody`.
 */
export function findAccount(cluster: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readAccounts();
  const owner = statSync(cluster, { throwIfNoEntry: false });
  // A cluster owned by root is a backup that root copied back; it is given away in openHome.
  if (owner && owner.uid !== 0) {
    const name = accounts.find((account) => account.uid === owner.uid)?.name ?? `uid ${owner.uid}`;
    return { name, uid: owner.uid, gid: owner.gid };
  }
  const account = ['postgres', 'nobody'].flatMap((name) => accounts.filter((a) => a.name === name))[0];
  if (!account)
    throw new Error('Postgres must not run as root, and there is no user postgres or nobody here.');
  return account;
}

/** Runs a program to its end as the given account and returns what it wrote; rejects when it fails. */
export async function runAs(account: Account | undefined, file: string, args: string[]): Promise<string> {
  // The working directory is inherited, and ours may be one that the account cannot enter.
  const options = { uid: account?.uid, gid: account?.gid, cwd: '/', env: ENVIRONMENT };
  const { stdout } = await promisify(execFile)(file, args, options);
  return stdout;
}

/** Whether the account passes `test <flag> <path>`, asked of the system itself: modes, ACLs and mounts count. */
export async function can(account: Account | undefined, flag: string, path: string): Promise<boolean> {
  return runAs(account, '/bin/sh', ['-c', `test ${flag} "$1"`, 'sh', path]).then(
    () => true,
    () => false,
  );
}

function readAccounts(): Account[] {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.map((line) => {
    const [name = '', , uid, gid] = line.split(':');
    return { name, uid: Number(uid), gid: Number(gid) };
  });
}
