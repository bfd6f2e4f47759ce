import type {
  AuditEnd,
  AuditEntry,
  AuditPage,
  AuditQuery,
  AuditRecord,
  AuditTrail,
} from '../../broker/audit.ts';
import { readPageMark, writePageMark } from '../page-mark.ts';
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

type Place = Pick<AuditRecord, 'at' | 'id'>;

function list({ audit }: Tables, asked: AuditQuery): AuditPage {
  const { after, oldestFirst = false, limit, ...filters } = asked;
  const last = after === undefined ? undefined : placeOf(after);
  const order = oldestFirst ? compare : (a: Place, b: Place) => compare(b, a);
  const entries = [...audit.values()]
    .filter((record) => fits(record, filters) && (!last || order(record, last) > 0))
    .toSorted(order)
    .slice(0, limit);
  const end = entries.length === limit ? entries.at(-1) : undefined;
  return { entries, next: end && writePageMark([end.at.toISOString(), end.id]) };
}

function placeOf(after: string): Place {
  const [at, id] = readPageMark(after, 'string');
  return { at: new Date(at), id };
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

function compare(a: Place, b: Place): number {
  return a.at.getTime() - b.at.getTime() || (a.id < b.id ? -1 : Number(a.id > b.id));
}

function prune(tables: Tables, olderThanMs: number, limit: number): number {
  const until = new Date(tables.now() - olderThanMs);
  const old = list(tables, { until, oldestFirst: true, limit }).entries;
  for (const { id } of old) tables.audit.delete(id);
  return old.length;
}
