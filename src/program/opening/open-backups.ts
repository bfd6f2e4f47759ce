import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupStorage } from '../../broker/backups.ts';
import { bucketBackups, type BucketLogin } from '../../stores/backups/bucket.ts';
import { directoryBackups } from '../../stores/backups/directory.ts';
import { sealedBackups } from '../../stores/backups/sealed.ts';
import type { Config } from '../config.ts';

/**
 * Where backups are kept, encrypted; undefined: no place for them is configured.
 * @throws Error when there is no login in BACKUP_S3_CREDENTIALS
 */
export function openBackups(config: Config): BackupStorage | undefined {
  const place = bucketOf(config) ?? directoryOf(config);
  return place && sealedBackups(place);
}

function bucketOf(config: Config): BackupStorage | undefined {
  const { backupS3Url: url, backupS3Credentials: file, backupS3Region: region } = config;
  if (url === undefined || file === undefined) return undefined;
  const login = () => readLogin(file);
  login();
  return bucketBackups({ url, region, prefix: config.backupS3Prefix, login });
}

/** As other clients of such stores keep it; of several logins the first one. */
function readLogin(file: string): BucketLogin {
  const text = readFileSync(file, 'utf8');
  const valueOf = (name: string) => {
    const value = new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)\\s*$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`BACKUP_S3_CREDENTIALS: there is no ${name} in ${file}.`);
    return value;
  };
  return { accessKeyId: valueOf('aws_access_key_id'), secretAccessKey: valueOf('aws_secret_access_key') };
}

function directoryOf({ backupDir, externalDatabase, dataDir }: Config): BackupStorage | undefined {
  if (backupDir !== undefined) return directoryBackups(backupDir);
  // Brokers that share a database would not find each other's.
  return externalDatabase ? undefined : directoryBackups(join(dataDir, 'backups'));
}
