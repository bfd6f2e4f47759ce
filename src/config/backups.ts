import { path } from './kinds.ts';
import { optional } from './option.ts';

/** Options of where backups of instances are kept. */
export const backupOptions = {
  backupDir: optional(
    'BACKUP_DIR',
    path(),
    'backups in DATA_DIR; with an external database there are no backups without it',
    'Directory of the backups of instances. Brokers that share a database must share it, too.',
  ),
};
