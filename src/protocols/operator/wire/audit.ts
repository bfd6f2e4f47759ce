import { auditOutcomes, auditVerbs } from '../../../broker/audit.ts';
import { next } from './operations.ts';
import { anyObject, anything, list, maybe, named, object, text, time, words, type ValueOf } from './shape.ts';

const auditEntryAnswer = named(
  'AuditEntry',
  object({
    id: text('That of the operation, where it is one.'),
    at: time(),
    protocol: text("Whose login it was; `broker`: nobody's."),
    principal: maybe(text()),
    identity: maybe(anything('Whom the platform names as who asked for it.')),
    address: maybe(text('Where a login that failed came from.')),
    request: maybe(text()),
    broker: text('The process that did it.'),
    verb: words(auditVerbs),
    kind: text(),
    object_id: text(),
    instance_id: maybe(text('The instance, of an instance or binding.')),
    before: maybe(anyObject('How it was.')),
    after: maybe(anyObject('How it is then.')),
    outcome: maybe(words(auditOutcomes, 'Absent: it goes on, or its broker died meanwhile.')),
    reason: maybe(text()),
    result: maybe(anyObject('What came of it, e.g. exit codes.')),
    ended_at: maybe(time()),
  }),
);
export type AuditEntryAnswer = ValueOf<typeof auditEntryAnswer>;

export const auditAnswer = named('Audit', object({ entries: list(auditEntryAnswer), next }));
export type AuditAnswer = ValueOf<typeof auditAnswer>;
