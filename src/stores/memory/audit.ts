import type { AuditEnd, AuditEntry, AuditQuery, AuditRecord, AuditTrail } from '../../broker/audit.ts';
import type { Tables } from './tables.ts';

export function auditOf(tables: Tables): AuditTrail {
  return {
    record: async (entry) => writeAudit(tables, entry),
    conclude: async (id, end) => concludeAudit(tables, id, end),
    list: async (query) => list(tables, query),
    prune: async (olderThanMs, limit) => prune(tables, olderThanMs, limit),
  };
}

export function writeAudit({ audit, now }: Tables, entry: AuditEntry | undefined): void {
  if (!entry) return;
  const at = new Date(now());
  audit.set(entry.id, { ...entry, at, endedAt: entry.outcome && at });
}

export function concludeAudit({ audit, now }: Tables, id: string, end: AuditEnd): void {
  const record = audit.get(id);
  if (!record || record.outcome !== undefined) return;
  audit.set(id, { ...record, ...end, endedAt: new Date(now()) });
}

function list({ audit }: Tables, { after, oldestFirst = false, limit, ...filters }: AuditQuery) {
  const last = after === undefined ? undefined : audit.get(after);
  if (after !== undefined && !last) return [];
  const order = oldestFirst ? compare : (a: AuditRecord, b: AuditRecord) => compare(b, a);
  return [...audit.values()]
    .filter((record) => fits(record, filters) && (!last || order(record, last) > 0))
    .toSorted(order)
    .slice(0, limit);
}

function fits(record: AuditRecord, asked: Omit<AuditQuery, 'limit'>): boolean {
  const { object, at } = record;
  const { instanceId, objectId, since, until } = asked;
  const same = ([name, value]: readonly [keyof AuditRecord, unknown]) =>
    value === undefined || record[name] === value;
  return (
    (instanceId === undefined || ('instanceId' in object && object.instanceId === instanceId)) &&
    (objectId === undefined || ('id' in object && object.id === objectId)) &&
    same(['verb', asked.verb]) &&
    same(['principal', asked.principal]) &&
    same(['outcome', asked.outcome]) &&
    (since === undefined || at >= since) &&
    (until === undefined || at < until)
  );
}

function compare(a: AuditRecord, b: AuditRecord): number {
  return a.at.getTime() - b.at.getTime() || (a.id < b.id ? -1 : Number(a.id > b.id));
}

function prune(tables: Tables, olderThanMs: number, limit: number): number {
  const until = new Date(tables.now() - olderThanMs);
  const old = list(tables, { until, oldestFirst: true, limit });
  for (const { id } of old) tables.audit.delete(id);
  return old.length;
}
