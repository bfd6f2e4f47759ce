import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Failure } from '../../broker/errors.ts';
import type { Made, SavedBytes, Step, Work } from '../../broker/provisioner.ts';
import { requireArchive } from '../../node/backup-hooks.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { isFolder } from '../../node/instance-named-directory.ts';
import { runSequence, type NamedSteps } from '../../node/step-sequence.ts';
import { removeTree } from '../../system/remove-tree.ts';
import { runProgram } from '../../system/run-program.ts';

/** Milliseconds, as hooks have for it. */
const limit = 3_600_000;

/** Keeps what lies in the directory as it is, with owners and modes, as one archive of tar. */
export function backup(node: LocalNode, work: Work, base: string): Promise<Step<Made>> {
  let saved: SavedBytes | undefined;
  const steps: NamedSteps = {
    async backup() {
      saved = await requireArchive(work).save((to) =>
        tar(node, work, ['--create', '--directory', join(base, 'data'), '.'], { to }),
      );
      return { to: 'end', did: 'backup' };
    },
  };
  return runSequence<Made>(steps, 'backup', work, () => ({ saved }));
}

/**
 * Unpacks the archive beside what is there, and then puts the one in the place of the other. The directory itself stays:
 * containers that were shown it would see another one no more.
 */
export function restore(node: LocalNode, work: Work, base: string): Promise<Step<void>> {
  const [data, fresh, former] = ['data', 'restoring', 'replaced'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  const steps: NamedSteps = {
    async unpack() {
      await removeTree(fresh);
      mkdirSync(fresh, { mode: 0o700 });
      await requireArchive(work).load((from) =>
        tar(node, work, ['--extract', '--preserve-permissions', '--directory', fresh], { from }),
      );
      return { to: 'clear', did: 'unpack' };
    },
    async clear() {
      await moveAll(data, former);
      return { to: 'restore', did: 'clear' };
    },
    async restore() {
      // What an application has made meanwhile gives way.
      for (const name of readdirSync(fresh)) {
        await removeTree(join(data, name));
        renameSync(join(fresh, name), join(data, name));
      }
      return { to: 'tidy', did: 'restore' };
    },
    async tidy() {
      await Promise.all([removeTree(fresh), removeTree(former)]);
      return { to: 'end' };
    },
  };
  return runSequence(steps, 'unpack', work, () => undefined);
}

/** Taken again, it finds what it has moved already. */
async function moveAll(from: string, to: string): Promise<void> {
  if (!isFolder(to)) mkdirSync(to, { mode: 0o700 });
  for (const name of readdirSync(from)) {
    await removeTree(join(to, name));
    renameSync(join(from, name), join(to, name));
  }
}

/** As the broker itself, who may read what any application has written. */
async function tar(
  { path }: LocalNode,
  { signal, redact }: Work,
  words: readonly string[],
  streams: { readonly from?: Readable; readonly to?: Writable },
): Promise<void> {
  const command = ['tar', '--numeric-owner', '--sparse', '--file', '-', ...words];
  const { code, stderr, timedOut } = await runProgram(
    { path },
    { command, cwd: '/', env: { PATH: path, LANG: 'C.UTF-8' }, timeoutMs: limit, signal, ...streams },
  );
  // 1: a file has changed while it was read, as files do.
  if (code === 0 || (code === 1 && streams.to)) return;
  const why = timedOut ? `was ended after its limit of ${limit / 1000} s` : `failed (exit code ${code})`;
  throw new Failure('tar', `The directory could not be saved or put back: tar ${why}.`, {
    detail: redact(stderr.trim()).slice(-4000),
  });
}
