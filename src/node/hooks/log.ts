import { closeSync, constants, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { InstanceDirectory } from '../instance-directory.ts';
import type { LocalNode } from '../local-node.ts';
import { openLog, openOwn } from '../../system/own-file.ts';

const limit = 1_000_000;

/**
 * Keeps what a hook wrote to its standard error, with the time and the step before each line. Where that cannot be
 * written, as on a full disk, it is lost: what the hook has done is no less done.
 */
export function logHook(node: LocalNode, directory: InstanceDirectory, name: string, said: string): void {
  if (said.trim() === '') return;
  const time = new Date().toISOString();
  const lines = said.trimEnd().split('\n');
  try {
    append(node, fileOf(directory), lines.map((line) => `${time} ${name}: ${line}\n`).join(''));
  } catch {
    // See above.
  }
}

/** The last lines of all that hooks of the instance have written. */
export function readHookLog(node: LocalNode, directory: InstanceDirectory, lines: number): string {
  const file = openOwn(node, fileOf(directory), constants.O_RDONLY);
  if (file === undefined) return '';
  try {
    const tail = Buffer.alloc(65_536);
    const from = Math.max(0, fstatSync(file).size - tail.length);
    const text = tail.toString('utf8', 0, readSync(file, tail, 0, tail.length, from));
    return lines > 0 ? lastOf(text, lines) : '';
  } finally {
    closeSync(file);
  }
}

/** One more for the end of the last line. */
function lastOf(text: string, lines: number): string {
  return text
    .split('\n')
    .slice(-lines - 1)
    .join('\n');
}

function append(node: LocalNode, path: string, text: string): void {
  const file = openLog(node, path);
  try {
    if (fstatSync(file).size > limit) ftruncateSync(file);
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
}

function fileOf({ log }: InstanceDirectory): string {
  return join(log, 'hooks.log');
}
