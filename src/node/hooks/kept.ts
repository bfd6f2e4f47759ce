import { createHash, type Hash } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { notePrivately, readJson } from '../../system/private-file.ts';
import { readBootId } from '../../system/proc.ts';
import type { InstanceDirectory } from '../instance-directory.ts';

/** What is copied, and where it comes to lie, seen from the folder of the copies. */
export interface Original {
  readonly from: string;
  readonly part: string;
}

/**
 * Tells the originals as they are from all that they were before: by what the file system says of each file, which is
 * quicker than to read them.
 */
export function stateOf(originals: readonly Original[]): string {
  const hash = createHash('sha256');
  for (const { from, part } of originals) add(hash, from, part);
  return hash.digest('hex');
}

function add(hash: Hash, from: string, part: string): void {
  const found = lstatSync(from, { bigint: true });
  const target = found.isSymbolicLink() ? readlinkSync(from) : '';
  const { dev, ino, mode, size, mtimeNs, ctimeNs } = found;
  hash.update([part, target, dev, ino, mode, size, mtimeNs, ctimeNs].join('\0') + '\n');
  if (!found.isDirectory()) return;
  for (const name of readdirSync(from).toSorted()) add(hash, join(from, name), `${part}/${name}`);
}

/**
 * Notes that the instance has the copies of these originals. It counts for the folder of now and until the next start of
 * the machine, since copies are not waited for to reach the disk.
 */
export function noteKept(directory: InstanceDirectory, state: string): void {
  const mark = { state, folder: folderOf(directory), boot: readBootId() };
  notePrivately(markOf(directory), JSON.stringify(mark));
}

/** Does the instance have the copies of the originals as they are? */
export function areKept(directory: InstanceDirectory, state: string): boolean {
  const kept = readJson(markOf(directory));
  return kept?.['state'] === state && kept['folder'] === folderOf(directory) && kept['boot'] === readBootId();
}

/** Beside what says whose the directory is: only the broker writes there. */
function markOf({ base }: InstanceDirectory): string {
  return join(base, 'kept-hooks.json');
}

function folderOf({ hooks }: InstanceDirectory): string {
  const found = lstatSync(hooks, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.ino}:${found.birthtimeNs}` : '';
}
