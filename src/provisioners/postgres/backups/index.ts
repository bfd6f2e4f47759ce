/** How databases are saved and put back. */
import type { Archive, BackupControl, SavedBytes, Work } from '../../../broker/provisioner.ts';
import type { Hold } from '../hold.ts';
import type { KnownServers } from '../known-servers.ts';
import { dumpDatabase } from './dump.ts';
import { findPrograms } from './programs.ts';
import { restoreDatabase } from './restore.ts';

export interface BackupParts {
  readonly known: KnownServers;
  /** Does it while nobody else is at work on the instance. */
  readonly on: (work: Work, use: (hold: Hold) => Promise<void>) => Promise<unknown>;
  /** Where programs are looked for. */
  readonly path: string;
}

export function databaseBackups({ known, on, path }: BackupParts): BackupControl {
  async function toolsFor(work: Work, { session }: Hold) {
    const server = known.require(work.plan);
    return { server, work, programs: await findPrograms(path, { server, session, work }) };
  }
  return {
    can: () => true,
    async backup(work) {
      let saved: SavedBytes | undefined;
      await on(work, async (hold) => {
        saved = await dumpDatabase(hold, requireArchive(work), await toolsFor(work, hold));
      });
      return { done: { saved }, did: { step: 'backup' } };
    },
    async restore(work) {
      await on(work, async (hold) => restoreDatabase(hold, requireArchive(work), await toolsFor(work, hold)));
      return { done: undefined, did: { step: 'restore' } };
    },
  };
}

function requireArchive({ archive }: Work): Archive {
  if (archive) return archive;
  throw new Error('There is no archive in this work.');
}
