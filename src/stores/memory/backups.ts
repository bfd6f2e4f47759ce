import type { BackupBooks } from '../../broker/backups.ts';
import { readPageMark, writePageMark } from '../page-mark.ts';
import { writeAudit } from './audit.ts';
import { isOfAge } from './list.ts';
import type { Tables } from './tables.ts';

export function backupsOf(tables: Tables): BackupBooks {
  const { backups } = tables;
  return {
    find: async (id) => backups.get(id),
    async list({ after, limit, instanceId, offeringId, ...ages }) {
      const mark = after === undefined ? undefined : readPageMark(after, 'string');
      const page = [...backups.values()]
        .map((one) => ({ one, key: [one.createdAt.toISOString(), one.id] as const }))
        .filter(({ key }) => !mark || isBefore(key, mark))
        .filter(({ one }) => instanceId === undefined || one.instanceId === instanceId)
        .filter(({ one }) => offeringId === undefined || one.offeringId === offeringId)
        .filter(({ one }) => isOfAge(tables, one, ages))
        .toSorted((a, b) => (isBefore(a.key, b.key) ? 1 : -1))
        .slice(0, limit);
      const last = page.length === limit ? page.at(-1) : undefined;
      return { backups: page.map(({ one }) => one), next: last && writePageMark(last.key) };
    },
    async condemn(id, audit) {
      const backup = backups.get(id);
      if (!backup) return undefined;
      if (!backup.removing) writeAudit(tables, audit);
      const condemned = { ...backup, removing: true };
      backups.set(id, condemned);
      return condemned;
    },
    async forget(id) {
      if (backups.get(id)?.removing) backups.delete(id);
    },
  };
}

type Key = readonly [at: string, id: string];

function isBefore(a: Key, b: Key): boolean {
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
}
