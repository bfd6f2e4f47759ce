import { requireDatabase } from '../database.ts';
import type { Hold } from '../hold.ts';
import type { Archive, SavedBytes } from '../../../broker/provisioner.ts';
import { administratorOf, type Programs } from './programs.ts';
import type { Server } from '../servers.ts';

/**
 * Saves the database as it is at one moment. What an application has in use of its connections does not keep the
 * administrator out; it reads with the rights of the owner role.
 */
export async function dumpDatabase(
  hold: Hold,
  archive: Archive,
  { server, programs }: { readonly server: Server; readonly programs: Programs },
): Promise<SavedBytes> {
  await requireDatabase(hold);
  const login = { ...administratorOf(server), database: hold.key };
  const words = ['--format=custom', `--role=${hold.key}`, ...leftOut];
  return archive.save(async (to) => void (await programs.run(['pg_dump', ...words], login, { to })));
}

/** What belongs to roles, or to the server. */
export const leftOut = [
  '--no-owner',
  '--no-privileges',
  '--no-publications',
  '--no-subscriptions',
  '--no-security-labels',
  '--no-tablespaces',
] as const;
