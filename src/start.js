#!/usr/bin/env node
// Not TypeScript, since what takes the types away is loaded for a file that is not in the cache: a third of the time
// in which a command answers.
import { existsSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// An older Node would end at the first word that it does not know, so this file has none.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) await start();
else {
  console.error(`purveyor: Node 22.18 or later is needed; ${process.execPath} is ${process.versions.node}.`);
  process.exitCode = 1;
}

async function start() {
  rememberCompiled();
  // In a package, below node_modules, Node takes the types out of nothing: there they are out already, in dist/.
  const source = new URL('./main.ts', import.meta.url);
  const isSource = existsSync(source);
  const main = isSource ? source : new URL('../dist/main.js', import.meta.url);
  findAtOnce(new URL('.', main).href, isSource ? 'module-typescript' : 'module');
  await import(main.href);
}

/**
 * What our files import of each other lies where it says, and is of one kind. Node would look that up for each of them,
 * in a fifth of the time in which a command answers.
 * @param {string} room where they are
 * @param {string} format
 */
function findAtOnce(room, format) {
  module.registerHooks({
    resolve(name, context, next) {
      if (!name.startsWith('.') || !context.parentURL?.startsWith(room)) return next(name, context);
      return { url: new URL(name, context.parentURL).href, format, shortCircuit: true };
    },
  });
}

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
    module.enableCompileCache(directory);
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
