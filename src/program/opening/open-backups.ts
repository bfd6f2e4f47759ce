import { join } from 'node:path';
import type { BackupStorage } from '../../broker/backups.ts';
import { directoryBackups } from '../../stores/backups/directory.ts';
import { sealedBackups } from '../../stores/backups/sealed.ts';
import type { Config } from '../config.ts';

/** Where backups are kept, encrypted; undefined: no place for them is configured. */
export function openBackups(config: Config): BackupStorage | undefined {
  const directory = directoryOf(config);
  return directory === undefined ? undefined : sealedBackups(directoryBackups(directory));
}

function directoryOf({ backupDir, externalDatabase, dataDir }: Config): string | undefined {
  if (backupDir !== undefined) return backupDir;
  // Brokers that share a database would not find each other's.
  return externalDatabase ? undefined : join(dataDir, 'backups');
}
