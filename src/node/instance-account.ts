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
 * @returns the context with the node as the instance has it now
 * @throws Failure when no user is left; the file system's error
 */
export async function settleInstance<Context extends InstanceContext>(
  context: Context,
  kind: string,
): Promise<Context> {
  const uid = await findUid(context);
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

/** Ends whatever runs as the user of the instance, wherever it has got to; nothing when it has none of its own. */
export async function endAccount(directory: InstanceDirectory): Promise<void> {
  const uid = readOwner(directory.base)?.uid;
  if (uid !== undefined) await endUser(accountOf(uid));
}

async function findUid({ node, users, work, directory }: InstanceContext): Promise<number | undefined> {
  if (isFolder(directory.base)) return readOwner(directory.base)?.uid;
  if (!node.users || !users) return undefined;
  const uid = await users.take(node.name, portOwner(work.instance), node.users, usersInUse(node));
  if (uid !== undefined) return uid;
  throw new Failure('no-users', 'There is no room for this instance. Try again later.', {
    detail: `The node '${node.name}' has no free user of NODE_USERS left.`,
  });
}

/** Of whom the database need not know: whoever runs something on this machine, and whose directories are here. */
function usersInUse({ directory }: LocalNode): readonly number[] {
  const directories = listFolders(directory).flatMap((kind) => listKeyed(join(directory, kind)));
  return [...usersLately(), ...directories.flatMap(({ uid }) => uid ?? [])];
}

/**
 * A second ago at the most, for many instances are made at once. Whoever was given a number since then has it from the
 * database, which gives one that is given back only when all others have been given.
 */
function usersLately(): readonly number[] {
  const now = performance.now();
  if (!looked || now - looked.at >= 1000) looked = { at: now, users: listUsers() };
  return looked.users;
}

let looked: { readonly at: number; readonly users: readonly number[] } | undefined;

function listFolders(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? entry.name : [],
  );
}
