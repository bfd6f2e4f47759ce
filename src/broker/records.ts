import type { FailureHints } from './errors.ts';
import type { Json, JsonObject } from './json.ts';

export type OperationKind = 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind';

export interface ServiceInstance {
  readonly id: string;
  /** Raised by every write that a later decision must not overlook; 0 = not yet stored. */
  readonly version: number;
  readonly offeringId: string;
  readonly planId: string;
  /** The plan revision this instance was made from. */
  readonly revision: string;
  readonly organizationGuid?: string;
  readonly spaceGuid?: string;
  readonly context: JsonObject;
  readonly maintenanceVersion?: string;
  readonly metadata?: InstanceMetadata;
  /** Was it ever finished? With the open operation this says all about its state. */
  readonly ready: boolean;
  readonly confidential: InstanceConfidential;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface InstanceMetadata {
  readonly labels?: JsonObject;
  readonly attributes?: JsonObject;
}

/** Lies encrypted in the database. */
export interface InstanceConfidential {
  readonly parameters: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
  /** What the provisioner told of the thing it made; template roots such as node and ports. */
  readonly facts: JsonObject;
  readonly dashboardUrl?: string;
}

export interface ServiceBinding {
  readonly instanceId: string;
  readonly id: string;
  readonly appGuid?: string;
  readonly route?: string;
  readonly predecessorId?: string;
  readonly context: JsonObject;
  readonly ready: boolean;
  readonly expiresAt?: Date;
  readonly renewBefore?: Date;
  readonly confidential: BindingConfidential;
  readonly createdAt: Date;
}

/** Lies encrypted in the database. */
export interface BindingConfidential {
  readonly parameters: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
  readonly facts: JsonObject;
  readonly answer: BindingAnswer;
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
  readonly instanceId: string;
  readonly bindingId?: string;
  readonly offeringId: string;
  readonly planId: string;
  readonly state: 'in progress' | 'succeeded' | 'failed';
  /** Raised by every claim: a holder with an older one cannot write (the fence). */
  readonly attempt: number;
  /** Steps that threw since the last one that did not. */
  readonly failures: number;
  /** The process that holds it now. */
  readonly holder?: string;
  /** The cancelled operation whose step must have ended before this one starts. */
  readonly follows?: string;
  /** Progress, for last_operation. */
  readonly note?: string;
  /** Of a failed operation; of one in progress: it has failed and is being undone. */
  readonly failure?: OperationFailure;
  readonly origin: Origin;
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
}

export interface UpdateRequest {
  readonly planId?: string;
  readonly parameters: JsonObject;
  readonly maintenanceVersion?: string;
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
}

export interface FoundBinding {
  readonly found?: FoundInstance;
  readonly binding?: ServiceBinding;
  /** The open bind or unbind. */
  readonly operation?: Operation;
}

export type StateWord = 'absent' | 'provisioning' | 'failed' | 'deprovisioning' | 'ready' | 'updating';

/** One word for people; `ready` and the open operation are the truth. */
export function describeState(found: FoundInstance | undefined): StateWord {
  if (!found) return 'absent';
  switch (found.operation?.kind) {
    case 'provision':
      return 'provisioning';
    case 'update':
      return 'updating';
    case 'deprovision':
      return 'deprovisioning';
    default:
      return found.instance.ready ? 'ready' : 'failed';
  }
}

export function isExpired({ expiresAt }: ServiceBinding, now: Date): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}
