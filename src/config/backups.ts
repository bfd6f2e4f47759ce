import { type Kind, path, webAddress, WrongValue } from './kinds.ts';
import { optional, standard } from './option.ts';

/** Options of where backups of instances are kept. */
export const backupOptions = {
  backupDir: optional(
    'BACKUP_DIR',
    path(),
    'backups in DATA_DIR; with an external database none without it',
    'Directory of the backups of instances. Brokers that share a database must share it, too.',
  ),
  backupS3Url: optional(
    'BACKUP_S3_URL',
    webAddress(),
    'backups lie in BACKUP_DIR',
    'Bucket of an S3-compatible store for the backups of instances: https://host/bucket, or https://bucket.host.',
  ),
  backupS3Prefix: standard(
    'BACKUP_S3_PREFIX',
    textLike(/^[\w.-]+(\/[\w.-]+)*\/?$/, 'must be of letters, digits, dots, dashes, underscores and slashes'),
    'purveyor/',
    'What the names of all objects in BACKUP_S3_URL begin with. Brokers that share a database must say the same.',
  ),
  backupS3Region: standard(
    'BACKUP_S3_REGION',
    textLike(/^[a-z0-9-]{1,64}$/, 'must be the name of a region, such as eu-central-1'),
    'us-east-1',
    'Region that requests to BACKUP_S3_URL are signed for.',
  ),
  backupS3Credentials: optional(
    'BACKUP_S3_CREDENTIALS',
    path(),
    'none; needed with BACKUP_S3_URL',
    'File with aws_access_key_id = … and aws_secret_access_key = …, read again when it is needed.',
  ),
};

function textLike(pattern: RegExp, problem: string): Kind<string> {
  return {
    read(text) {
      if (pattern.test(text)) return text;
      throw new WrongValue(problem);
    },
  };
}

interface BackupValues {
  readonly backupDir: string | undefined;
  readonly backupS3Url: string | undefined;
  readonly backupS3Credentials: string | undefined;
}

/** What does not go together, as sentences. */
export function placesOfBackups(values: BackupValues): readonly string[] {
  const { backupDir, backupS3Url: url, backupS3Credentials: credentials } = values;
  if (url === undefined) return [];
  return [
    ...(backupDir === undefined ? [] : ['BACKUP_DIR and BACKUP_S3_URL are set: backups lie in one of both.']),
    ...(credentials === undefined ? ['BACKUP_S3_CREDENTIALS is missing: BACKUP_S3_URL is set.'] : []),
  ];
}
