import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** To be called at the top of a test file: a directory for its tests, which is removed after them. */
export function scratchDirectory(purpose: string): string {
  const directory = mkdtempSync(join(tmpdir(), `purveyor-${purpose}-`));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
