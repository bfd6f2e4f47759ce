import { Refusal } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import type { OperationKind } from './records.ts';
import type { BackupPolicy, Quota } from './policies.ts';
import type { RestartCause } from './units.ts';

/** What the platform must be able to give an application that binds (spec.md, Service Offering Object). */
export type Permission = 'syslog_drain' | 'route_forwarding' | 'volume_mount';

export interface ServiceOffering {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly permissions: readonly Permission[];
  readonly bindable: boolean;
  readonly instancesRetrievable: boolean;
  readonly bindingsRetrievable: boolean;
  readonly allowContextUpdates: boolean;
  readonly planUpdateable: boolean;
  readonly metadata?: JsonObject;
  /** Members of a vendor beside those of the specification, which they never take the place of. */
  readonly extensions?: JsonObject;
  readonly dashboardClient?: JsonObject;
  /** A command that succeeds with the credentials of a binding. */
  readonly prove?: Proof;
  readonly plans: readonly ServicePlan[];
}

/** A plan together with all that is needed to serve its instances; the offering's flags are already applied. */
export interface ServicePlan {
  readonly offeringId: string;
  readonly offeringName: string;
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly free: boolean;
  readonly bindable: boolean;
  readonly planUpdateable: boolean;
  readonly bindingRotatable: boolean;
  /** Of its offering, so that a plan which left the catalog still knows them; absent: false. */
  readonly instancesRetrievable?: boolean;
  readonly bindingsRetrievable?: boolean;
  readonly allowContextUpdates?: boolean;
  /** Seconds after which an operation is failed; the broker enforces it too. */
  readonly maximumPollingDuration?: number;
  readonly maintenanceInfo?: { readonly version: string; readonly description?: string };
  readonly metadata?: JsonObject;
  /** Of its offering and its own; they are for new instances, so a plan that left the catalog has none. */
  readonly quotas?: readonly Quota[];
  /** Are new instances protected against deletion? Milliseconds that deleted ones are kept; absent: none is. */
  readonly isProtected?: boolean;
  readonly keepDeleted?: number;
  /** As quotas, not of the definition. */
  readonly backup?: BackupPolicy;
  /** What operators can have done with its instances, by name; absent: nothing. */
  readonly actions?: Readonly<Record<string, PlanAction>>;
  /** Members of a vendor beside those of the specification, which they never take the place of. */
  readonly extensions?: JsonObject;
  /** The OSB `schemas` object as the market sees it. */
  readonly schemas?: JsonObject;
  /** Hash of `definition`: two plans with the same revision make the same thing. */
  readonly revision: string;
  /** All of the plan that decides how instances are made and served; enough to build this plan again. */
  readonly definition: JsonObject;
  readonly making: Making;
  readonly operating: Operating;
  readonly check: Readonly<Record<'provision' | 'update' | 'bind', ParameterCheck>>;
}

export interface PlanAction {
  /** Absent: the plan has been changed, and nobody has kept it. */
  readonly description?: string;
  /** JSON Schema of its parameters; absent: it has none. */
  readonly schema?: JsonObject;
  readonly check: ParameterCheck;
  readonly defaults: JsonObject;
  /** The secrets of an instance that it exchanges; absent: none. */
  readonly renews?: readonly string[];
}

/** Gives sentences that name each wrong parameter, or undefined when all is well. */
export interface ParameterCheck {
  (parameters: JsonObject): string | undefined;
  /** The names of those that the schema does not know at all; absent: it knows all. */
  readonly unknownIn?: (parameters: JsonObject) => readonly string[];
}

/** How a plan's instances are made: the second half of an offering file. Strings may hold templates. */
export interface Making {
  readonly provisioner: string;
  readonly config: JsonObject;
  /** What the plan fixes: `with:` in the file, `{{plan.x}}` in templates. */
  readonly settings: JsonObject;
  /** Values of parameters that the user left out. */
  readonly defaults: JsonObject;
  readonly secrets: Readonly<Record<string, SecretRule>>;
  /** Operations this plan does only asynchronously. */
  readonly asyncRequired: readonly OperationKind[];
  readonly requiresApp: boolean;
  readonly answer: AnswerTemplates;
}

