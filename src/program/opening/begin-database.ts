import { prepareAhead, type EmbeddedOptions } from '../../database/embedded.ts';
import { ownNumbers } from '../../node/claim-users.ts';
import { readAccounts } from '../../system/account.ts';
import type { Config } from '../config.ts';

/**
 * A first start makes a database of its own beside the loading of everything else, which takes as long.
 * @returns when that may be loaded: a program has to be begun before, since nothing else happens meanwhile
 */
export async function beginDatabase(config: Config, note: EmbeddedOptions['note']): Promise<void> {
  if (!config.externalDatabase) await prepareAhead(embeddedOptions(config, note));
}

/** How this broker has its own database, where it is given none. */
export function embeddedOptions(config: Config, note: EmbeddedOptions['note']): EmbeddedOptions {
  const { dataDir, pgBinDir: binDir, path } = config;
  return { dataDir, binDir, path, note, isTenant: tenantsOf(config) };
}

/** Whoever can be an instance's user, at this start or before, is not the database's. */
function tenantsOf({ nodeUser, nodeUsers }: Config): (uid: number) => boolean {
  const ranges = [ownNumbers, ...(typeof nodeUsers === 'object' ? [nodeUsers] : [])];
  const named = readAccounts().find(({ name }) => name === nodeUser);
  return (uid) => uid === named?.uid || ranges.some(({ first, last }) => uid >= first && uid <= last);
}
