import type { Catalog } from './catalog.ts';
import type { JsonObject } from './json.ts';
import type { Outcome } from './outcome.ts';
import type { Operation, Origin, ServiceBinding, ServiceInstance } from './records.ts';

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

export interface LastOperationQuery {
  readonly instanceId: string;
  readonly bindingId?: string;
  readonly operationId?: string;
}

/** `absent`: never heard of it. `gone`: it was deleted. */
export type LastOperation = { readonly operation: Operation } | 'absent' | 'gone';

/** What every protocol speaks to. Refusals are thrown, outcomes returned; a failed synchronous operation throws Failure. */
export interface Broker {
  catalog(): Catalog;
  provision(command: Provision): Promise<Outcome<ServiceInstance>>;
  update(command: Update): Promise<Outcome<ServiceInstance>>;
  deprovision(command: Deprovision): Promise<Outcome<ServiceInstance>>;
  bind(command: Bind): Promise<Outcome<ServiceBinding>>;
  unbind(command: Unbind): Promise<Outcome<ServiceBinding>>;
  /** Refuses with not-found while it is being made, with busy while it is being updated. */
  instance(instanceId: string): Promise<ServiceInstance>;
  binding(instanceId: string, bindingId: string): Promise<ServiceBinding>;
  lastOperation(query: LastOperationQuery): Promise<LastOperation>;
}
