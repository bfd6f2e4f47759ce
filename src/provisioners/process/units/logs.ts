import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, readSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { InstanceDirectory } from '../../../node/instance-directory.ts';
import type { LocalNode } from '../../../node/local-node.ts';
import { openOwn } from '../../../system/own-file.ts';

/** Bytes of a log after which the next start begins a new one; the old one is kept until then. */
const startAfresh = 10_000_000;
/** Bytes of a log after which it is emptied while its unit runs. */
const longestLog = 50_000_000;
/** Bytes that are looked at for its last lines. */
const longestTail = 256_000;

/** Where standard output and error of a unit go. */
export function logFile({ log }: InstanceDirectory, unit: string): string {
  return join(log, `${unit}.log`);
}

/** Before a start: puts a long log aside. */
export function rotateLog(directory: InstanceDirectory, unit: string): void {
  const file = logFile(directory, unit);
  const size = lstatSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > startAfresh) renameSync(file, `${file}.1`);
}

/**
 * While it runs: empties a log that would fill the disk, or take a quarter of what the instance may have of it. What is
 * written appends, so it goes on at the start.
 * @param disk bytes
 */
export function boundLog(
  node: LocalNode,
  directory: InstanceDirectory,
  unit: string,
  disk: number = Infinity,
): void {
  withLog(node, logFile(directory, unit), constants.O_RDWR, (log, size) => {
    if (size > Math.min(longestLog, disk / 4)) ftruncateSync(log);
  });
}

/**
 * The last lines that a unit wrote; empty when there are none.
 * @param own the log that the program writes itself, when the offering names one
 */
export function tailOf(
  node: LocalNode,
  directory: InstanceDirectory,
  unit: string,
  own: string | undefined,
  lines: number,
): string {
  const texts = [logFile(directory, unit), ...(own === undefined ? [] : [join(directory.log, own)])].map(
    (file) => readTail(node, file, lines),
  );
  return texts.findLast((text) => text !== '') ?? '';
}

function readTail(node: LocalNode, file: string, lines: number): string {
  let text = '';
  withLog(node, file, constants.O_RDONLY, (log, size) => {
    const tail = Buffer.alloc(Math.min(size, longestTail));
    const read = readSync(log, tail, 0, tail.length, size - tail.length);
    text = tail.toString('utf8', 0, read).trimEnd().split('\n').slice(-lines).join('\n');
  });
  return text;
}

/** Only a plain file of the account's own: the account owns the folder, and may have put anything in its place. */
function withLog(
  node: LocalNode,
  file: string,
  flags: number,
  step: (log: number, size: number) => void,
): void {
  const log = openOwn(node, file, flags);
  if (log === undefined) return;
  try {
    step(log, fstatSync(log).size);
  } finally {
    closeSync(log);
  }
}
