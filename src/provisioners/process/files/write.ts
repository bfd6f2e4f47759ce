import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../../broker/errors.ts';
import { codeOf } from '../../../system/error-code.ts';
import type { LocalNode } from '../../../node/local-node.ts';
import { openOwn } from '../../../system/own-file.ts';
import { writePrivately } from '../../../system/private-file.ts';
import type { FileBlueprint } from './blueprint.ts';

/**
 * Writes files below the directory, each whole or not at all, as the node's account's own.
 * @param conf a directory of the account's: it may have put links anywhere in it, which are never followed
 */
export async function writeFiles(
  node: LocalNode,
  conf: string,
  files: Readonly<Record<string, FileBlueprint>>,
): Promise<void> {
  const writing = Object.entries(files).map(([name, file]) => writeOne(node, conf, name, file));
  for (const result of await Promise.allSettled(writing))
    if (result.status === 'rejected') throw result.reason;
}

async function writeOne(
  node: LocalNode,
  conf: string,
  name: string,
  { content, mode }: FileBlueprint,
): Promise<void> {
  const at = enter(conf, dirname(name), (path) => makeFolder(node, path));
  try {
    await writePrivately(join(pathOf(at), basename(name)), content, { owner: node.account, mode });
  } finally {
    closeSync(at);
  }
}

/** Removes files below the directory; nothing happens to those that are not there. */
export function removeFiles(conf: string, names: readonly string[]): void {
  for (const name of names) {
    within(conf, dirname(name), (folder) => rmSync(join(folder, basename(name)), { force: true }));
  }
}

/**
 * As the files are now, whoever has written into them since; those that are not there are left out.
 * @throws Failure when one is no file of the account's any more
 */
export function readFiles(
  node: LocalNode,
  conf: string,
  names: readonly string[],
): Readonly<Record<string, FileBlueprint>> {
  const files: Record<string, FileBlueprint> = {};
  for (const name of names) {
    within(conf, dirname(name), (folder) => {
      const file = readOwn(node, join(folder, basename(name)), name);
      if (file) files[name] = file;
    });
  }
  return files;
}

/** Bytes that a file may have which is put back as it was. */
const longest = 10_000_000;

function readOwn(node: LocalNode, file: string, name: string): FileBlueprint | undefined {
  const handle = openOwn(node, file, constants.O_RDONLY);
  if (handle === undefined) {
    if (lstatSync(file, { throwIfNoEntry: false })) throw strange(name, 'is no plain file of the account');
    return undefined;
  }
  try {
    const { size, mode } = fstatSync(handle);
    if (size > longest) throw strange(name, `has ${size} bytes`);
    return { content: readFileSync(handle, 'utf8'), mode: mode & 0o777 };
  } finally {
    closeSync(handle);
  }
}

function strange(name: string, what: string): Failure {
  return new Failure(
    'changed',
    'The program of the instance has put something else in the place of its files.',
    {
      detail: `The file ${name} below conf ${what}.`,
    },
  );
}

/** Does something in a folder; nothing when something is not there. */
function within(conf: string, folder: string, step: (folder: string) => void): void {
  try {
    const at = enter(conf, folder, openFolder);
    try {
      step(pathOf(at));
    } finally {
      closeSync(at);
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Opens the folder part by part, so that none of them can be a link. @returns to be closed */
function enter(conf: string, folder: string, open: (path: string) => number): number {
  let at = openFolder(conf);
  for (const part of folder.split('/').filter((word) => word !== '.')) {
    try {
      const inner = open(`${pathOf(at)}/${part}`);
      closeSync(at);
      at = inner;
    } catch (error) {
      closeSync(at);
      throw error;
    }
  }
  return at;
}

function pathOf(folder: number): string {
  return `/proc/self/fd/${folder}`;
}

function openFolder(path: string): number {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

function makeFolder({ account }: LocalNode, path: string): number {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const folder = openFolder(path);
  if (account) fchownSync(folder, account.uid, account.gid);
  return folder;
}
