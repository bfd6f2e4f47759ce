import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and those above it, as far as they are not there. Node's own recursive way never ends where a
 * directory is there in which none can be made (`/proc`): it takes ENOENT for a missing parent.
 * @param mode of all that is made here, less the umask
 * @throws Error of the system: ENOENT where none can be made, ENOTDIR below a file, EEXIST where something else is
 */
export function makeDirectory(path: string, mode = 0o777): void {
  const missing = [resolve(path)];
  for (let above = dirname(resolve(path)); !isThere(above); above = dirname(above)) missing.unshift(above);
  for (const one of missing) makeOne(one, mode);
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Another program may make it at the same moment. */
function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
    throw error;
  }
}
