import type { JsonObject } from './json.ts';
import type { Origin } from './records.ts';

interface Command {
  readonly instanceId: string;
  /** May the answer be "accepted", with the work still going on? */
  readonly acceptsIncomplete: boolean;
  readonly origin: Origin;
}

export interface Provision extends Command {
  readonly offeringId: string;
  readonly planId: string;
  readonly parameters: JsonObject;
  readonly organizationGuid?: string;
  readonly spaceGuid?: string;
  readonly context: JsonObject;
  readonly maintenanceVersion?: string;
}

export interface Update extends Command {
  readonly offeringId: string;
  /** Absent: the plan stays. */
  readonly planId?: string;
  /** Merged over the parameters that the instance has; empty: they stay. */
  readonly parameters: JsonObject;
  readonly context?: JsonObject;
  readonly maintenanceVersion?: string;
}

export interface Deprovision extends Command {
  readonly offeringId: string;
  readonly planId: string;
}

export interface Bind extends Command {
  readonly bindingId: string;
  readonly offeringId?: string;
  readonly planId?: string;
  readonly parameters: JsonObject;
  readonly context: JsonObject;
  readonly appGuid?: string;
  readonly route?: string;
  /** Rotation: the binding whose place this one takes. */
  readonly predecessorId?: string;
}

export interface Unbind extends Command {
  readonly bindingId: string;
  readonly offeringId: string;
  readonly planId: string;
}