/** What running things for years takes; times in milliseconds. */
export interface Operating {
  /** What an instance takes of its node's capacity. */
  readonly cost: number;
  /** Executables that a node must have. */
  readonly executables: readonly string[];
  /** Limits of single steps, by the step's name, where the offering sets them. */
  readonly timeouts: Readonly<Record<string, number>>;
  readonly monitor: Monitor;
  readonly hooks: Readonly<Record<string, Hook>>;
  /** Other offerings that each instance needs, by the name that `{{deps.<name>.x}}` uses. */
  readonly dependencies: Readonly<Record<string, Dependency>>;
  readonly maxInstances?: number;
  /** Absent: none. */
  readonly limits?: ResourceLimits;
  /** Do instances speak TLS, with a certificate of the broker's authority? Absent: they do not. */
  readonly tls?: boolean;
}

/** What an instance may take at most, its processes together; what is absent is not limited. */
export interface ResourceLimits {
  /** Bytes. */
  readonly memory?: number;
  /** Cores: 0.5 is half of the time of one. */
  readonly cpu?: number;
  /** Processes and threads. */
  readonly pids?: number;
  /** Files that each process may have open. */
  readonly files?: number;
  /** Bytes on disk. */
  readonly disk?: number;
}

export interface Monitor {
  readonly every: number;
  /** A unit without a process is started this often within `within`, then left alone; 0: never. */
  readonly restart: number;
  readonly within: number;
  /** For what a unit that lives is asked to end and started again; absent: for nothing. */
  readonly restartOn?: readonly RestartCause[];
}

/** An executable of the service author's, as an argument list; arguments and `env` may hold templates. */
export interface Hook {
  readonly run: readonly string[];
  /** Beside the environment that every hook has; not seen in the process list. */
  readonly env: Readonly<Record<string, string>>;
  /** Once per instance, ever. */
  readonly once: boolean;
  /** Milliseconds; absent: as long as its moment may take. */
  readonly timeout?: number;
}

/** Its `env` may hold templates of `credentials`, which it gets as JSON on its standard input too. */
export interface Proof extends Pick<Hook, 'run' | 'env'> {
  /** Must it fail when the binding is gone? Not where all bindings are given the same. */
  readonly revoked: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Either `plan`, for an instance of its own, or `instance`, the id of one that exists. */
export interface Dependency {
  readonly offering: string;
  readonly plan?: string;
  readonly instance?: string;
  readonly parameters: JsonObject;
}

export interface SecretRule {
  readonly per: 'instance' | 'binding';
  readonly length: number;
}

/** Templates of what the platform is answered. */
export interface AnswerTemplates {
  readonly dashboard?: string | false;
  readonly credentials?: JsonObject;
  readonly syslogDrainUrl?: string;
  readonly routeServiceUrl?: string;
  readonly volumeMounts?: readonly Json[];
  readonly endpoints?: readonly Json[];
  readonly instanceMetadata?: { readonly labels?: JsonObject; readonly attributes?: JsonObject };
  /** Seconds: from the bind to the expiry, and how long before the expiry a new binding should be made. */
  readonly bindingLifetime?: { readonly expiresAfter: number; readonly renewBefore?: number };
}

export interface Catalog {
  readonly offerings: readonly ServiceOffering[];
  readonly loadedAt: Date;
}

/** The plan of exactly this offering; a plan of another offering is refused. */
export function requirePlan(catalog: Catalog, offeringId: string, planId: string): ServicePlan {
  const offering = catalog.offerings.find(({ id }) => id === offeringId);
  if (!offering) {
    throw new Refusal(
      'invalid',
      `There is no service with the service_id '${show(offeringId)}'.`,
      'service_id',
    );
  }
  const plan = offering.plans.find(({ id }) => id === planId);
  if (!plan) {
    throw new Refusal(
      'invalid',
      `The plan_id '${show(planId)}' is not a plan of service '${offering.name}'.`,
      'plan_id',
    );
  }
  return plan;
}

/** The current plan with this id, whatever its revision, if it is still in the catalog. */
export function findPlan(catalog: Catalog, offeringId: string, planId: string): ServicePlan | undefined {
  return catalog.offerings.find(({ id }) => id === offeringId)?.plans.find(({ id }) => id === planId);
}

/** Only the version counts; the platform's description of it may differ (spec.md, Maintenance Info Object). */
export function requireCurrentMaintenance(plan: ServicePlan, version: string | undefined): void {
  if (version === undefined || version === plan.maintenanceInfo?.version) return;
  const current = plan.maintenanceInfo ? `version ${plan.maintenanceInfo.version}` : 'no maintenance version';
  throw new Refusal(
    'maintenance-conflict',
    `The maintenance_info.version does not match: the plan has ${current}. Fetch the catalog again.`,
    'maintenance_info.version',
  );
}

function show(id: string): string {
  return id.length > 80 ? `${id.slice(0, 80)}...` : id;
}
