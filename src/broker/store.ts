import type { AuditEntry, AuditTrail } from './audit.ts';
import type { BackupBooks, NewBackup } from './backups.ts';
import type { ServicePlan } from './catalog.ts';
import type { QuotaScope } from './policies.ts';
import type { Json, JsonObject } from './json.ts';
import type {
  BindingsPage,
  BindingsQuery,
  Forgotten,
  Listed,
  ListedBinding,
  ListQuery,
  Mark,
  OperationsPage,
  OperationsQuery,
  OwnerUse,
  PlanRevision,
  QuotaCount,
} from './listing.ts';
import type { Demand, Shortage } from './nodes.ts';
import type {
  FoundBinding,
  FoundInstance,
  Loss,
  Operation,
  OperationFailure,
  ServiceBinding,
  ServiceInstance,
  TimelineEntry,
} from './records.ts';
import type { Seen } from './units.ts';

/** Where the broker remembers, by a clock of its own. What cannot reach its database throws Refusal 'unavailable'. */
export interface Store {
  findInstance(instanceId: string): Promise<FoundInstance | undefined>;
  findBinding(instanceId: string, bindingId: string): Promise<FoundBinding>;

  /**
   * Writes an intent: operation, instance and binding together or nothing. False when the state that the
   * decision was made on has changed since, or something is open beside which it may not be: decide again.
   */
  open(opening: Opening): Promise<boolean>;

  /**
   * As `open`, for what must find room first, in the same transaction: so however many ask at once, nothing is
   * sold twice. The instance gets its place, and the operation its node; when that is not `demand.here`, the
   * operation is not held. `short` says what there is not enough of; then nothing is written.
   */
  place(opening: Opening, demand: Demand): Promise<Placement>;

  /**
   * Takes one due operation that this node may run, raises its attempt and holds it for a lease; at first its time begins.
   * @param node absent: only operations that any broker can run
   */
  claim(holder: string, leaseMs: number, node?: string): Promise<LeasedOperation | undefined>;
  /**
   * Holds on for another lease; false when the operation is no longer ours: stop working on it. `cancelled`: it is ours,
   * and to be ended as failed.
   */
  renew(held: LeasedOperation, leaseMs: number): Promise<boolean | 'cancelled'>;
  /** Remembers the progress of an operation that goes on; false when it is no longer ours. */
  postpone(held: LeasedOperation, pause: Pause): Promise<boolean>;
  /** Ends the operation and applies what it changed, together or neither; false when it is no longer ours. */
  settle(held: LeasedOperation, settlement: Settlement): Promise<boolean>;
  /**
   * Forgets an instance with its bindings, or one of these, and ends what is open on it with this failure, whether or
   * not anything of it can be read. Gives what has ended; undefined when the instance has another version by now.
   */
  purge(
    what: Forgotten,
    failure: OperationFailure,
    audit: AuditEntry,
  ): Promise<readonly Operation[] | undefined>;
  /** Marks an instance, whatever goes on with it; false when it has another version by now. */
  mark(what: Mark, audit: AuditEntry): Promise<boolean>;
  /** Has it ended, and undone, by who has it or takes it up next. Undefined: it was over, failed or cancelled. */
  cancel(operationId: string, failure: OperationFailure, audit: AuditEntry): Promise<Operation | undefined>;
  /** The step of a cancelled operation is still running: its follower must wait another lease. */
  holdBack(cancelledId: string, leaseMs: number): Promise<void>;
  /** The step of a cancelled operation has ended: its follower may start now. */
  release(cancelledId: string): Promise<void>;

  /**
   * The named operation of the instance or binding, else the latest that a platform can have asked for (nothing
   * that is done with units or backups); and whether the row is still there.
   */
  lastOperation(query: OperationQuery): Promise<FoundOperation>;
  /** The failure of an operation has been told: it is untold no more, for all brokers. */
  tell(operationId: string): Promise<void>;
  /** A binding that is still there while its instance is being deprovisioned, and must go first. */
  leftBinding(instanceId: string): Promise<ServiceBinding | undefined>;
  /** All bindings of an instance, those whose bind failed too, in the order in which they were made. */
  bindings(instanceId: string): Promise<readonly ListedBinding[]>;
  /** Ready bindings past their expiry without an open operation on them or their instance. */
  expired(limit: number): Promise<readonly ExpiredBinding[]>;
  /** Ids of deleted instances that were kept long enough, without an open operation and unprotected. */
  keptEnough(limit: number): Promise<readonly string[]>;
  /** Milliseconds until an operation that this node may run is due; undefined when none is in progress. */
  nextDue(node?: string): Promise<number | undefined>;
  /** Forgets operations that ended longer ago than this, with their timelines. */
  prune(olderThanMs: number): Promise<number>;
  /** What an operation has done, in order. */
  timeline(operationId: string): Promise<readonly TimelineEntry[]>;
  /** Operations of an instance and its bindings, the latest first. */
  history(instanceId: string, limit: number): Promise<readonly Operation[]>;
  /** Instances in the order of their ids, after the given one; what cannot be read hides none of them. */
  list(query: ListQuery): Promise<readonly Listed[]>;
  /** What is in use of what a quota counts, by those whose it is; the `limit` who use most. */
  listUses(count: QuotaCount, per: QuotaScope, limit: number): Promise<readonly OwnerUse[]>;
  /** Operations of all instances, the latest first; `next` is the `after` of the page that follows. */
  listOperations(query: OperationsQuery): Promise<OperationsPage>;
  /** Bindings of all instances, in the order of the ids of instance and binding; what cannot be read hides none. */
  listBindings(query: BindingsQuery): Promise<BindingsPage>;
  /** Instances of another revision than that of their plan among these. */
  countDrifted(plans: readonly PlanRevision[]): Promise<number>;

