import { randomUUID } from 'node:crypto';
import {
  constants,
  closeSync,
  fchownSync,
  fsync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { codeOf } from './error-code.ts';
import type { Account } from './account.ts';

/**
 * Writes a file that only its owner may read, under another name first: a reader sees all of it or none, also after the
 * machine has lost its power.
 * @param owner whose it shall be; absent: the broker's own user's
 * @param mode 0600 when absent
 */
export function writePrivatelySync(file: string, text: string, owner?: Account, mode = 0o600): void {
  write(file, text, { mode, lasting: true, owner });
}

/**
 * The same; what else is to be done goes on while the disk is waited for.
 * @param after it gets its name when this has come to pass, and not before
 */
export async function writePrivately(
  file: string,
  text: string,
  {
    owner,
    mode = 0o600,
    after,
  }: { readonly owner?: Account; readonly mode?: number; readonly after?: Promise<unknown> } = {},
): Promise<void> {
  const draft = draftOf(file);
  const flush = async () => {
    const handle = openDraft(draft, text, { owner, mode });
    await promisify(fsync)(handle).finally(() => closeSync(handle));
  };
  try {
    for (const result of await Promise.allSettled([flush(), after]))
      if (result.status === 'rejected') throw result.reason;
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The same for what means nothing after the next start of the machine: the disk is not waited for. */
export function notePrivately(file: string, text: string): void {
  write(file, text, { mode: 0o600, lasting: false });
}

interface Manner {
  readonly owner?: Account;
  readonly mode: number;
  /** A rename may be on the disk before what was written: then the file is there and empty. */
  readonly lasting: boolean;
}

function write(file: string, text: string, manner: Manner): void {
  const draft = draftOf(file);
  try {
    const handle = openDraft(draft, text, manner);
    try {
      if (manner.lasting) fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function draftOf(file: string): string {
  return join(dirname(file), `.${basename(file)}-${randomUUID()}`);
}

/** To be closed. */
function openDraft(draft: string, text: string, { owner, mode }: Omit<Manner, 'lasting'>): number {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    writeFileSync(handle, text);
    if (owner) fchownSync(handle, owner.uid, owner.gid);
    return handle;
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

/** The JSON object in a file; undefined when there is no such file, or no object in it. */
export function readJson(file: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // Where it is not there, an error would take ten times as long.
    if (!statSync(file, { throwIfNoEntry: false })) return undefined;
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch (error) {
    // Who lost its power while it wrote has left anything, and nothing to go by.
    if (codeOf(error) === 'ENOENT' || (error as Error).name === 'SyntaxError') return undefined;
    throw error;
  }
}

/** A JSON object, in what was read. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
