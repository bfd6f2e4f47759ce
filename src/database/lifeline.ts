import * as fs from 'node:fs';
import { runAs, type Account } from '../system/account.ts';
import { codeOf } from '../system/error-code.ts';

/**
 * The lifeline is a named pipe. Each process that uses the embedded database holds its writing end; the shell that
 * watches the server reads. The kernel closes what a dead process held, so the reader sees the end of the pipe
 * exactly when the last user has stopped, crashed or been killed, and only then shuts the server down.
 */
export async function makeLifeline(path: string, account: Account | undefined): Promise<void> {
  const there = fs.lstatSync(path, { throwIfNoEntry: false });
  if (there?.isFIFO()) return;
  // Not every backup brings a pipe back as a pipe.
  if (there) fs.rmSync(path);
  await runAs(account, 'mkfifo', ['-m', '600', path]).catch((error: unknown) => {
    if (!fs.existsSync(path)) throw error;
  });
}

// Root opens what lies in a folder of the database user: never through a link that user may have put there.
const WRITE = fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW;

/** Opens both ends: `reader` blocks when read and is for the shell; `writeEnd` is ours and is closed in any child. */
export function openLifeline(path: string): { reader: number; writeEnd: number } {
  // A pipe opens without waiting only when its other side is open already; this one is both sides.
  const both = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW);
  const reader = fs.openSync(path, fs.constants.O_RDONLY);
  const writeEnd = fs.openSync(path, WRITE);
  fs.closeSync(both);
  return { reader, writeEnd };
}

/** Opens our end of the lifeline of a running server; undefined when nobody watches one. */
export function openWriteEnd(path: string): number | undefined {
  try {
    return fs.openSync(path, WRITE);
  } catch (error) {
    if (['ENXIO', 'ENOENT'].includes(codeOf(error))) {
      return undefined;
    }
    throw error;
  }
}

/** Whether the shell still reads, that is, has not begun to shut the server down. */
export function isRead(writeEnd: number): boolean {
  try {
    return fs.writeSync(writeEnd, '\n') > 0;
  } catch {
    return false;
  }
}