  /**
   * Takes one instance whose units are due to be looked at: ready, without an open operation, of this node or of
   * none. It is due again after its `checkEvery`.
   */
  claimUnitCheck(node?: string): Promise<UnitCheck | undefined>;
  /** Milliseconds until one is due; undefined when there is none to be looked at. */
  nextUnitCheck(node?: string): Promise<number | undefined>;
  /**
   * Remembers what was seen; nothing happens when the instance is gone.
   * @param dueMs somebody is to look again after so many milliseconds; absent: when it was due anyway
   */
  saveSeen(instanceId: string, seen: Seen, dueMs?: number): Promise<void>;
  findSeen(instanceId: string): Promise<Seen | undefined>;
  /** @param audit is written when one of them is new here */
  saveRevisions(plans: readonly ServicePlan[], audit?: AuditEntry): Promise<void>;
  findRevision(revision: string): Promise<JsonObject | undefined>;

  /** Of operations it is written by what opens and ends them. */
  readonly audit: AuditTrail;
  readonly backups: BackupBooks;

  /** Hints that something is due or was cancelled; hints may be lost, polling finds everything too. */
  listen(onHint: (hint: Hint) => void): () => Promise<void>;
  ping(): Promise<void>;
}

export type Placement =
  | { readonly placed: ServiceInstance; readonly operation: Operation }
  | { readonly short: Shortage }
  | 'stale';

export interface UnitCheck {
  readonly instance: ServiceInstance;
  readonly seen?: Seen;
}

/** What is needed to revoke it, and nothing that a missing key could hide. */
export type ExpiredBinding = Pick<ServiceBinding, 'instanceId' | 'id' | 'expiresAt'>;

export type Change<Rec> = { readonly put: Rec } | { readonly remove: Rec };

/** The record that a change, or the keeping of a row, is about. */
export function recordIn<Rec>(change: Change<Rec> | { readonly keep: Rec }): Rec {
  if ('put' in change) return change.put;
  return 'remove' in change ? change.remove : change.keep;
}

export interface Opening {
  /**
   * In progress, or ended already when its only step touched nothing outside. With a holder it is born
   * held for `leaseMs`; without, it is due at once, or when the operation that it follows has been let go.
   */
  readonly operation: Operation;
  readonly leaseMs: number;
  /**
   * `put` and `remove` need the version that was read (0: no such row). `keep` is for bind and unbind: the
   * instance must be ready, with no open operation of its own.
   */
  readonly instance: Change<ServiceInstance> | { readonly keep: ServiceInstance };
  /** A bind's put needs that there is none yet or only one that failed; an unbind's, that it is as it was read. */
  readonly binding?: Change<ServiceBinding>;
  /** The open operation of the same thing that this one cancels, as the table of exclusion lets it. */
  readonly cancels?: string;
  /** Its entry in the audit trail, which has the operation's id and is written with it; absent: there is none. */
  readonly audit?: AuditEntry;
  /** For the sake of another operation: only as long as that one is in these hands. */
  readonly onBehalfOf?: OnBehalfOf;
}

/** An operation of another instance as somebody holds it; who has lost it writes nothing any more for its sake. */
export type OnBehalfOf = Pick<Operation, 'id' | 'attempt'>;

/** An operation in our hands, with all that a step needs. */
export interface LeasedOperation {
  readonly operation: Operation;
  readonly instance: ServiceInstance;
  /** The binding of a bind or unbind. */
  readonly binding?: ServiceBinding;
  /** Milliseconds to the operation's deadline; negative when it has passed. */
  readonly remainingMs: number;
  /** Steps that were taken since anything was last written of it: they are written with what comes next. */
  readonly unwritten?: readonly StepRecord[];
}

export interface Pause {
  readonly memo?: Json;
  readonly trace?: Json;
  readonly note?: string;
  readonly failures: number;
  /** Why the last step failed, without secrets; absent: none has failed since the last that did not. */
  readonly trouble?: string;
  /** Set: the operation has failed and is being undone from now on. */
  readonly failure?: OperationFailure;
  /** Moves the deadline to this many milliseconds from now. */
  readonly deadlineMs?: number;
  /** A left-over binding that is gone now. */
  readonly unbound?: ServiceBinding;
  /** What the step did, for the timeline. */
  readonly did?: StepRecord;
  /** Milliseconds: hold on for a lease, or let go until something is to be done. */
  readonly until: { readonly holdMs: number } | { readonly dueMs: number };
}

export type StepRecord = Omit<TimelineEntry, 'endedAt'>;

export interface Settlement {
  /** Of a removal by force that could not remove everything: what stays where it is, for operators. */
  readonly left?: string;
  readonly did?: StepRecord;
  readonly failure?: OperationFailure;
  readonly instance?: Change<ServiceInstance>;
  readonly binding?: Change<ServiceBinding>;
  /** That it has made. */
  readonly backup?: NewBackup;
}

export interface OperationQuery {
  readonly instanceId: string;
  readonly bindingId?: string;
  readonly operationId?: string;
}

export interface FoundOperation {
  readonly operation?: Operation;
  /** Milliseconds since it has ended. */
  readonly endedMs?: number;
  readonly exists: boolean;
  /** What became of the instance, when it was lost with its node. */
  readonly lost?: Loss;
}

/** `cancelled`: another one has taken its place. `ending`: it is to be ended as failed by who has it. */
export type Hint = { readonly due: true } | { readonly cancelled: string } | { readonly ending: string };
