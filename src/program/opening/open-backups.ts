import { join } from 'node:path';
import type { BackupStorage } from '../../broker/backups.ts';
import { directoryBackups } from '../../stores/backups/directory.ts';
import type { Config } from '../config.ts';

/** Undefined: no place for them is configured. */
export function openBackups({ backupDir, externalDatabase, dataDir }: Config): BackupStorage | undefined {
  if (backupDir !== undefined) return directoryBackups(backupDir);
  // Brokers that share a database would not find each other's.
  return externalDatabase ? undefined : directoryBackups(join(dataDir, 'backups'));
}
