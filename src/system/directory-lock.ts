import { randomUUID } from 'node:crypto';
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from './error-code.ts';
import { identityOf, isAlive, readIdentity } from './process-identity.ts';
import { readJson } from './private-file.ts';

/**
 * Takes the lock of a directory for this process. One whose holder has died is taken over.
 * @returns gives it back
 * @throws Error when a living process has it
 */
export function lockDirectory(file: string): () => void {
  const own = identityOf(process.pid);
  if (!own) throw new Error('This system does not tell of its own processes in /proc.');
  const token = randomUUID();
  const draft = `${file}.${token}`;
  writeFileSync(draft, JSON.stringify({ ...own, token }), { mode: 0o600 });
  try {
    while (!isLinked(draft, file)) removeDead(file);
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    // Given back twice, it may be another one's by now.
    if (readJson(file)?.['token'] === token) rmSync(file, { force: true });
  };
}

/** Of all who try at once, one link is made. */
function isLinked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function removeDead(file: string): void {
  const holder = readIdentity(file);
  if (holder && isAlive(holder)) throw new Error(`It is in use by another broker, process ${holder.pid}.`);
  const moved = `${file}.${randomUUID()}`;
  try {
    renameSync(file, moved);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Another one may have been faster, and what was moved is its lock.
  const now = readIdentity(moved);
  if (now && isAlive(now)) isLinked(moved, file);
  rmSync(moved, { force: true });
}
