import { chmodSync, lchownSync, mkdirSync } from 'node:fs';
import { isFolder } from './instance-named-directory.ts';
import type { LocalNode } from './local-node.ts';

/**
 * Makes a folder that only the broker can write and that the account can pass through, to what is its own inside.
 */
export function makePassage({ account }: LocalNode, path: string): void {
  makeFolder(path, account ? 0o710 : 0o700, account && { uid: process.getuid?.() ?? 0, gid: account.gid });
}

/**
 * Makes a folder that only the broker can write, on the way to what instances have: whichever account each of them has
 * can pass through, and sees nothing of it.
 */
export function makeWay({ account }: LocalNode, path: string): void {
  makeFolder(path, account ? 0o711 : 0o700, undefined);
}

/** Makes a folder that belongs to the account: 0700. */
export function makeOwn({ account }: LocalNode, path: string): void {
  makeFolder(path, 0o700, account);
}

/** Makes a folder that belongs to the broker alone: 0700. */
export function makePrivate(path: string): void {
  makeFolder(path, 0o700, undefined);
}

/** Makes a folder. One that is there gets owner and mode all the same: who made it may have died before. */
export function makeFolder(
  path: string,
  mode: number,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): void {
  if (!isFolder(path)) mkdirSync(path, { mode: 0o700 });
  if (owner) lchownSync(path, owner.uid, owner.gid);
  // Whatever the broker's own umask is.
  chmodSync(path, mode);
}
