import { statSync } from 'node:fs';
import { type Account, readAccounts } from '../system/account.ts';

/**
 * Chooses the user for the database: undefined (our own) unless we are root, which Postgres refuses to run as.
 * Then the owner of the cluster that is there, else `postgres`, else `nobody`.
 */
export function chooseDatabaseAccount(cluster: string): Account | undefined {
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
