import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Who runs programs, and where they are found. */
export interface Host {
  /** Absent: the user of this process. */
  readonly account?: Account;
  /** PATH of everything that is started, and where executables are looked for. */
  readonly path: string;
}

/**
 * Who runs programs: the named user when the broker is root, else the broker's own user.
 * @param name `nobody` when absent
 * @throws Error when there is no such user, or only root could be it
 */
export function chooseAccount(name: string | undefined): Account | undefined {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && name === undefined) return undefined;
  const account = findAccount(name ?? 'nobody');
  if (!account)
    throw new Error(
      `There is no ${name === undefined ? "user 'nobody'" : 'such user as NODE_USER names'} on this machine to run programs as.`,
    );
  // Who says root means it: then nothing is given away.
  if (account.uid === process.getuid?.()) return undefined;
  if (!isRoot) throw new Error(`Only root can run programs as another user, '${account.name}'.`);
  return account;
}

/** Can the account go into this directory? Asked of the system itself: modes, ACLs and mounts count. */
export async function canEnter(account: Account | undefined, directory: string): Promise<boolean> {
  const options = { uid: account?.uid, gid: account?.gid, cwd: '/', env: {} };
  return promisify(execFile)('/bin/sh', ['-c', 'test -x "$1"', 'sh', directory], options).then(
    () => true,
    () => false,
  );
}

function findAccount(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  if (line === undefined) return undefined;
  const [, , uid, gid] = line.split(':');
  return { name, uid: Number(uid), gid: Number(gid) };
}
