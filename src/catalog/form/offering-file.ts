import type { JsonObject } from '../../broker/json.ts';
import type { Permission } from '../../broker/catalog.ts';
import type { QuotaAmounts, QuotaScope } from '../../broker/policies.ts';
import type { OperationKind } from '../../broker/records.ts';
import type { RestartCause } from '../../broker/units.ts';
import type { LimitsFile } from '../limits.ts';
import type { hookNames } from './schema-words.ts';

/** An offering file that has the form of schema.ts; the names are the file's own. */
export interface OfferingFile extends PerPlan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags?: readonly string[];
  readonly requires?: readonly Permission[];
  readonly bindable?: boolean;
  readonly instances_retrievable?: boolean;
  readonly bindings_retrievable?: boolean;
  readonly allow_context_updates?: boolean;
  /** Its ids are in use, so advice on what they should have been is of no use. */
  readonly keeps_ids?: boolean;
  readonly plan_updateable?: boolean;
  readonly metadata?: JsonObject;
  readonly extensions?: JsonObject;
  readonly dashboard_client?: { readonly id: string; readonly secret: string; readonly redirect_uri: string };
  readonly plans: readonly PlanFile[];
  readonly provisioner: string;
  readonly config?: JsonObject;
  readonly secrets?: Readonly<
    Record<string, { readonly per?: 'instance' | 'binding'; readonly length?: number }>
  >;
  readonly timeouts?: Readonly<Partial<Record<HookName, string>>>;
  readonly monitor?: {
    readonly every?: string;
    readonly restart?: number;
    readonly within?: string;
    readonly restart_on?: readonly RestartCause[];
  };
  readonly hooks?: Readonly<Partial<Record<HookName, HookEntry>>>;
  readonly actions?: Readonly<Record<string, ActionFile>>;
  readonly prove?: Omit<HookEntry, 'once'> & { readonly revoked?: boolean };
  readonly requires_offerings?: Readonly<Record<string, DependencyEntry>>;
  readonly max_instances?: number;
  readonly quota?: QuotaFile;
  readonly backup?: BackupFile;
}

export interface PlanFile extends PerPlan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly free?: boolean;
  readonly bindable?: boolean;
  readonly plan_updateable?: boolean;
  readonly binding_rotatable?: boolean;
  readonly maximum_polling_duration?: number;
  readonly maintenance_info?: { readonly version: string; readonly description?: string };
  readonly metadata?: JsonObject;
  readonly extensions?: JsonObject;
  readonly with?: JsonObject;
  readonly cost?: number;
  readonly protected?: boolean;
  readonly keep_deleted?: string;
  readonly quota?: QuotaFile;
  /** Each key by itself in place of the offering's. */
  readonly backup?: BackupFile;
}

export interface ActionFile extends Pick<PerPlan, 'parameters'> {
  readonly description: string;
  /** Names of secrets. */
  readonly renews?: readonly string[];
}

export interface BackupFile {
  readonly every?: string;
  readonly keep?: { readonly count?: number; readonly for?: string };
}

/** For each of whom it is. */
export type QuotaFile = Readonly<Partial<Record<QuotaScope, QuotaAmounts>>>;

/** What an offering says for all of its plans and a plan may say for itself. */
export interface PerPlan {
  readonly parameters?: Readonly<Record<string, JsonObject>>;
  readonly schemas?: SchemasFile;
  readonly credentials?: JsonObject;
  readonly credentials_type?: string;
  readonly dashboard?: string | false;
  readonly syslog_drain_url?: string;
  readonly route_service_url?: string;
  readonly volume_mounts?: readonly JsonObject[];
  readonly endpoints?: readonly JsonObject[];
  readonly instance_metadata?: { readonly labels?: JsonObject; readonly attributes?: JsonObject };
  readonly binding_metadata?: { readonly expires_after: string; readonly renew_before?: string };
  /** In a plan each limit counts by itself in place of the offering's. */
  readonly limits?: LimitsFile;
  readonly tls?: boolean;
  readonly requires_app?: boolean;
  readonly async?: 'required' | readonly OperationKind[];
}

export interface SchemasFile {
  readonly service_instance?: { readonly create?: SchemaHolder; readonly update?: SchemaHolder };
  readonly service_binding?: { readonly create?: SchemaHolder };
}

interface SchemaHolder {
  readonly parameters?: JsonObject;
}

export type HookName = (typeof hookNames)[number];

export interface HookEntry {
  readonly run: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly once?: boolean;
  readonly timeout?: string;
}

export interface DependencyEntry {
  readonly offering: string;
  readonly plan?: string;
  readonly instance?: string;
  readonly parameters?: JsonObject;
}

/** One plan with all that holds for it, and where in the file each of these words stands. */
export interface PlanView {
  readonly plan: PlanFile;
  /** `plans[0]` */
  readonly at: string;
  readonly words: PerPlan;
  readonly bindable: boolean;
  placeOf(word: keyof PerPlan): string;
}

/** A plan as sentences call it: one whose name is none, which is told by itself, is only a plan. */
export function planCalled({ name }: { readonly name?: unknown }): string {
  return typeof name === 'string' ? `plan '${name}'` : 'plan';
}

/** The plans as they are, with the offering's words where they say nothing themselves. */
export function planViews(offering: OfferingFile): readonly PlanView[] {
  return offering.plans.map((plan, index) => {
    const at = `plans[${index}]`;
    const words = wordsOf(offering, plan);
    return {
      plan,
      at,
      words,
      bindable: plan.bindable ?? offering.bindable ?? true,
      placeOf: (word) => (plan[word] === undefined ? word : `${at}.${word}`),
    };
  });
}

function wordsOf(offering: OfferingFile, plan: PlanFile): PerPlan {
  // Parameters and schemas are two ways to say one thing: a plan that says either unsays both of the offering.
  const rules = (plan.parameters ?? plan.schemas) ? plan : offering;
  const words = [
    ...overridable.map((word) => [word, plan[word] ?? offering[word]] as const),
    ...(['parameters', 'schemas'] as const).map((word) => [word, rules[word]] as const),
    ['limits', offering.limits || plan.limits ? { ...offering.limits, ...plan.limits } : undefined] as const,
  ];
  return Object.fromEntries(words.filter(([, value]) => value !== undefined));
}

const overridable = [
  'credentials',
  'credentials_type',
  'dashboard',
  'syslog_drain_url',
  'route_service_url',
  'volume_mounts',
  'endpoints',
  'instance_metadata',
  'binding_metadata',
  'tls',
  'requires_app',
  'async',
] as const satisfies readonly (keyof PerPlan)[];
