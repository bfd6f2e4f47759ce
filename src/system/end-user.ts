import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, runAs } from './account.ts';
import { listProcesses, readStat, readUserIds } from './proc.ts';
import { removeTree } from './remove-tree.ts';
import { until } from './until.ts';

/** Where everybody may write. */
const shared = ['/tmp', '/var/tmp', '/dev/shm'];

/**
 * Ends every process of a user, and removes what it owns in places that all users share.
 * @param account one that nothing else on this machine uses
 * @throws Error when a process is still there after 5 s
 */
export async function endUser(account: Account): Promise<void> {
  if (account.uid < 1000) throw new Error(`The user ${account.uid} is not one of an instance.`);
  if (isAnythingOf(account)) {
    const isGone = async () => {
      // All at once, so that nothing that is being forked escapes: a signal to -1 reaches just what the user may signal.
      await runAs(account, '/bin/sh', ['-c', 'kill -KILL -1']).catch(() => undefined);
      return !isAnythingOf(account);
    };
    if ((await until(isGone, { first: 5, longest: 100, limit: 5000 })) !== true)
      throw new Error(`Processes of the user ${account.uid} are still there after SIGKILL.`);
  }
  for (const place of shared) {
    for (const path of entriesOf(place)) {
      if (lstatSync(path, { throwIfNoEntry: false })?.uid === account.uid) await removeTree(path);
    }
  }
}

/** Does any process run as this user? */
export function isAnythingOf({ uid }: Pick<Account, 'uid'>): boolean {
  return listProcesses().some((pid) => readUserIds(pid).includes(uid) && readStat(pid)?.dead === false);
}

function entriesOf(place: string): readonly string[] {
  try {
    return readdirSync(place).map((name) => join(place, name));
  } catch {
    return [];
  }
}
