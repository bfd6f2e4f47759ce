// The audit trail as operators read it: a page of entries by filters.
import {
  auditOutcomes,
  auditVerbs,
  type AuditObject,
  type AuditQuery,
  type AuditRecord,
} from '../../broker/audit.ts';
import { Refusal } from '../../broker/errors.ts';
import type { OperatorView } from '../../broker/operator-view.ts';
import type { Call, Handler } from '../protocol.ts';
import { pageQuery } from './list-queries.ts';
import { truth, text, words } from './wire/shape.ts';
import { readFlag, readNumber, readText, readWord } from './requests.ts';
import type { AuditAnswer, AuditEntryAnswer } from './wire/audit.ts';

export const auditQuery = {
  instance: text('What was done to it and its bindings.'),
  object: text('What was done to this one, by its id.'),
  verb: words(auditVerbs),
  principal: text('What this login has done.'),
  outcome: words(auditOutcomes),
  since: text('From this time on, such as 2026-01-31 or 2026-01-31T12:00:00Z.'),
  until: text('Before this time.'),
  oldest_first: truth('Else the latest comes first.'),
  ...pageQuery,
};

export function auditEndpoint(overview: OperatorView): Handler {
  return async (call) => {
    const { entries, next } = await overview.audit(readAuditQuery(call));
    return { status: 200, body: { entries: entries.map(entryReply), next } satisfies AuditAnswer };
  };
}

export function readAuditQuery({ query }: Pick<Call, 'query'>): AuditQuery {
  return {
    instanceId: readText(query, 'instance'),
    objectId: readText(query, 'object'),
    verb: readWord(query, 'verb', auditVerbs),
    principal: readText(query, 'principal'),
    outcome: readWord(query, 'outcome', auditOutcomes),
    since: readTime(query, 'since'),
    until: readTime(query, 'until'),
    after: readText(query, 'after'),
    oldestFirst: readFlag(query, 'oldest_first'),
    limit: readNumber(query, 'limit', 100, 1000),
  };
}

const isoTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

function readTime(query: URLSearchParams, name: string): Date | undefined {
  const value = readText(query, name);
  if (value === undefined) return undefined;
  const time = isoTime.test(value) ? new Date(value) : undefined;
  if (time && !Number.isNaN(time.getTime())) return time;
  throw new Refusal('invalid', `${name} must be a time such as 2026-01-31 or 2026-01-31T12:00:00Z.`, name);
}

function entryReply(record: AuditRecord): AuditEntryAnswer {
  const { object, confidential } = record;
  return {
    id: record.id,
    at: record.at.toISOString(),
    protocol: record.protocol,
    principal: record.principal,
    identity: confidential.identity,
    address: confidential.address,
    request: record.requestId,
    broker: record.broker,
    verb: record.verb,
    ...objectReply(object),
    before: record.before,
    after: record.after,
    outcome: record.outcome,
    reason: record.reason,
    result: record.result,
    ended_at: record.endedAt?.toISOString(),
  };
}

function objectReply(object: AuditObject): Pick<AuditEntryAnswer, 'kind' | 'object_id' | 'instance_id'> {
  return {
    kind: object.kind,
    object_id: 'id' in object ? object.id : object.instanceId,
    instance_id: 'instanceId' in object ? object.instanceId : undefined,
  };
}
