// Every body and answer of the operator API, as JSON carries it: times are ISO 8601, sizes of time are milliseconds.
import type { Json } from '../../broker/json.ts';
import type { Executed, UnitLog } from '../../broker/units.ts';

export interface ActionBody {
  readonly units?: readonly string[];
}

export interface ExecBody {
  readonly command: readonly string[];
  readonly unit?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

export interface OrphanBody {
  readonly provisioner: string;
  readonly node?: string;
  readonly name: string;
}

export interface AuthorityBody {
  /** Milliseconds from now on. */
  readonly signs_after: number;
}

export interface AuthoritiesAnswer {
  /** The oldest first. */
  readonly authorities: readonly AuthorityAnswer[];
}

export interface AuthorityAnswer {
  readonly generation: number;
  readonly signs: boolean;
  /** Is it in the `ca` of new bindings? */
  readonly trusted: boolean;
  /** As an operator has said; absent: when those before it come to their end. */
  readonly signs_from?: string | undefined;
  readonly not_before: string;
  readonly not_after: string;
}

export interface NodesAnswer {
  readonly nodes: readonly NodeAnswer[];
}

export interface NodeAnswer {
  readonly name: string;
  readonly state: 'up' | 'draining' | 'down';
  readonly host: string;
  readonly url?: string;
  readonly directory: string;
  /** The first and the last: `26000-26099`. */
  readonly ports: string;
  readonly ports_free: number;
  readonly capacity: number;
  readonly used: number;
  readonly instances: number;
  readonly executables: readonly string[];
  /** What keeps programs of instances apart there: accounts, a sandbox, both or nothing. */
  readonly isolation: 'accounts+sandbox' | 'accounts' | 'sandbox' | 'none';
  /** As whom instances run: `2100000000-2100004095`, of which each new one has its own, or `nobody (shared)`. */
  readonly accounts?: string;
  /** What keeps the limits of instances there, and which of them nothing keeps, for people. */
  readonly limits?: string;
  readonly beat_at: string;
}

export interface OfferingsAnswer {
  readonly offerings: readonly OfferingAnswer[];
}

export interface OfferingAnswer {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly on_sale: boolean;
  /** Why it is not on sale, as a sentence. */
  readonly hidden?: string;
}

export interface InstancesAnswer {
  readonly instances: readonly InstanceAnswer[];
  /** The `after` of the page that follows; absent: this is the last. */
  readonly next?: string;
}

export interface OperationsAnswer {
  /** The latest first. */
  readonly operations: readonly ListedOperationAnswer[];
  /** The `after` of the page that follows; absent: this is the last. */
  readonly next?: string;
}

export interface ListedOperationAnswer extends OperationAnswer {
  readonly instance_id: string;
  readonly offering_id: string;
  readonly plan_id: string;
}

export interface InstanceAnswer {
  readonly id: string;
  readonly key?: string;
  readonly offering: string;
  readonly offering_id: string;
  readonly plan: string;
  readonly plan_id: string;
  readonly state: string;
  readonly status: string;
  readonly reason: string;
  readonly units: readonly UnitAnswer[];
  readonly addresses: readonly string[];
  readonly checked_at?: string;
  readonly left_alone?: boolean;
  readonly stopped: boolean;
  readonly stopped_units: readonly string[];
  /** Its plan has changed since it was made or last updated. */
  readonly drifted: boolean;
  readonly node?: string;
  readonly cost?: number;
  readonly bindings: number;
  readonly lost?: { readonly node: string; readonly at: string };
  /** The instance that it was made for. */
  readonly parent?: string;
  /** As its users call it. */
  readonly name?: string;
  readonly platform?: string;
  /** By name: of tsuru the team, of Kubernetes the cluster. */
  readonly organization?: string;
  readonly organization_guid?: string;
  /** By name: of Kubernetes the namespace. */
  readonly space?: string;
  readonly space_guid?: string;
  /** The originating identity of who had it made, as the platform has said it. */
  readonly requester?: Json;
  readonly operation?: OperationAnswer;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface BindingAnswer {
  readonly id: string;
  readonly state: string;
  readonly app_guid?: string;
  readonly route?: string;
  readonly predecessor_binding_id?: string;
  /** The instance that holds it. */
  readonly needed_by?: string;
  /** By what people know that which is bound, as its platform has said. */
  readonly context: Readonly<Record<string, string | undefined>>;
  readonly operation?: OperationAnswer;
  readonly created_at: string;
  readonly expires_at?: string;
}

export interface InstanceDetailsAnswer extends InstanceAnswer {
  /** As whom its programs run: the number of a user of its own, or `shared`; absent: it runs none on a node. */
  readonly account?: string;
  readonly needed_by: readonly string[];
  readonly needs: readonly string[];
  /** Those that failed too, in the order in which they were made. */
  readonly bound: readonly BindingAnswer[];
  /** The latest first. */
  readonly operations: readonly TimedOperationAnswer[];
}

export interface UnitAnswer {
  readonly unit: string;
  readonly status: string;
  readonly reason: string;
  readonly since: string;
  readonly pid?: number;
  readonly address?: string;
}

/** Of a start, stop, restart or recreate; without an operation when there was nothing to do. */
export interface ActionAnswer {
  readonly operation?: OperationAnswer;
}

export interface OperationAnswer {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly binding_id?: string;
  readonly node?: string;
  readonly holder?: string;
  readonly attempt: number;
  readonly failures?: number;
  readonly trouble?: string;
  readonly note?: string;
  readonly failure?: { readonly word: string; readonly sentence: string; readonly detail?: string };
  readonly asked_by: { readonly protocol: string; readonly principal?: string; readonly request?: string };
  /** The originating identity of who asked, as the platform has said it. */
  readonly requester?: Json;
  readonly created_at: string;
  readonly finished_at?: string;
  readonly deadline?: string;
}

export interface TimedOperationAnswer extends OperationAnswer {
  readonly timeline: readonly StepAnswer[];
}

export interface StepAnswer {
  readonly step: string;
  readonly tries: number;
  readonly undo: boolean;
  readonly ms: number;
  readonly ended_at: string;
}

export interface ExecAnswer {
  readonly results: readonly Executed[];
}

export interface LogAnswer {
  readonly units: readonly UnitLog[];
}

export interface OrphansAnswer {
  readonly orphans: readonly OrphanAnswer[];
}

export interface OrphanAnswer {
  readonly provisioner: string;
  readonly node?: string;
  readonly name: string;
  readonly instance_id?: string;
  readonly key?: string;
  readonly first_seen_at: string;
  /** It has been seen for long enough to be removed. */
  readonly final: boolean;
  readonly condemned: boolean;
}

/** Of a request that was refused or has failed. */
export interface ErrorAnswer {
  /** The code of the refusal, `failed`, or what HTTP itself refuses. */
  readonly error: string;
  /** A sentence for people. */
  readonly description: string;
  readonly field?: string | undefined;
  /** What is behind a failure. */
  readonly detail?: string | undefined;
}
