#!/usr/bin/env node
// Not TypeScript, since what takes the types away is loaded for a file that is not in the cache: a third of the time
// in which a command answers.
import { existsSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

rememberCompiled();
// In a package, below node_modules, Node takes the types out of nothing: there they are out already, in dist/.
const main = new URL('./main.ts', import.meta.url);
await import(existsSync(main) ? main.href : new URL('../dist/main.js', import.meta.url).href);

/**
 * What was compiled is kept for the next start, in the user's own cache: a directory that others can write to could be
 * given other code. Where nothing can be written, each start compiles anew.
 */
function rememberCompiled() {
  try {
    let directory = homedir();
    // One after the other: asked to make all of them, Node would try for ever in a home such as /proc/nowhere.
    for (const name of ['.cache', 'purveyor', 'compiled']) {
      directory = join(directory, name);
      makeOne(directory);
    }
    enableCompileCache(directory);
  } catch {
    // A user without a home, or with one that cannot be written.
  }
}

/** @param {string} directory */
function makeOne(directory) {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (Object(error).code !== 'EEXIST') throw error;
  }
}
