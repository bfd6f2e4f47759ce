import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Those of the names for which there is an executable file on the path.
 * @param path as PATH has it: directories with colons between them
 */
export function findExecutables(path: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => findExecutable(path, name) !== undefined);
}

/** Where the executable is; undefined when there is none on the path. */
export function findExecutable(path: string, name: string): string | undefined {
  if (name === '' || name.includes('/')) return undefined;
  const places = path.split(':').filter((directory) => directory.startsWith('/'));
  return places.map((directory) => join(directory, name)).find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
