// The audit trail in the operator API, as JSON carries it.
import type { Json, JsonObject } from '../../broker/json.ts';

export interface AuditAnswer {
  readonly entries: readonly AuditEntryAnswer[];
  /** The `after` of the page that follows; absent: this is the last. */
  readonly next?: string | undefined;
}

export interface AuditEntryAnswer {
  /** That of the operation, where it is one. */
  readonly id: string;
  readonly at: string;
  /** Whose login it was; `broker`: nobody's. */
  readonly protocol: string;
  readonly principal?: string | undefined;
  /** Whom the platform names as who asked for it. */
  readonly identity?: Json | undefined;
  /** Where a login that failed came from. */
  readonly address?: string | undefined;
  readonly request?: string | undefined;
  /** The process that did it. */
  readonly broker: string;
  readonly verb: string;
  readonly kind: string;
  readonly object_id: string;
  /** The instance, of an instance or binding. */
  readonly instance_id?: string | undefined;
  readonly before?: JsonObject | undefined;
  readonly after?: JsonObject | undefined;
  /** Absent: it goes on, or its broker died meanwhile. */
  readonly outcome?: string | undefined;
  readonly reason?: string | undefined;
  readonly result?: JsonObject | undefined;
  readonly ended_at?: string | undefined;
}
