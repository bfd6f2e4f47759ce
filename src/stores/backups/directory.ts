// Keeps backups as files of one directory, which all brokers of a database must share.
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupStorage } from '../../broker/backups.ts';
import { Failure } from '../../broker/errors.ts';
import { codeOf } from '../../system/error-code.ts';
import { makeDirectory } from '../../system/make-directory.ts';
import { meter, runThrough } from './flow.ts';

/** @param directory is made when it is needed and not there */
export function directoryBackups(directory: string): BackupStorage {
  const fileOf = (name: string) => join(directory, name);
  const draftOf = (name: string) => join(directory, `${name}.partial`);
  const raw: BackupStorage['raw'] = async (name) => {
    const file = createReadStream(fileOf(name));
    await once(file, 'open').catch((error: unknown) => {
      throw codeOf(error) === 'ENOENT' ? goneBackup() : error;
    });
    return file;
  };
  return {
    async write(name, fill) {
      makeDirectory(directory, 0o700);
      const draft = draftOf(name);
      await rm(draft, { force: true });
      try {
        const bytes = meter();
        const file = createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true });
        await runThrough(bytes.stream, file, fill);
        if (!file.closed) await once(file, 'close');
        await rename(draft, fileOf(name));
        await syncDirectory(directory);
        return bytes.stored();
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    raw,
    read: (name) => raw(name),
    async remove(name) {
      await rm(draftOf(name), { force: true });
      await rm(fileOf(name), { force: true });
    },
  };
}

/** What somebody has removed by hand. */
export function goneBackup(): Failure {
  return new Failure('gone', 'The backup is not where it was kept any more.');
}

/** Without it, the name may be gone when the power fails. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
