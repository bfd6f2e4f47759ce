import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Is the path one of these, or below one? */
export function isWithin(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => folder === '/' || path === folder || path.startsWith(`${folder}/`));
}

/**
 * What a folder of executables needs to be of use: itself, where it really is, and what lies beside a `bin`. The folder
 * above is not among them: in a home directory it would be all of somebody's own.
 */
export function placesOf(folder: string): readonly string[] {
  const real = realPath(folder);
  return [...new Set([folder, real])].flatMap((place) => [place, ...besides(place)]);
}

/** Where the file really is, when it is there. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function besides(place: string): readonly string[] {
  if (!['bin', 'sbin'].includes(basename(place))) return [];
  const prefix = dirname(place);
  // ~/.local/share holds what programs keep of a person, keys among it.
  const shared = basename(prefix) === '.local' ? [] : ['share'];
  return ['lib', 'lib64', 'libexec', ...shared].map((name) => join(prefix, name));
}

/**
 * Files and folders that this user can read and others cannot: an operator's own among the system's.
 * @param depth so many folders deep is looked
 */
export function ownSecrets(folder: string, uid: number, gids: readonly number[], depth: number): string[] {
  return entriesOf(folder).flatMap((name) => {
    const path = join(folder, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found || found.isSymbolicLink()) return [];
    const isOwn = found.uid === uid || gids.includes(found.gid);
    const needed = found.isDirectory() ? 0o005 : 0o004;
    if (isOwn && (found.mode & needed) !== needed) return [path];
    return found.isDirectory() && depth > 1 ? ownSecrets(path, uid, gids, depth - 1) : [];
  });
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
