import type { FailureHints } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import type { Sparing } from './units.ts';

/** What platforms ask for, and know of. */
export const platformKinds = ['provision', 'update', 'deprovision', 'bind', 'unbind'] as const;
/** What is done with an instance besides, and no platform can have asked for. */
export const operatingKinds = ['start', 'stop', 'restart', 'backup', 'restore', 'action', 'adopt'] as const;
export const operationKinds = [...platformKinds, ...operatingKinds] as const;

export type PlatformKind = (typeof platformKinds)[number];
export type OperationKind = (typeof operationKinds)[number];

export function isPlatformKind(kind: OperationKind): kind is PlatformKind {
  return (platformKinds as readonly OperationKind[]).includes(kind);
}

export interface ServiceInstance {
  readonly id: string;
  /** Raised by every write that a later decision must not overlook; 0 = not yet stored. */
  readonly version: number;
  /** Names what is made for it, in this life of its id (`instanceKey`); absent: made by broker 0.1.0. */
  readonly key?: string;
  readonly offeringId: string;
  readonly planId: string;
  /** The plan revision this instance was made from. */
  readonly revision: string;
  readonly organizationGuid?: string;
  readonly spaceGuid?: string;
  readonly context: JsonObject;
  readonly maintenanceVersion?: string;
  /** The plans that it has had, or was to get, beside the one that it has; absent: none. */
  readonly formerPlans?: readonly string[];
  readonly metadata?: InstanceMetadata;
  /** Where its things are, when they are of one node: only that one runs its operations. */
  readonly place?: NodeShare;
  /** It was on a node that was given up, and has not been made anew since. */
  readonly lost?: Loss;
  /** Shall its units be at rest? */
  readonly stopped?: boolean;
  /** Of those that shall run, the units that shall be at rest all the same; absent: none. */
  readonly stoppedUnits?: readonly string[];
  /** From when on it is refused to be deleted; until when it is kept although deleted, known to operators alone. */
  readonly protectedFrom?: Date;
  readonly keptUntil?: Date;
  /** Milliseconds between two looks at its units; absent: nobody looks. */
  readonly checkEvery?: number;
  /** The instance that it was made for and goes with: it is a need of that one. */
  readonly parent?: string;
  /** Was it ever finished? With the open operation this says all about its state. */
  readonly ready: boolean;
  readonly confidential: InstanceConfidential;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NodeShare {
  readonly node: string;
  /** What it takes of the node's capacity. */
  readonly cost: number;
}

/** What became of an instance whose node was given up. */
export interface Loss {
  /** The node that it was lost with. */
  readonly node: string;
  readonly at: Date;
  /** The key of the life that was lost; absent: it had none of its own. */
  readonly key?: string;
}

export interface InstanceMetadata {
  readonly labels?: JsonObject;
  readonly attributes?: JsonObject;
}

/** Lies encrypted in the database. */
export interface InstanceConfidential {
  readonly parameters: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
  /** Those that an action may have put in place of its namesakes, while it goes on and after it has failed. */
  readonly renewing?: Readonly<Record<string, string>>;
  /** What the provisioner told of the thing it made; template roots such as node and ports. */
  readonly facts: JsonObject;
  readonly dashboardUrl?: string;
  /** The originating identity of who had it made, as the platform has said it: personal, so it lies here. */
  readonly requester?: Json;
  /** The memo of a create that could not be undone or removed: what is left of it can be found by it. */
  readonly trace?: Json;
  /** What the last update, or action, asked for, if it has failed and none has succeeded since: to ask for it again. */
  readonly failedUpdate?: { readonly operationId: string; readonly request: UpdateRequest };
  readonly failedAction?: { readonly operationId: string; readonly asked: JsonObject };
}

export interface ServiceBinding {
  readonly instanceId: string;
  readonly id: string;
  /** As that of an instance. */
  readonly key?: string;
  readonly appGuid?: string;
  readonly route?: string;
  readonly predecessorId?: string;
  /** The instance that needs this one and holds it by this binding. */
  readonly dependent?: string;
  readonly context: JsonObject;
  readonly ready: boolean;
  readonly expiresAt?: Date;
  readonly renewBefore?: Date;
  readonly confidential: BindingConfidential;
  readonly createdAt: Date;
}

/** Lies encrypted. `trace` is as that of an instance; `kept`: where its credentials are put for their reader. */
export interface BindingConfidential {
  readonly parameters: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
  readonly facts: JsonObject;
  readonly answer: BindingAnswer;
  readonly trace?: Json;
  readonly kept?: { readonly name: string; readonly reader: string } | undefined;
}

/** What a binding gives the application, rendered. */
export interface BindingAnswer {
  readonly credentials?: JsonObject;
  readonly syslogDrainUrl?: string;
  readonly routeServiceUrl?: string;
  readonly volumeMounts?: readonly Json[];
  readonly endpoints?: readonly Json[];
}

/** Intent, queue entry and history in one row. */
export interface Operation {
  readonly id: string;
  readonly kind: OperationKind;
  /** Of an action: which one of those that its offering declares. */
  readonly action?: string;
  readonly instanceId: string;
  readonly bindingId?: string;
  readonly offeringId: string;
  readonly planId: string;
  readonly state: 'in progress' | 'succeeded' | 'failed';
  /** Raised by every claim: a holder with an older one cannot write (the fence). */
  readonly attempt: number;
  /** Steps that threw since the last one that did not. */
  readonly failures: number;
  /** What the last of them said, without secrets; absent: none has failed since, or it has ended. */
  readonly trouble?: string;
  /** The process that holds it now. */
  readonly holder?: string;
  /** Only this node may run it. */
  readonly node?: string;
  /** The cancelled operation whose step must have ended before this one starts. */
  readonly follows?: string;
  /** Progress, for last_operation. */
  readonly note?: string;
  /** Its failure, if it fails, is told by `last_operation` only, which has not told it yet. */
  readonly untold?: boolean;
  /** Of a failed operation; of one in progress: it has failed and is being undone. */
  readonly failure?: OperationFailure;
  /** An operator wants it to end so: who has it, or takes it up next, ends it. */
  readonly cancelled?: OperationFailure;
  readonly origin: Origin;
  /** By which whoever runs it goes on with the trace in which it was opened. */
  readonly carrier?: Readonly<Record<string, string>>;
  readonly confidential: OperationConfidential;
  readonly createdAt: Date;
  readonly finishedAt?: Date;
  readonly deadline: Date;
}

export interface OperationFailure extends FailureHints {
  readonly word: string;
  readonly sentence: string;
}

/** Lies encrypted in the database, and is forgotten when the operation ends. */
export interface OperationConfidential {
  readonly memo?: Json;
  /** The memo of the create that is being undone. */
  readonly trace?: Json;
  /** Of an update: what was asked, to know a repetition, and the instance as it shall be. */
  readonly request?: UpdateRequest;
  readonly target?: ServiceInstance;
  /** Of a start, stop or restart: the units it is about; absent: all. */
  readonly units?: readonly string[];
  readonly sparing?: Sparing;
  /** Of a deprovision: what cannot be removed is forgotten; nothing is removed, for so many milliseconds. */
  readonly force?: boolean;
  readonly keep?: number;
  /** Of a restore: what is restored; of an action: its parameters; of an adoption: the `thing`. */
  readonly backup?: { readonly id: string; readonly name: string; readonly stored: StoredBytes };
  readonly backupKey?: string | undefined;
  readonly asked?: JsonObject;
}

export interface UpdateRequest {
  readonly planId?: string;
  readonly parameters: JsonObject;
  readonly complete?: boolean;
  readonly maintenanceVersion?: string;
  readonly upgrade?: boolean;
}

/** One thing an operation did, in the order in which it was done. */
export interface TimelineEntry {
  /** `init`, `prepare`, `configure`, `check_up`, `start` ... */
  readonly step: string;
  /** 1, and one more for each time it was tried again. */
  readonly tries: number;
  /** Was it part of undoing what had failed? */
  readonly undo: boolean;
  /** Milliseconds that its last try took. */
  readonly ms: number;
  readonly endedAt: Date;
}

/** What lies in the store, as it lies there. */
export interface StoredBytes {
  readonly size: number;
  readonly sha256: string;
}

/** Who asked; recorded, never a reason to decide otherwise. */
export interface Origin {
  readonly protocol: string;
  readonly principal?: string;
  readonly identity?: Json;
  readonly requestId?: string;
}

/** What the store knows of an instance when a decision is taken. */
export interface FoundInstance {
  readonly instance: ServiceInstance;
  /** The open provision, update or deprovision. */
  readonly operation?: Operation;
  /** Is a bind or unbind of any of its bindings open? */
  readonly bindingsBusy: boolean;
  /** Instances that need this one, by its bindings for them; absent: none. */
  readonly neededBy?: readonly string[];
  /** Has an operation of it, or of any of its bindings, failed that nobody has been told of? */
  readonly hasUntold?: boolean;
}

export interface FoundBinding {
  readonly found?: FoundInstance;
  readonly binding?: ServiceBinding;
  /** The open bind or unbind. */
  readonly operation?: Operation;
}
