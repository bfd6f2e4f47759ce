import { createHash, type Hash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { OfferingFile } from './form/offering-file.ts';

/**
 * What lies in the files of an offering's own hooks, as one hash: all of its folder when a hook lies in it, and other
 * programs beside the file. Undefined when it has none of its own.
 * @param file where the offering file is
 */
export async function hookDigest(
  file: string,
  { name, hooks = {} }: Pick<OfferingFile, 'name' | 'hooks'>,
): Promise<string | undefined> {
  const programs = Object.values(hooks).map(({ run: [program = ''] }) => program);
  const own = programs.filter((program) => program.includes('/')).map((program) => posix.normalize(program));
  if (own.length === 0) return undefined;
  const folder = `hooks/${name}`;
  const parts = new Set(own.map((program) => (program.startsWith(`${folder}/`) ? folder : program)));
  const hash = createHash('sha256');
  for (const part of [...parts].toSorted()) await add(hash, dirname(file), part);
  return hash.digest('hex');
}

async function add(hash: Hash, home: string, part: string): Promise<void> {
  const path = join(home, part);
  const { mode, ...found } = await stat(path).then((stats) => ({
    mode: stats.mode & 0o111,
    isDirectory: stats.isDirectory(),
    isFile: stats.isFile(),
  }));
  if (found.isDirectory) {
    for (const name of (await readdir(path)).toSorted()) await add(hash, home, `${part}/${name}`);
  } else if (found.isFile) {
    const content = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    hash.update(JSON.stringify([part, mode !== 0, content]));
  }
}
