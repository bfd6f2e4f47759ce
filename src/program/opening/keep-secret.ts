import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../system/make-directory.ts';
import { codeOf } from '../../system/error-code.ts';

export interface Kept {
  readonly value: string;
  readonly file: string;
}

/**
 * A secret that is made once and kept in a file that only its owner may read. Of several programs that start
 * at once on one directory all get the same.
 * @throws Error when the file is there but empty, or cannot be read or written
 */
export function keepSecret(directory: string, name: string, make: () => string): Kept {
  const file = join(directory, name);
  const value = findSecret(file) ?? storeSecret(directory, file, make()) ?? '';
  if (value === '') throw new Error(`${file} is empty. Restore it, or remove it to have a new one made.`);
  return { value, file };
}

function findSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The file appears whole or not at all, and whoever links first decides what it says. */
function storeSecret(directory: string, file: string, value: string): string | undefined {
  makeDirectory(directory);
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, `${value}\n`, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draft, file);
    return value;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return findSecret(file);
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
