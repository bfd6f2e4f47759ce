import { createHash } from 'node:crypto';
import type { Catalog, PlanAction, Proof, ServiceOffering, ServicePlan } from '../broker/catalog.ts';
import { canonicalJson, type JsonObject } from '../broker/json.ts';
import { type Quota, quotaScopes } from '../broker/policies.ts';
import { type Definition, definitionOf } from './definition.ts';
import {
  type ActionFile,
  type OfferingFile,
  type PlanView,
  planViews,
  type QuotaFile,
} from './form/offering-file.ts';
import { secondsOf } from './duration.ts';
import { defaultsOf, schemasOf } from './form/shorthand.ts';
import { mapValues } from './map-values.ts';
import { operatingOf } from './operating.ts';
import { parameterCheck } from './parameters.ts';
import type { Problem } from './problem.ts';

export interface LoadResult {
  /** Absent when there is an error. */
  readonly catalog?: Catalog;
  readonly problems: readonly Problem[];
}

/** Files that were read and judged, as plain values that can leave a thread, and be kept for the next start. */
export interface CheckedFiles {
  /** Absent when there is an error. */
  readonly texts?: readonly OfferingText[];
  readonly problems: readonly Problem[];
}

export interface OfferingText {
  /** JSON with the form of an OfferingFile. */
  readonly text: string;
  /** What lies in the files of its hooks, as a hash. */
  readonly hookFiles?: string;
}

/** What is left of a load when the files have been read and judged. */
export function compileFiles({ texts, problems }: CheckedFiles): LoadResult {
  if (!texts) return { problems };
  const offerings = texts.map(({ text, hookFiles }) =>
    compileOffering(JSON.parse(text) as OfferingFile, hookFiles),
  );
  return { catalog: { offerings, loadedAt: new Date() }, problems };
}

/**
 * The offering of a file that passed all checks.
 * @param hookFiles what lies in the files of its hooks, as a hash
 */
export function compileOffering(file: OfferingFile, hookFiles?: string): ServiceOffering {
  return { ...marketOf(file), plans: planViews(file).map((view) => compilePlan(file, view, hookFiles)) };
}

/** The same, with a pause after each plan in which others may have their turn. */
export async function compileInSlices(
  file: OfferingFile,
  hookFiles: string | undefined,
  pause: () => Promise<void>,
): Promise<ServiceOffering> {
  const plans: ServicePlan[] = [];
  for (const view of planViews(file)) {
    plans.push(compilePlan(file, view, hookFiles));
    await pause();
  }
  return { ...marketOf(file), plans };
}

function marketOf(file: OfferingFile): Omit<ServiceOffering, 'plans'> {
  return {
    id: file.id,
    name: file.name,
    description: file.description,
    tags: file.tags ?? [],
    permissions: [...new Set(file.requires)],
    bindable: file.bindable ?? true,
    instancesRetrievable: file.instances_retrievable ?? false,
    bindingsRetrievable: file.bindings_retrievable ?? false,
    allowContextUpdates: file.allow_context_updates ?? false,
    planUpdateable: file.plan_updateable ?? false,
    metadata: file.metadata,
    extensions: file.extensions,
    dashboardClient: file.dashboard_client,
    prove: proofOf(file),
  };
}

function proofOf({ prove }: OfferingFile): Proof | undefined {
  if (!prove) return undefined;
  const { run, env = {}, revoked = true, timeout = '30s' } = prove;
  return { run, env, revoked, timeout: secondsOf(timeout) * 1000 };
}

/**
 * Builds a plan again from a definition that was stored: the same revision, the same checks. What is only for
 * the market (description, cost, display metadata) is not in it.
 */
export function revivePlan(definition: JsonObject): ServicePlan {
  const { offering, plan, schemas, making, operating, actions } = definition as unknown as Definition;
  const { service_instance: instance, service_binding: binding } = schemas ?? {};
  return {
    offeringId: offering.id,
    offeringName: offering.name,
    id: plan.id,
    name: plan.name,
    description: '',
    free: true,
    bindable: plan.bindable,
    planUpdateable: plan.planUpdateable,
    bindingRotatable: plan.bindingRotatable,
    instancesRetrievable: offering.instancesRetrievable,
    bindingsRetrievable: offering.bindingsRetrievable,
    allowContextUpdates: offering.allowContextUpdates,
    maximumPollingDuration: plan.maximumPollingDuration,
    maintenanceInfo: plan.maintenanceVersion === undefined ? undefined : { version: plan.maintenanceVersion },
    schemas: schemas === undefined ? undefined : (schemas as JsonObject),
    revision: createHash('sha256').update(canonicalJson(definition)).digest('hex'),
    definition,
    making,
    operating: operatingOf(operating, making),
    check: {
      provision: parameterCheck(instance?.create?.parameters),
      update: parameterCheck(instance?.update?.parameters),
      bind: parameterCheck(binding?.create?.parameters),
    },
    ...(actions && { actions: mapValues(actions, actionOf) }),
  };
}

function actionOf(said: Omit<ActionFile, 'description'>): PlanAction {
  const schema = schemasOf(said)?.service_instance?.create?.parameters;
  return {
    schema,
    check: parameterCheck(schema ?? noParameters),
    defaults: defaultsOf(said),
    renews: said.renews,
  };
}

const noParameters = { type: 'object', additionalProperties: false };

function compilePlan(file: OfferingFile, view: PlanView, hookFiles: string | undefined): ServicePlan {
  const { description, free = true, metadata, extensions, maintenance_info: maintenanceInfo } = view.plan;
  const { protected: isProtected, keep_deleted: keep } = view.plan;
  const revived = revivePlan(definitionOf(file, view, hookFiles));
  return {
    ...revived,
    description,
    free,
    metadata,
    extensions,
    maintenanceInfo,
    ...quotasOf(file, view),
    ...(isProtected && { isProtected }),
    ...(keep !== undefined && { keepDeleted: secondsOf(keep) * 1000 }),
    ...backupOf(file, view),
    ...describedActions(file, revived),
  };
}

/** Not of the definition: who changes a quota does not want to make instances anew. */
function quotasOf({ quota: shared }: OfferingFile, { plan }: PlanView): Pick<ServicePlan, 'quotas'> {
  const all = [...quotasIn('offering', shared), ...quotasIn('plan', plan.quota)];
  return all.length > 0 ? { quotas: all } : {};
}

/** Not of the definition either. */
function backupOf({ backup: shared }: OfferingFile, { plan }: PlanView): Pick<ServicePlan, 'backup'> {
  if (!shared && !plan.backup) return {};
  const { every, keep = {} } = { ...shared, ...plan.backup };
  const ms = (duration: string | undefined) =>
    duration === undefined ? undefined : secondsOf(duration) * 1000;
  return { backup: { every: ms(every), keepCount: keep.count, keepFor: ms(keep.for) } };
}

/** Not of the definition: words for people. */
function describedActions(file: OfferingFile, { actions }: ServicePlan): Pick<ServicePlan, 'actions'> {
  if (!actions) return {};
  const described = ([name, action]: [string, PlanAction]) =>
    [name, { ...action, description: file.actions?.[name]?.description }] as const;
  return { actions: Object.fromEntries(Object.entries(actions).map(described)) };
}

function quotasIn(of: Quota['of'], quota: QuotaFile = {}): readonly Quota[] {
  return quotaScopes.flatMap((per) => {
    const amounts = quota[per];
    return amounts ? [{ of, per, ...amounts }] : [];
  });
}
