#!/usr/bin/env node
// Not TypeScript, since what takes the types away is loaded for a file that is not in the cache: a third of the time
// in which a command answers.
import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

rememberCompiled();
await import('./main.ts');

/**
 * What was compiled is kept for the next start, in the user's own cache: a directory that others can write to could be
 * given other code. Where nothing can be written, each start compiles anew.
 */
function rememberCompiled() {
  const home = homedir();
  const directories = ['.cache', '.cache/purveyor', '.cache/purveyor/compiled'].map((name) =>
    join(home, name),
  );
  // One after the other: asked to make all of them, Node would try for ever in a home such as /proc/nowhere.
  if (directories.every(isMade)) enableCompileCache(directories.at(-1));
}

/** False for a user without a home, or with one that cannot be written.
 * @param {string} directory */
function isMade(directory) {
  try {
    mkdirSync(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    return Object(error).code === 'EEXIST';
  }
}
