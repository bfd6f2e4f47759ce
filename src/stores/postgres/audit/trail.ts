import type { AuditObject, AuditQuery, AuditRecord, AuditTrail } from '../../../broker/audit.ts';
import type { JsonObject } from '../../../broker/json.ts';
import type { Query } from '../../../postgres/query.ts';
import { join, type Sql, sql } from '../../../postgres/sql.ts';
import { parseConfidential } from '../../operation-rows.ts';
import { readPageMark, writePageMark } from '../../page-mark.ts';
import { fromNow } from '../lease.ts';
import { auditEnding, auditInsertion } from './write.ts';

export function postgresAudit(query: Query): AuditTrail {
  return {
    async record(entry) {
      await query(auditInsertion(entry));
    },
    async conclude(id, end) {
      await query(auditEnding(sql`select ${id}::text`, end));
    },
    async list(asked) {
      const rows = (await query(auditPage(asked))).map((row) => row['entry'] as AuditRow);
      const last = rows.length === asked.limit ? rows.at(-1) : undefined;
      return { entries: rows.map(readRecord), next: last && writePageMark([last.at, last.id]) };
    },
    prune: (olderThanMs, limit) => prune(query, olderThanMs, limit),
  };
}

/** A page of it; one index gives its rows in their order, whichever filter there is. */
export function auditPage({ after, oldestFirst = false, limit, ...filters }: AuditQuery): Sql {
  const direction = oldestFirst ? sql`asc` : sql`desc`;
  const beyond = oldestFirst ? sql`>` : sql`<`;
  const [at, id] = after === undefined ? [] : readPageMark(after, 'string');
  const mark = at !== undefined && sql`(at, id) ${beyond} (${at}::timestamptz, ${id}::text)`;
  const wanted = [...conditions(filters), mark].filter((one) => one !== false);
  const where = wanted.length > 0 ? sql`where ${join(wanted, ' and ')}` : sql``;
  return sql`
    select to_json(a) as entry from audit_trail a ${where}
    order by at ${direction}, id ${direction} limit ${limit}`;
}

function conditions(asked: Omit<AuditQuery, 'after' | 'oldestFirst' | 'limit'>): readonly (Sql | false)[] {
  const { instanceId, objectId, verb, principal, outcome, since, until } = asked;
  return [
    instanceId !== undefined && sql`instance_id = ${instanceId}::text`,
    objectId !== undefined && sql`object_id = ${objectId}::text`,
    verb !== undefined && sql`verb = ${verb}::text`,
    principal !== undefined && sql`principal = ${principal}::text`,
    outcome !== undefined && outcomes[outcome],
    since !== undefined && sql`at >= ${since}::timestamptz`,
    until !== undefined && sql`at < ${until}::timestamptz`,
  ];
}

/** As text of the statement: only so it can be told that the index of the few serves it. */
const outcomes = {
  succeeded: sql`outcome = 'succeeded'`,
  failed: sql`outcome = 'failed'`,
  refused: sql`outcome = 'refused'`,
} satisfies Record<NonNullable<AuditQuery['outcome']>, Sql>;

async function prune(query: Query, olderThanMs: number, limit: number): Promise<number> {
  const rows = await query(sql`
    with old as (
      select id from audit_trail where at < ${fromNow(-olderThanMs)} order by at, id limit ${limit}
      for update skip locked
    ), pruned as (delete from audit_trail where id in (select id from old) returning 1)
    select count(*)::integer as count from pruned`);
  return Number(rows[0]?.['count'] ?? 0);
}

interface AuditRow extends Pick<AuditRecord, 'id' | 'broker' | 'protocol' | 'verb'> {
  readonly at: string;
  readonly principal: string | null;
  readonly request_id: string | null;
  readonly object_kind: AuditObject['kind'];
  readonly object_id: string | null;
  readonly instance_id: string | null;
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
  readonly outcome: NonNullable<AuditQuery['outcome']> | null;
  readonly ended_at: string | null;
  readonly reason: string | null;
  readonly result: JsonObject | null;
  readonly confidential: string;
}

function readRecord(row: AuditRow): AuditRecord {
  const { id, broker, protocol, verb } = row;
  return {
    id,
    at: new Date(row.at),
    broker,
    protocol,
    principal: row.principal ?? undefined,
    requestId: row.request_id ?? undefined,
    verb,
    object: readObject(row),
    before: row.before ?? undefined,
    after: row.after ?? undefined,
    outcome: row.outcome ?? undefined,
    endedAt: row.ended_at === null ? undefined : new Date(row.ended_at),
    reason: row.reason ?? undefined,
    result: row.result ?? undefined,
    confidential: parseConfidential(row.confidential),
  };
}

function readObject({ object_kind: kind, object_id, instance_id }: AuditRow): AuditObject {
  const id = object_id ?? '';
  const instanceId = instance_id ?? '';
  if (kind === 'instance') return { kind, instanceId };
  return kind === 'binding' ? { kind, instanceId, id } : { kind, id };
}
