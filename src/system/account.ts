import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { HostLimits } from './limits/keeper.ts';
import type { Starter } from './starter/beginning.ts';

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
  /** What each program is shut into; absent: it sees all that its account sees. */
  readonly sandbox?: Sandbox | undefined;
  /** Those of the instance for which something is started; absent: none. */
  readonly limits?: HostLimits;
  /** Begins what shall outlive the broker; absent: this process does it. */
  readonly start?: Starter;
}

/** Shuts programs in. */
export interface Sandbox {
  /** The words that start the program inside as the account, in place of its own. */
  readonly wrap: (program: Inmate, account: Account | undefined) => readonly string[];
  /** Is it the command line of what stands around the program, and not of the program itself? */
  readonly isWall: (commandLine: readonly string[]) => boolean;
  /** Is it started as the user of this process, and becomes the account only inside? */
  readonly becomes: boolean;
}

export interface Inmate {
  readonly command: readonly string[];
  readonly cwd: string;
  /** What it must be able to read, beside what all programs of its sandbox can. */
  readonly reads?: readonly string[] | undefined;
}

/**
 * Who runs programs: the named user when the broker is root, else the broker's own user.
 * @param name `nobody` when absent
 * @throws Error when there is no such user, or only root could be it
 */
export function chooseAccount(name: string | undefined): Account | undefined {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && name === undefined) return undefined;
  const wanted = name ?? 'nobody';
  const account = readAccounts().find((one) => one.name === wanted);
  if (!account)
    throw new Error(
      `There is no ${name === undefined ? "user 'nobody'" : 'such user as NODE_USER names'} on this machine to run programs as.`,
    );
  // Who says root means it: then nothing is given away.
  if (account.uid === process.getuid?.()) return undefined;
  if (!isRoot) throw new Error(`Only root can run programs as another user, '${account.name}'.`);
  return account;
}

/**
 * Are all of these numbers free to be given to instances?
 * @returns a clause that says why not; undefined when they are
 */
export function whyNotUsers({ first, last }: UserNumbers, reserved: readonly number[]): string | undefined {
  const inRange = (id: number) => id >= first && id <= last;
  const account = readAccounts().find(({ uid, gid }) => inRange(uid) || inRange(gid));
  if (account) return `the user ${account.name} of this machine is among them`;
  const group = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((line) => inRange(Number(line.split(':')[2] || -1)));
  if (group !== undefined) return `the group ${group.split(':')[0]} of this machine is among them`;
  if ([...reserved, process.getuid?.() ?? 0].some(inRange))
    return 'the broker or its database runs as one of them';
  if (!['uid_map', 'gid_map'].every((map) => isMapped(map, first, last)))
    return 'this container does not have them all';
  return undefined;
}

interface UserNumbers {
  readonly first: number;
  readonly last: number;
}

function isMapped(map: string, first: number, last: number): boolean {
  const lines = readFileSync(`/proc/self/${map}`, 'utf8').trim().split('\n');
  return lines.some((line) => {
    const [start = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return first >= start && last < start + count;
  });
}

/** Our own environment (keys, DATABASE_URL, PGPORT and the like) stays out of the programs of the system. */
export const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Runs a program to its end as the given account and returns what it wrote; rejects when it fails. */
export async function runAs(account: Account | undefined, file: string, args: string[]): Promise<string> {
  // The working directory is inherited, and ours may be one that the account cannot enter.
  const options = { uid: account?.uid, gid: account?.gid, cwd: '/', env: ENVIRONMENT };
  const { stdout } = await promisify(execFile)(file, args, options);
  return stdout;
}

/** Whether the account passes `test <flag> <path>`, asked of the system itself: modes, ACLs and mounts count. */
export async function can(account: Account | undefined, flag: string, path: string): Promise<boolean> {
  return runAs(account, '/bin/sh', ['-c', 'test "$1" "$2"', 'sh', flag, path]).then(
    () => true,
    () => false,
  );
}

/** All users of this machine. */
export function readAccounts(): Account[] {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.map((line) => {
    const [name = '', , uid, gid] = line.split(':');
    return { name, uid: Number(uid), gid: Number(gid) };
  });
}
