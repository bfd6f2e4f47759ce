import type { ServicePlan } from './catalog.ts';
import type { Json, JsonObject } from './json.ts';
import type { ServiceBinding, ServiceInstance } from './records.ts';

/**
 * One way of making things. Every method must converge when it is called twice for the same work: a process
 * may die between the deed and its record, and another one then repeats the step. Optional methods are
 * capabilities: without `update` a plan cannot be changed.
 */
export interface Provisioner {
  readonly name: string;
  readonly traits: ProvisionerTraits;
  provision(work: Work): Promise<Step<Made>>;
  deprovision(work: Work): Promise<Step<void>>;
  update?(work: Work): Promise<Step<Made>>;
  bind?(work: Work): Promise<Step<Made>>;
  unbind?(work: Work): Promise<Step<void>>;
  /** What really exists, by instance id, for the orphan report. */
  inventory?(): Promise<readonly string[]>;
}

/** What an offering file that names this provisioner may say; checked when the catalog is loaded. */
export interface ProvisionerTraits {
  /** JSON Schema (draft 7) of `config:`. */
  readonly config: JsonObject;
  /** JSON Schema (draft 7) of a plan's `with:`, when the provisioner itself reads it. */
  readonly settings?: JsonObject;
  /** Template roots its facts provide, beside the core's own. */
  readonly roots: readonly string[];
  /** The secrets that an offering file must declare, by name. */
  readonly secrets?: Readonly<Record<string, 'instance' | 'binding'>>;
  /** Keys of an offering file that only some provisioners act on, such as `hooks`; none when absent. */
  readonly supports?: readonly string[];
  /**
   * Its steps touch nothing outside the broker's database, so intent and result may be written as one: a
   * step that never happened has left nothing behind.
   */
  readonly selfContained: boolean;
}

/** Done, or call me again: one method serves start, poll and resume after a crash. */
export type Step<Result> =
  | { readonly done: Result }
  | { readonly again: { readonly afterMs: number; readonly memo: Json; readonly note?: string } };

export interface Made {
  /** Template roots for credentials and for later work, e.g. `{ node: { host }, ports: { main } }`. */
  readonly facts?: JsonObject;
}

/** All a step may know. */
export interface Work {
  readonly operationId: string;
  /** The memo of the step before; undefined on the first. */
  readonly memo?: Json;
  /** When undoing or following a create that did not end: the memo it had reached. */
  readonly trace?: Json;
  /** As it shall be: for an update with the new plan and parameters. */
  readonly instance: ServiceInstance;
  /** For an update: as it is. */
  readonly previous?: ServiceInstance;
  readonly binding?: ServiceBinding;
  readonly plan: ServicePlan;
  /** Template roots: params, plan, secrets, instance, binding, broker and the stored facts. */
  readonly values: JsonObject;
  /** Aborted when the operation is cancelled, its deadline has passed or the lease is lost: end soon. */
  readonly signal: AbortSignal;
}
