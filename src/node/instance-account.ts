import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../broker/errors.ts';
import { portOwner } from '../broker/key.ts';
import { endUser } from '../system/end-user.ts';
import { listUsers } from '../system/proc.ts';
import { makeInstanceDirectory, type InstanceDirectory } from './instance-directory.ts';
import { isFolder, listKeyed, readOwner } from './instance-named-directory.ts';
import type { InstanceContext, NodeSettings } from './instance-context.ts';
import type { LocalNode } from './local-node.ts';
import { accountOf } from './node-of-instance.ts';

/**
 * Makes the directory of an instance, or completes it, with a user of its own where the node gives them: that is taken
 * before anything is made, and who dies in between takes the same again. A directory that is there without one keeps
 * the node's user.
 * @param kind the provisioner's name
 * @param taken its user, when that was found already
 * @returns the context with the node as the instance has it now
 * @throws Failure when no user is left; the file system's error
 */
export async function settleInstance<Context extends InstanceContext>(
  context: Context,
  kind: string,
  taken?: number,
): Promise<Context> {
  const uid = await findUid(context, taken);
  const node = uid === undefined ? context.node : { ...context.node, account: accountOf(uid) };
  await makeInstanceDirectory(node, kind, context.work.instance, uid);
  return { ...context, node };
}

/**
 * Ends whatever runs as the user of the instance, takes away what it has left in places that all share, and gives the
 * user back. To be called when the instance's directory is gone: nobody can begin anything there any more.
 * @param owner by what the instance owns its ports and its user
 */
export async function releaseAccount({ node, users }: NodeSettings, owner: string): Promise<void> {
  const uid = await users?.find(node.name, owner);
  if (uid === undefined) return;
  await endUser(accountOf(uid));
  await users?.release(node.name, owner);
}

/** Has the instance a user of its own? */
export function hasAccount({ base }: InstanceDirectory): boolean {
  return readOwner(base)?.uid !== undefined;
}

/** Ends whatever runs as the user of the instance, wherever it has got to; nothing when it has none of its own. */
export async function endAccount(directory: InstanceDirectory): Promise<void> {
  const uid = readOwner(directory.base)?.uid;
  if (uid !== undefined) await endUser(accountOf(uid));
}

/**
 * The user that the instance has, or one that is taken for it; undefined where it has none of its own.
 * @throws Failure when none is left
 */
export async function findUid(
  { node, users, work, directory }: InstanceContext,
  taken?: number,
): Promise<number | undefined> {
  if (isFolder(directory.base)) return readOwner(directory.base)?.uid;
  if (!node.users || !users) return undefined;
  if (taken !== undefined) return taken;
  // Some may have gone since it was last looked.
  for (const anew of [false, true]) {
    const inUse = usersInUse(node, anew);
    const uid = await users.take(node.name, portOwner(work.instance), node.users, [...inUse]);
    if (uid === undefined) continue;
    inUse.add(uid);
    return uid;
  }
  throw new Failure('no-users', 'There is no room for this instance. Try again later.', {
    detail: `The node '${node.name}' has no free user of NODE_USERS left.`,
  });
}

/**
 * Of whom the database need not know: whoever runs something on this machine, and whose directories are here. As it was
 * ten seconds ago at the most, for many instances are made at once, and those that were given a number since then.
 */
function usersInUse({ directory }: LocalNode, anew: boolean): Set<number> {
  const now = performance.now();
  if (anew || looked?.directory !== directory || now - looked.at >= lookEvery) {
    const here = listFolders(directory).flatMap((kind) => listKeyed(join(directory, kind)));
    looked = {
      directory,
      at: now,
      users: new Set([...listUsers(), ...here.flatMap(({ uid }) => uid ?? [])]),
    };
  }
  return looked.users;
}

/** Milliseconds. */
const lookEvery = 10_000;

let looked: { readonly directory: string; readonly at: number; readonly users: Set<number> } | undefined;

function listFolders(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? entry.name : [],
  );
}
