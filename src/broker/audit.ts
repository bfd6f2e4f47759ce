import { Failure, Refusal } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import { operationKinds, type Origin } from './records.ts';

/** What can stand in the audit trail. `reload` is of a catalog, `login` one that failed. */
export const auditVerbs = [
  ...operationKinds,
  'delete-backup',
  'dashboard-link',
  'exec',
  'log',
  'drain',
  'undrain',
  'forget',
  'abandon',
  'cancel',
  'purge',
  'force-delete',
  'protect',
  'unprotect',
  'undelete',
  'remove-orphan',
  'reload',
  'rekey',
  'load-state',
  'renew-authority',
  'start-upgrades',
  'pause-upgrades',
  'resume-upgrades',
  'cancel-upgrades',
  'retry-webhooks',
  'login',
] as const;

export type AuditVerb = (typeof auditVerbs)[number];

export const auditOutcomes = ['succeeded', 'failed', 'refused'] as const;

export type AuditOutcome = (typeof auditOutcomes)[number];

/** What was done, to what and by whom, before it is known how it ended. It holds no secret and no parameter's value. */
export interface AuditEntry {
  /** That of the operation, where it is one. */
  readonly id: string;
  /** The process that has done it. */
  readonly broker: string;
  readonly protocol: string;
  /** The user of the login, whose realm is the protocol's; absent: the broker itself. */
  readonly principal?: string | undefined;
  readonly requestId?: string | undefined;
  readonly verb: AuditVerb;
  readonly object: AuditObject;
  readonly before?: JsonObject | undefined;
  readonly after?: JsonObject | undefined;
  readonly confidential: AuditConfidential;
  /** Of what had ended when it was written. */
  readonly outcome?: AuditOutcome | undefined;
}

export type AuditObject =
  | { readonly kind: 'instance'; readonly instanceId: string }
  | { readonly kind: 'binding'; readonly instanceId: string; readonly id: string }
  | {
      readonly kind:
        'node' | 'orphan' | 'catalog' | 'keys' | 'state' | 'login' | 'authority' | 'upgrades' | 'webhooks';
      readonly id: string;
    };

/** Data of persons: it lies encrypted in the database. */
export interface AuditConfidential {
  /** Whom the platform names as who asked for it. */
  readonly identity?: Json | undefined;
  /** Where a login that failed came from. */
  readonly address?: string | undefined;
}

export interface AuditEnd {
  readonly outcome: AuditOutcome;
  /** A word: why it failed or was refused. */
  readonly reason?: string | undefined;
  /** What came of it, e.g. exit codes. */
  readonly result?: JsonObject | undefined;
}

/** As it stands in the trail, on the store's clock. Without an outcome: it goes on, or its broker died meanwhile. */
export interface AuditRecord extends AuditEntry, Partial<AuditEnd> {
  readonly at: Date;
  readonly endedAt?: Date | undefined;
}

export interface AuditQuery {
  /** What was done to this instance and its bindings. */
  readonly instanceId?: string | undefined;
  /** What was done to the binding, node or orphan of this id. */
  readonly objectId?: string | undefined;
  readonly verb?: AuditVerb | undefined;
  readonly principal?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** The `next` of the page before, whose last entry may have gone meanwhile. */
  readonly after?: string | undefined;
  /** The latest first, unless this is said. */
  readonly oldestFirst?: boolean | undefined;
  readonly limit: number;
}

export interface AuditPage {
  readonly entries: readonly AuditRecord[];
  /** Undefined: this is the last. */
  readonly next: string | undefined;
}

/** Rows that are written once: how it ended can be added to them, and nothing be changed. */
export interface AuditTrail {
  /** Before the deed, of what writes nothing else. */
  record(entry: AuditEntry): Promise<void>;
  /** Once; nothing happens the second time. */
  conclude(id: string, end: AuditEnd): Promise<void>;
  /** Refuses with invalid an `after` that is the `next` of no page. */
  list(query: AuditQuery): Promise<AuditPage>;
  /** Forgets at most so many that are older than this. @returns how many it were */
  prune(olderThanMs: number, limit: number): Promise<number>;
}

interface Auditing {
  readonly store: { readonly audit: AuditTrail };
  readonly observe: (event: {
    readonly type: 'trouble';
    readonly doing: string;
    readonly detail: string;
  }) => void;
}

/**
 * Carries out what writes nothing by itself: its entry is there before it begins.
 * @throws Refusal 'unavailable' when the entry cannot be written; then nothing is done
 */
export async function underAudit<Result>(
  { store: { audit }, observe }: Auditing,
  entry: AuditEntry,
  carryOut: () => Promise<Result>,
  resultOf: (result: Result) => JsonObject | undefined = () => undefined,
): Promise<Result> {
  await audit.record(entry);
  const conclude = (end: AuditEnd) =>
    audit.conclude(entry.id, end).catch((error: unknown) => {
      observe({ type: 'trouble', doing: 'writing the audit trail', detail: String(error) });
    });
  const result = await carryOut().catch(async (error: unknown) => {
    await conclude(endOf(error));
    throw error;
  });
  await conclude({ outcome: 'succeeded', result: resultOf(result) });
  return result;
}

function endOf(error: unknown): AuditEnd {
  if (error instanceof Refusal) return { outcome: 'refused', reason: error.code };
  return { outcome: 'failed', reason: error instanceof Failure ? error.word : 'internal' };
}

interface Auditor {
  readonly newId: () => string;
  readonly settings: { readonly holder: string };
}

/** @param did what is done; the rest is known of who asked for it, and of this broker */
export function auditEntry(
  { newId, settings }: Auditor,
  { protocol, principal, requestId, identity }: Origin,
  did: Pick<AuditEntry, 'verb' | 'object'> & Partial<Pick<AuditEntry, 'id' | 'before' | 'after' | 'outcome'>>,
): AuditEntry {
  return {
    id: did.id ?? newId(),
    broker: settings.holder,
    protocol,
    principal,
    requestId,
    ...did,
    confidential: identity === undefined ? {} : { identity },
  };
}
