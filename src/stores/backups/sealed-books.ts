import type { Backup, BackupBooks, NewBackup } from '../../broker/backups.ts';
import { openRecord, sealRecord } from '../confidential.ts';
import type { KeyRing } from '../keyring.ts';
import { isUnreadable, type RowPlace, type TellUnreadable } from '../unreadable.ts';

const backupRow = ({ id }: Pick<Backup, 'id'>): RowPlace => ({ table: 'backups', ids: [id] });

/** The keys of backups lie encrypted in the inner books. Of what cannot be read there is all but the key. */
export function sealedBooks(inner: BackupBooks, keys: () => KeyRing, tell: TellUnreadable): BackupBooks {
  const open = ({ confidential, ...rest }: Backup): Backup => {
    try {
      return confidential ? openRecord(keys(), backupRow(rest), { ...rest, confidential }, tell) : rest;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return rest;
    }
  };
  return {
    ...inner,
    find: async (id) => opened(await inner.find(id), open),
    async list(query) {
      const { backups, next } = await inner.list(query);
      return { backups: backups.map(open), next };
    },
    condemn: async (id, audit) => opened(await inner.condemn(id, audit), open),
  };
}

function opened(backup: Backup | undefined, open: (backup: Backup) => Backup): Backup | undefined {
  return backup && open(backup);
}

/** As it is to lie in the books. */
export function sealedBackup(keys: KeyRing, { confidential = {}, ...backup }: NewBackup): NewBackup {
  return sealRecord(keys, backupRow(backup), { ...backup, confidential });
}
