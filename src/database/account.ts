import { statSync } from 'node:fs';
import { type Account, readAccounts, whyNotUsers } from '../system/account.ts';
import { isAnythingOf } from '../system/end-user.ts';
import { findServer } from './postmaster.ts';

/** Does an instance run as this user, or can one? */
export type IsTenant = (uid: number) => boolean;

/** Whom everybody runs as who has no user of its own: of old the instances, too. */
export function isNobody(uid: number): boolean {
  return readAccounts().some((account) => account.name === 'nobody' && account.uid === uid);
}

/** Who the database is where there is no user `postgres`: a number that nothing else has, or one for small containers. */
const databaseNumbers = [2_099_999_999, 59_999];

/**
 * Chooses the user for the database: undefined (our own) unless we are root, which Postgres refuses to run as.
 * Then the owner of the cluster that is there, else `postgres`, else a number of its own; never one that instances
 * have, whoever had it before.
 * @throws Error with a sentence when there is none
 */
export function chooseDatabaseAccount(cluster: string, isTenant: IsTenant = isNobody): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readAccounts();
  const owner = statSync(cluster, { throwIfNoEntry: false });
  // A cluster owned by root is a backup that root copied back; it is given away in openHome. So is one of an account that
  // instances have, unless its server runs: that is joined as it is.
  if (owner && owner.uid !== 0 && (!isTenant(owner.uid) || findServer(cluster) !== undefined)) {
    const name = accounts.find((account) => account.uid === owner.uid)?.name ?? `uid ${owner.uid}`;
    return { name, uid: owner.uid, gid: owner.gid };
  }
  const named = accounts.find(({ name, uid }) => name === 'postgres' && !isTenant(uid));
  const account = named ?? databaseNumbers.filter(isFree).map(numbered).at(0);
  if (account) return account;
  throw new Error(
    'Postgres must not run as root, and there is no user here for it: make a user postgres that nothing else uses.',
  );

  function isFree(uid: number): boolean {
    return !isTenant(uid) && whyNotUsers({ first: uid, last: uid }, []) === undefined;
  }
}

/**
 * Chooses who makes a cluster for the account: initdb needs a user that has a name. Where the account has none, a user
 * of the system that runs nothing lends its own.
 * @throws Error with a sentence when there is none
 */
export function chooseMaker(account: Account | undefined, isTenant: IsTenant): Account | undefined {
  if (!account) return undefined;
  const accounts = readAccounts();
  if (accounts.some(({ uid }) => uid === account.uid)) return account;
  const idle = ({ uid }: Account) => uid > 0 && uid < 1000 && !isTenant(uid) && !isAnythingOf({ uid });
  const maker = accounts.find(idle);
  // Its group is the database's, whose folder is open to that one.
  if (maker) return { ...maker, gid: account.gid };
  throw new Error(
    'There is no user here that can make the database: make a user postgres that nothing else uses.',
  );
}

function numbered(uid: number): Account {
  return { name: `uid ${uid}`, uid, gid: uid };
}
