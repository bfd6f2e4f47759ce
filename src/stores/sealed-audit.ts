import type { AuditEntry, AuditRecord, AuditTrail } from '../broker/audit.ts';
import { openRecord, sealRecord } from './confidential.ts';
import type { KeyRing } from './keyring.ts';
import { isUnreadable, type RowPlace, type TellUnreadable } from './unreadable.ts';

/** What of the trail is data of persons lies encrypted in the inner one. */
export function sealedAudit(inner: AuditTrail, keys: () => KeyRing, tell: TellUnreadable): AuditTrail {
  return {
    ...inner,
    record: (entry) => inner.record(sealedEntry(keys(), entry)),
    async list(query) {
      const { entries, next } = await inner.list(query);
      return { entries: entries.map((record) => legible(keys(), record, tell)), next };
    },
  };
}

/** Where there is nothing confidential, there is nothing to be encrypted again. */
export function sealedEntry(keys: KeyRing, entry: AuditEntry): AuditEntry {
  const { identity, address } = entry.confidential;
  if (identity === undefined && address === undefined) return { ...entry, confidential: {} };
  return sealRecord(keys, auditRow(entry), entry);
}

/** Most of it can be read without any key. */
function legible(keys: KeyRing, record: AuditRecord, tell: TellUnreadable): AuditRecord {
  try {
    return openRecord(keys, auditRow(record), record, tell);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { ...record, confidential: {} };
  }
}

const auditRow = ({ id }: AuditEntry): RowPlace => ({ table: 'audit_trail', ids: [id] });
