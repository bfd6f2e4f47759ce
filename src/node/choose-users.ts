import type { UserRange } from '../broker/nodes.ts';
import { type Account, whyNotUsers } from '../system/account.ts';
import { claimUsers, ownNumbers, type UsersWanted } from './claim-users.ts';
import { accountOf } from './node-of-instance.ts';

export interface UsersChoice extends Pick<UsersWanted, 'registries'> {
  /** Of which each instance gets one; `any`: such as nobody of this machine has. Absent: none. */
  readonly users?: UserRange | 'any';
  /** Users that may not be among them. */
  readonly reserved?: readonly number[];
  readonly note: (message: string) => void;
}

/**
 * As whom programs run, as far as it can be known before the node has its directory: any of an instance's users is like
 * all the others.
 * @param shared who runs them where they have no users of their own
 * @throws Error with a sentence when the users that an operator has chosen can be nobody's
 */
export function likelyRunner(
  { users, reserved = [] }: UsersChoice,
  shared: Account | undefined,
): Account | undefined {
  if (users === undefined) return shared;
  if (users === 'any')
    return shared && (whyNotUsers(ownNumbers, []) === undefined ? accountOf(ownNumbers.first) : shared);
  if (process.getuid?.() !== 0) throw new Error('Only root can run instances as the users of NODE_USERS.');
  requireThat(users, whyNotUsers(users, reserved));
  return accountOf(users.first);
}

/**
 * Takes the users of a node, and tells where its instances have none of their own.
 * @param shared who runs them then; absent: the broker's own user, which is told with the sandbox
 * @throws Error with a sentence when an operator has chosen users that another node of this machine has
 */
export async function chooseUsers(
  { users, reserved = [], registries, note }: UsersChoice,
  shared: Account | undefined,
  directory: string,
): Promise<UserRange | undefined> {
  const range = users === 'any' ? undefined : users;
  // Who has programs run as root, or as the broker's own user, has nothing to keep from them.
  if (!shared && !range) return undefined;
  if (users === undefined) {
    if (shared) note(sharing(shared));
    return undefined;
  }
  try {
    return await claimUsers({ directory, range, reserved, registries });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (range) requireThat(range, why);
    if (shared) note(sharing(shared, why));
    return undefined;
  }
}

function requireThat({ first, last }: UserRange, why: string | undefined): void {
  if (why !== undefined) throw new Error(`NODE_USERS cannot be ${first}-${last}: ${why}.`);
}

function sharing({ name }: Account, why?: string): string {
  const reason = why === undefined ? '' : `, since ${why}`;
  return `All instances that run programs share the account ${name}${reason}: NODE_USERS gives each one of its own.`;
}
