import { auditEntry } from '../audit.ts';
import type { ServicePlan } from '../catalog.ts';
import type { LinkDashboard } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { tellEnd } from '../events.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { instanceKey } from '../key.ts';
import { declaredOfferings } from '../on-sale.ts';
import type { RequestContext } from './context.ts';
import { knownParameters } from './parameters.ts';
import type { ServiceInstance } from '../records.ts';
import { describeState } from '../state.ts';
import { renderKnown } from '../template.ts';
import { needsFacts, templateValues } from '../template-values.ts';

/**
 * Where the dashboard of an instance is, when that is known only once it is made. `none`: there is no such instance,
 * or it has no such dashboard. `not there`: the instance is being made, or is at rest.
 */
export type Dashboard = 'none' | 'not there' | { readonly address: string };

/** What the broker tells of dashboards. */
export interface Dashboards {
  /** Where the dashboard of an instance is, for everybody who asks. */
  dashboard(instanceId: string): Promise<Dashboard>;
  /** What the broker's own dashboard shows; undefined: there is no such instance, or its offering has none. */
  owned(instanceId: string): Promise<OwnedInstance | undefined>;
  /** Refuses with not-found, and with conflict when its offering has no dashboards. */
  dashboardLink(command: LinkDashboard): Promise<DashboardLink>;
}

export function dashboardsOf(core: RequestContext): Dashboards {
  return {
    dashboard: (instanceId) => findDashboard(core, instanceId),
    owned: (instanceId) => findOwned(core, instanceId),
    dashboardLink: (command) => linkDashboard(core, command),
  };
}

/** Nothing but the address is told. */
async function findDashboard(core: RequestContext, instanceId: string): Promise<Dashboard> {
  const found = await core.store.findInstance(instanceId);
  const state = describeState(found);
  if (!found || ['failed', 'lost', 'deprovisioning'].includes(state)) return 'none';
  const { instance } = found;
  return addressOf(await core.planOf(instance), instance, core.settings.url);
}

function addressOf(plan: ServicePlan, instance: ServiceInstance, url: string): Dashboard {
  const { dashboard } = plan.making.answer;
  if (typeof dashboard !== 'string' || !needsFacts(dashboard)) return 'none';
  if (!instance.ready || instance.stopped) return 'not there';
  const address = filledAddress(dashboard, plan, instance, url);
  return address === undefined ? 'not there' : { address };
}

/** What the first answer says in its place: an address of the broker that leads there when it exists. */
export function addressUntilMade(instance: Pick<ServiceInstance, 'id'>, url: string): string {
  return `${url}/dashboard/${encodeURIComponent(instance.id.toWellFormed())}`;
}

/** Undefined where it comes to no address of the web: a browser is sent nowhere else. */
function filledAddress(
  template: string,
  plan: ServicePlan,
  instance: ServiceInstance,
  url: string,
): string | undefined {
  // Not known is what the hook tells now, of an instance that was made before it did.
  const rendered = renderKnown(template, templateValues(plan, instance, undefined, url));
  const address = typeof rendered === 'string' && URL.canParse(rendered) ? new URL(rendered) : undefined;
  if (!address || !/^https?:$/.test(address.protocol)) return undefined;
  // Whoever asks would have a login in it.
  return address.username || address.password ? undefined : address.href;
}

/** What the broker's own page of an instance needs beside what operators see. */
export interface OwnedInstance {
  /** Of this life of its id. */
  readonly key: string;
  /** What its users have said, as far as its plan knows it. */
  readonly parameters: JsonObject;
  /** By which they are judged. */
  readonly schema?: JsonObject | undefined;
  /** As its offering file has it. */
  readonly client?: JsonObject | undefined;
  /** Is there a way to back it up? */
  readonly hasBackups: boolean;
  /** Its service has a page of its own there. */
  readonly address?: string | undefined;
}

async function findOwned(core: RequestContext, instanceId: string): Promise<OwnedInstance | undefined> {
  const found = await core.store.findInstance(instanceId);
  if (!found) return undefined;
  const { instance } = found;
  const plan = await core.planOf(instance);
  if (plan.making.answer.dashboard === false) return undefined;
  const offering = declaredOfferings(core).find(({ id }) => id === instance.offeringId);
  const own = addressOf(plan, instance, core.settings.url);
  return {
    key: instanceKey(instance),
    parameters: knownParameters(core, plan, 'provision', instance.confidential.parameters),
    schema: schemaOfCreate(plan),
    client: offering?.dashboardClient,
    hasBackups: plan.operating.hooks['backup'] !== undefined,
    address: typeof own === 'object' ? own.address : undefined,
  };
}

function schemaOfCreate({ schemas }: ServicePlan): JsonObject | undefined {
  let inner: Json | undefined = schemas;
  for (const name of ['service_instance', 'create', 'parameters'])
    inner = isObject(inner) ? inner[name] : undefined;
  return isObject(inner) ? inner : undefined;
}

/** An address that opens a dashboard for whoever has it, until then. */
export interface DashboardLink {
  readonly url: string;
  readonly until: Date;
}

/** What lies sealed in such an address. */
export interface LinkClaim {
  readonly instanceId: string;
  /** Of this life of its id: who has the link of a former one sees nothing. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** The purpose that links are sealed for. */
export const linkPurpose = 'dashboard link';

function linkDashboard(
  core: RequestContext,
  { instanceId, forMs, origin }: LinkDashboard,
): Promise<DashboardLink> {
  const until = new Date(core.now().getTime() + forMs);
  const summary = () => ({ kind: 'dashboard-link', instanceId, forMs }) as const;
  return tellEnd(core.observe, { origin, summary }, async () => {
    const found = await core.store.findInstance(instanceId);
    if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
    const owned = await findOwned(core, instanceId);
    if (!owned) throw new Refusal('conflict', 'The offering of the service instance has no dashboards.');
    const claim: LinkClaim = { instanceId, key: owned.key, until: until.getTime() };
    // It is in the trail before anybody has it.
    await core.store.audit.record(
      auditEntry(core, origin, {
        verb: 'dashboard-link',
        object: { kind: 'instance', instanceId },
        after: { until: until.toISOString() },
        outcome: 'succeeded',
      }),
    );
    const link = core.seals.seal(linkPurpose, JSON.stringify(claim));
    return { url: `${addressUntilMade({ id: instanceId }, core.settings.url)}?link=${link}`, until };
  });
}
