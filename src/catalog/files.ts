import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The offering files of a directory, not of the directories in it, sorted by name. @throws when it cannot be read */
export async function offeringFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  // A leading dot is how editors mark the files that are only theirs.
  return names
    .filter((name) => isOfferingName(name) && !name.startsWith('.'))
    .toSorted()
    .map((name) => join(directory, name));
}

/** Does a file of this name hold an offering? */
export function isOfferingName(name: string): boolean {
  return /\.(?:ya?ml|json)$/.test(name);
}

/** Another text as soon as a directory, one of its offering files or one of their hooks is another one. */
export async function fingerprint(directories: readonly string[]): Promise<string> {
  const parts = await Promise.all(directories.map(directoryPrint));
  return parts.join('\n');
}

async function directoryPrint(directory: string): Promise<string> {
  const files = await offeringFiles(directory).catch(() => undefined);
  if (!files) return `${directory} cannot be read`;
  const prints = await Promise.all([directory, ...files, ...(await hookFiles(directory))].map(filePrint));
  return prints.join('\n');
}

/** What lies below `hooks`, where offerings keep their programs. */
async function hookFiles(directory: string): Promise<readonly string[]> {
  const hooks = join(directory, 'hooks');
  const names: readonly string[] = await readdir(hooks, { recursive: true }).catch(() => []);
  return names.toSorted().map((name) => join(hooks, name));
}

async function filePrint(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return `${path} is gone`;
  const { dev, ino, size, mtimeMs, ctimeMs } = found;
  return found.isDirectory()
    ? [path, dev, ino].join(' ')
    : [path, dev, ino, size, mtimeMs, ctimeMs].join(' ');
}
