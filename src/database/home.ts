import { lchownSync, lstatSync, mkdtempSync, realpathSync, rmdirSync, statSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeDirectory } from '../system/make-directory.ts';
import { can, type Account } from '../system/account.ts';
import { codeOf } from '../system/error-code.ts';
import type { IsTenant } from './account.ts';
import { giveAway } from './cluster.ts';

export interface HomeOptions {
  readonly isTenant: IsTenant;
  readonly shelter: string;
  readonly note: (message: string) => void;
}

/**
 * Opens `<dataDir>/postgres`, the folder of the cluster and all that belongs to it, and returns its real path.
 * Where the database user cannot reach it (a data directory under a 0700 home, the broker started by root), the
 * folder is made in `shelter` instead and `<dataDir>/postgres` is a link to it; `note` says so.
 */
export async function openHome(
  dataDir: string,
  account: Account | undefined,
  options: HomeOptions,
): Promise<string> {
  const { shelter, note } = options;
  const path = resolve(dataDir, 'postgres');
  makeDirectory(dataDir);
  if (!lstatSync(path, { throwIfNoEntry: false })) {
    if (await can(account, '-x', resolve(dataDir))) makeFolder(path, account);
    else makeShelter(path, account, shelter, note);
  }
  const home = followHome(path);
  await takeOver(home, account, options);
  if (!(await can(account, '-w', home))) throw new Error(refusal(home, account));
  return home;
}

function makeFolder(path: string, account: Account | undefined): void {
  makeDirectory(path, 0o700);
  if (account) lchownSync(path, account.uid, account.gid);
}

function makeShelter(
  path: string,
  account: Account | undefined,
  shelter: string,
  note: (message: string) => void,
): void {
  const folder = mkdtempSync(join(shelter, 'purveyor-'));
  if (account) lchownSync(folder, account.uid, account.gid);
  try {
    symlinkSync(folder, path);
    const who = account?.name ?? 'the database user';
    note(
      `${path} is a link to ${folder}, where the database is kept: ${who} cannot enter ${resolve(path, '..')}.`,
    );
  } catch (error) {
    rmdirSync(folder);
    // Another broker that started at the same moment made it first.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function followHome(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(
      `${path} is a link to a folder that is gone: bring it back, or remove the link to begin with an empty database.`,
      { cause: error },
    );
  }
}

/** Gives a copy that root brought back from a backup to the account, and what one had that instances have. */
async function takeOver(
  home: string,
  account: Account | undefined,
  { isTenant, note }: HomeOptions,
): Promise<void> {
  if (!account) return;
  const owners = [home, join(home, 'cluster')].flatMap(
    (path) => statSync(path, { throwIfNoEntry: false })?.uid ?? [],
  );
  const former = owners.find((uid) => uid !== account.uid && (uid === 0 || isTenant(uid)));
  if (former !== undefined) await giveAway(home, account);
  if (former)
    note(`The embedded database runs as ${account.name} from now on: instances can have the user ${former}.`);
  else if (isTenant(account.uid))
    note(
      `The embedded database still runs as ${account.name}, which instances can have: stop all brokers on it once.`,
    );
}

function refusal(home: string, account: Account | undefined): string {
  const who = account ? `the database user ${account.name}` : 'this user';
  return `${home} cannot be written by ${who}: make it and the folders above it reachable, or choose another DATA_DIR.`;
}
