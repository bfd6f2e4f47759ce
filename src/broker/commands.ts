import type { Json, JsonObject } from './json.ts';
import type { Scope } from './orphans.ts';
import type { Origin } from './records.ts';
import type { OnBehalfOf } from './store.ts';
import type { Execution, LogQuery, Sparing } from './units.ts';

interface Command {
  readonly instanceId: string;
  /** May the answer be "accepted", with the work still going on? */
  readonly acceptsIncomplete: boolean;
  /**
   * With `acceptsIncomplete`: a failure, too, is told by the operation, however soon it came. Else it is thrown when it
   * comes while the request waits.
   */
  readonly failsLater?: boolean;
  readonly origin: Origin;
  /** Has whoever asks given up by now? Then nothing is begun. Absent: it is to be done whoever waits for it. */
  readonly isGone?: () => boolean;
  /** Set by the broker itself: the operation, of another instance, for whose sake it asks. */
  readonly within?: OnBehalfOf;
}

export interface Provision extends Command {
  readonly offeringId: string;
  readonly planId: string;
  readonly parameters: JsonObject;
  readonly organizationGuid?: string;
  readonly spaceGuid?: string;
  readonly context: JsonObject;
  readonly maintenanceVersion?: string;
  /** Set by the broker itself: the instance that this one is made for. */
  readonly parent?: string;
  /** Set by the broker itself: who had it made, when another one asks for it again; absent: who asks. */
  readonly requester?: Json;
}

/** An address that opens the dashboard of an instance for so many milliseconds. */
export interface LinkDashboard {
  readonly instanceId: string;
  readonly forMs: number;
  readonly origin: Origin;
}

export interface Update extends Command {
  readonly offeringId: string;
  /** Absent: the plan stays. */
  readonly planId?: string;
  /** What the platform takes for the present plan: to name it once more asks for no change of plan. */
  readonly previousPlanId?: string;
  /** Merged over the parameters that the instance has; empty: they stay. */
  readonly parameters: JsonObject;
  /** The parameters are all that the instance shall have: what is not among them goes. */
  readonly complete?: boolean;
  readonly context?: JsonObject;
  /** Named: the instance becomes what its plan is now. Without it, and with the same plan, it stays what it was made from. */
  readonly maintenanceVersion?: string;
  /** The same asked for without a version, as plans without one need it: nothing but the present plan is named. */
  readonly upgrade?: boolean;
}

/** Of an instance to what its plan is now. */
export type Upgrade = Command;

export interface Deprovision extends Command {
  readonly offeringId: string;
  readonly planId: string;
  /** Set by the broker itself: nothing is to be done unless this create is still open. */
  readonly giveUp?: string;
  /** Nothing is to be done when the instance has another version by now. */
  readonly version?: number;
  /** What cannot be removed is left where it is, and forgotten. */
  readonly force?: boolean;
  /** Set by the broker itself and by operators: also of one that was deleted and is kept. */
  readonly forGood?: boolean;
}

export interface Bind extends Command {
  readonly bindingId: string;
  readonly offeringId?: string;
  readonly planId?: string;
  readonly parameters: JsonObject;
  readonly context: JsonObject;
  readonly appGuid?: string;
  readonly route?: string;
  /** Who reads the credentials where a `CredentialStore` keeps them; absent: the platform is given them. */
  readonly reader?: string | undefined;
  /** Rotation: the binding whose place this one takes. */
  readonly predecessorId?: string;
  /** Set by the broker itself: the instance that needs this one. */
  readonly dependent?: string;
}

export interface Unbind extends Command {
  readonly bindingId: string;
  readonly offeringId: string;
  readonly planId: string;
  /** As of a deprovision. */
  readonly giveUp?: string;
}

/** Of one that its platform has forgotten. */
export interface RemoveBinding extends Command {
  readonly bindingId: string;
}

/** Of an instance that its platform has forgotten. */
export type RemoveInstance = Command;

/** Of an operation: that it ends, or that what has failed is asked for again. */
export interface RepairOperation {
  readonly operationId: string;
  readonly origin: Origin;
}

/** Of an instance, from the books alone. */
export interface PurgeInstance {
  readonly instanceId: string;
  readonly origin: Origin;
}

export interface PurgeBinding extends PurgeInstance {
  readonly bindingId: string;
}

/** Of an instance, against deletion, or no longer. */
export interface ProtectInstance {
  readonly instanceId: string;
  readonly protects: boolean;
  readonly origin: Origin;
}

/** Of an instance that was deleted and is kept. */
export interface UndeleteInstance {
  readonly instanceId: string;
  readonly origin: Origin;
}

/** Of an instance that was lost with its node. */
export type Recreate = Command;

/** Of a start, stop or restart. */
export interface StartStop extends Command {
  /** Absent: all units. */
  readonly units?: readonly string[];
  /** Set by the broker itself: nothing is to be done when the instance has another version by now. */
  readonly version?: number;
  readonly sparing?: Sparing;
}

/** Of what an instance holds. */
export interface BackUp extends Command {
  /** Set by the broker itself: that of the operation, which cannot be begun twice. */
  readonly operationId?: string;
}

/** Of what a backup holds. */
export interface RestoreBackup {
  readonly backupId: string;
  /** The instance; absent: the one that the backup was made of. */
  readonly into?: string | undefined;
  readonly acceptsIncomplete: boolean;
  readonly origin: Origin;
}

/** Of what exists already and belongs to nobody. */
export interface Adopt extends Command {
  /** As a `Resource` is named. */
  readonly thing: string;
  /** Where it is; absent: where it was found, or on no node. */
  readonly node?: string | undefined;
  /** By name or id. */
  readonly offering: string;
  readonly plan: string;
  readonly parameters: JsonObject;
  readonly organizationGuid?: string | undefined;
  readonly spaceGuid?: string | undefined;
}

/** Of what the offering of an instance declares. */
export interface Act extends Command {
  readonly action: string;
  readonly parameters: JsonObject;
}

export interface DeleteBackup {
  readonly backupId: string;
  readonly origin: Origin;
}

export interface DrainNode {
  readonly node: string;
  /** False: it takes new instances again. */
  readonly draining: boolean;
  readonly origin: Origin;
}

export interface ForgetNode {
  readonly node: string;
  /** The machine is lost, and its instances with it: they can only be deleted, or made again. */
  readonly abandon?: boolean;
  readonly origin: Origin;
}

/** Of one that is final. */
export interface RemoveOrphan extends Scope {
  readonly name: string;
  readonly origin: Origin;
}

/** Of what is asked of units and answered at once. */
interface UnitCommand {
  readonly instanceId: string;
  readonly origin: Origin;
  /** Another broker was asked for it, passes it on to the node, and tells how it ended. */
  readonly passedOn?: boolean;
}

export interface Exec extends UnitCommand, Execution {}

export interface ReadLog extends UnitCommand, LogQuery {}
