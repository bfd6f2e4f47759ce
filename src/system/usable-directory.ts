import { randomUUID } from 'node:crypto';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeDirectory } from './make-directory.ts';
import { codeOf } from './error-code.ts';

/**
 * Makes the directory of an option where it is not there, and writes into it once: what would fail later, somewhere and
 * in the system's words, fails here.
 * @param option its name, e.g. `DATA_DIR`
 * @throws Error with a sentence that names the option, the directory and the cause
 */
export function requireUsable(option: string, directory: string): void {
  const path = resolve(directory);
  const probe = join(path, `.probe-${randomUUID()}`);
  try {
    makeDirectory(path);
    writeFileSync(probe, Buffer.alloc(probeBytes), { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    throw new Error(`${option} ${path} cannot be used: ${troubleWith(path, error)}.`, { cause: error });
  } finally {
    removeProbe(probe);
  }
}

/** As much as the first files of a start take. */
const probeBytes = 65_536;

/** Why nothing can be made in a directory, as a clause for operators. */
export function troubleWith(path: string, error: unknown): string {
  const code = codeOf(error);
  if (isFile(path)) return 'it is a file, and must be a directory';
  return causes[code] ?? `the system says ${code || String(error)}`;
}

const causes: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'there is something in its way',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its file system is full',
  EDQUOT: 'the quota of this user is used up there',
  ENOENT: 'its path leads nowhere, or to where no directory can be made',
  ELOOP: 'its path is a link that leads to itself',
  ENAMETOOLONG: 'its path is too long',
};

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    return false;
  }
}

function removeProbe(probe: string): void {
  try {
    rmSync(probe, { force: true });
  } catch {
    // What could not be made cannot be removed.
  }
}
