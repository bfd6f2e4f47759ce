import { closeSync, constants, fchownSync, fstatSync, openSync, rmSync } from 'node:fs';
import { codeOf } from './error-code.ts';
import type { Host } from './account.ts';

const { O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Opens a log in a folder of the account's to append to it, and makes it where there is none. What the account has put
 * in its place, be it a link, a pipe or another name of somebody else's file, is taken away: the broker may be root, and
 * would write there.
 * @returns to be closed
 */
export function openLog(host: Host, file: string): number {
  return openOwn(host, file, O_RDWR | O_APPEND) ?? makeLog(host, file);
}

/**
 * Opens a file in a folder of the account's when it is a plain file of the account's own.
 * @param flags `O_RDONLY`, or what is to be done with it
 * @returns to be closed; undefined when there is none
 */
export function openOwn({ account }: Host, file: string, flags: number): number | undefined {
  let handle: number;
  try {
    handle = openSync(file, flags | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // ENXIO: a pipe without a reader, or a socket.
    if (['ENOENT', 'ELOOP', 'EISDIR', 'ENXIO'].includes(codeOf(error))) return undefined;
    throw error;
  }
  const found = fstatSync(handle);
  if (found.isFile() && found.uid === (account?.uid ?? process.getuid?.())) return handle;
  closeSync(handle);
  return undefined;
}

function makeLog({ account }: Host, file: string): number {
  rmSync(file, { force: true });
  const log = openSync(file, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  if (account) fchownSync(log, account.uid, account.gid);
  return log;
}
