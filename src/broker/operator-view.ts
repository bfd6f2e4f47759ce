import type { AuditPage, AuditQuery } from './audit.ts';
import type { PlanAction, ServiceOffering, ServicePlan } from './catalog.ts';
import type { RequestContext } from './requests/context.ts';
import type { BrokerContext } from './context.ts';
import { Refusal } from './errors.ts';
import type { DrainNode, ForgetNode, RemoveOrphan } from './commands.ts';
import { type OperationSummary, summarize } from './events.ts';
import type { Json } from './json.ts';
import type { Node, NodeState } from './nodes.ts';
import { declaredOfferings } from './on-sale.ts';
import type { MadeFrom } from './operations/plan-of.ts';
import {
  type InstanceOwner,
  type ListQuery,
  type OperationsQuery,
  ownerOf,
  type Listed,
  type ListedBinding,
} from './listing.ts';
import { heldBy } from './dependencies/held-by.ts';
import { portOwner } from './key.ts';
import { runsPrograms } from './operations/placement.ts';
import type { Suspect } from './orphans.ts';
import { drain, forget } from './requests/operate-nodes.ts';
import type { QuotaEntry } from './listing.ts';
import { listQuotas } from './operations/quota.ts';
import { removeOrphan } from './requests/remove-orphan.ts';
import { describeStatus, findNode } from './units/read-status.ts';
import type { Operation, ServiceInstance, TimelineEntry } from './records.ts';
import { type BindingState, describeBindingState, describeState, type StateWord } from './state.ts';
import type { InstanceStatus } from './units/status.ts';
import type { UnitStatus } from './units.ts';

/** What an operator sees of everything, and the few things to be done there. Nothing of it is confidential. */
export interface OperatorView {
  nodes(): Promise<readonly Node[]>;
  /** Refuses with not-found. */
  drain(command: DrainNode): Promise<void>;
  /** Refuses with not-found, and with conflict while the node lives or, unless it is abandoned, has instances. */
  forget(command: ForgetNode): Promise<void>;
  instances(query: InstancesQuery): Promise<readonly InstanceEntry[]>;
  /** A page of them; with a status it may hold fewer than there are, and `next` all the same. */
  instancePage(query: InstancePageQuery): Promise<InstancePage>;
  /** The latest first. Refuses with invalid an `after` that is not the `next` of a page. */
  operations(query: OperationsQuery): Promise<ListedOperations>;
  /** Refuses with not-found. */
  instance(instanceId: string): Promise<InstanceDetails>;
  /** The plan that an instance was made from, also when it has left the catalog. */
  plan(instance: MadeFrom): Promise<ServicePlan>;
  offerings(): readonly OfferingEntry[];
  /** Of every offering, and what is in use of each. */
  quotas(): Promise<readonly QuotaEntry[]>;
  orphans(): Promise<readonly Suspect[]>;
  /** Refuses with not-found, and with conflict as long as the suspect is not final. */
  removeOrphan(command: RemoveOrphan): Promise<void>;
  audit(query: AuditQuery): Promise<AuditPage>;
}

export interface InstancesQuery extends Omit<ListQuery, 'driftedFrom'> {
  /** Only those whose plan has changed since they were made or last updated. */
  readonly drifted?: boolean;
}

export interface InstancePageQuery extends InstancesQuery {
  readonly status?: UnitStatus;
}

export interface InstancePage {
  readonly entries: readonly InstanceEntry[];
  /** The `after` of the page that follows; absent: this is the last. */
  readonly next?: string;
}

export interface ListedOperations {
  readonly operations: readonly OperationSummary[];
  readonly next?: string;
}

export interface InstanceEntry extends Omit<Listed, 'instance'> {
  readonly instance: Omit<ServiceInstance, 'confidential'>;
  readonly owner: InstanceOwner;
  /** The originating identity of who had it made; absent: nobody has said, or it cannot be read. */
  readonly requester?: Json;
  readonly state: StateWord;
  /** By name, as far as the catalog knows them. */
  readonly offering: string;
  readonly plan: string;
  readonly status: InstanceStatus;
  /** The plan has changed since the instance was made or last updated. */
  readonly drifted: boolean;
}

export interface InstanceDetails extends InstanceEntry {
  /** As whom its programs run: the number of a user of its own, or `shared`; absent: it runs none on a node. */
  readonly account?: string;
  readonly neededBy: readonly string[];
  /** What its offering declares, by name. */
  readonly actions: Readonly<Record<string, PlanAction>>;
  /** The instances that it holds for its own use. */
  readonly needs: readonly string[];
  /** Those that failed too, in the order in which they were made. */
  readonly bound: readonly BindingEntry[];
  /** The latest first. */
  readonly operations: readonly OperationEntry[];
}

export interface BindingEntry extends ListedBinding {
  readonly state: BindingState;
}

export interface OperationEntry {
  readonly operation: Omit<Operation, 'confidential'>;
  readonly timeline: readonly TimelineEntry[];
}

export interface OfferingEntry {
  readonly offering: Pick<ServiceOffering, 'id' | 'name' | 'description'> & {
    readonly plans: readonly Pick<ServicePlan, 'id' | 'name'>[];
  };
  /** Why it is not in the catalog, as a sentence; absent: it is. */
  readonly hidden?: string;
}

/** Operations of one instance that are told with their timelines. */
const operationsShown = 20;

export function createOperatorView(core: RequestContext): OperatorView {
  return {
    nodes: () => core.nodes.list(),
    drain: (command) => drain(core, command),
    forget: (command) => forget(core, command),
    instances: (query) => instancesOf(core, query),
    instancePage: (query) => pageOf(core, query),
    async operations(query) {
      const { operations, next } = await core.store.listOperations(query);
      return { operations: operations.map(summarize), next };
    },
    instance: (instanceId) => detailsOf(core, instanceId),
    plan: (instance) => core.planOf(instance),
    offerings: () => offeringsOf(core),
    quotas: () => listQuotas(core),
    orphans: () => core.orphans.list(),
    removeOrphan: (command) => removeOrphan(core, command),
    audit: (query) => core.store.audit.list(query),
  };
}

async function instancesOf(
  core: RequestContext,
  { drifted = false, ...query }: InstancesQuery,
): Promise<readonly InstanceEntry[]> {
  const now = declaredOfferings(core).flatMap(({ plans }) => plans);
  const asked = drifted ? { ...query, driftedFrom: now } : query;
  const [listed, nodes] = await Promise.all([core.store.list(asked), core.nodes.states()]);
  return listed.map((one) => entryOf(core, one, nodes));
}

/** Instances that are looked at for one page of a status: how they are is said by more than their rows. */
const mostLookedAt = 1000;

async function pageOf(core: RequestContext, { status, ...query }: InstancePageQuery): Promise<InstancePage> {
  const limit = status === undefined ? query.limit : mostLookedAt;
  const found = await instancesOf(core, { ...query, limit });
  const fit = status === undefined ? found : found.filter((one) => one.status.status === status);
  const entries = fit.slice(0, query.limit);
  const isAll = found.length < limit && entries.length === fit.length;
  const last = entries.length === query.limit ? entries.at(-1) : found.at(-1);
  return { entries, next: isAll ? undefined : last?.instance.id };
}

/** An instance as operators see it in a list. */
function entryOf(core: BrokerContext, listed: Listed, nodes: readonly NodeState[]): InstanceEntry {
  const { operation, seen } = listed;
  const { confidential, ...instance } = listed.instance;
  const offering = declaredOfferings(core).find(({ id }) => id === instance.offeringId);
  const plan = offering?.plans.find(({ id }) => id === instance.planId);
  const name = offering?.name ?? instance.offeringId;
  const node = instance.place && findNode(nodes, instance.place.node);
  return {
    ...listed,
    instance,
    owner: ownerOf(instance),
    requester: confidential.requester,
    state: describeState(listed),
    offering: name,
    plan: plan?.name ?? instance.planId,
    status: describeStatus({ instance, operation, seen, node, name }),
    // Of a plan that has left the catalog there is no newer revision.
    drifted: plan !== undefined && plan.revision !== instance.revision,
  };
}

/** The same with all that belongs to it. @throws Refusal not-found */
async function detailsOf(core: RequestContext, instanceId: string): Promise<InstanceDetails> {
  const { store } = core;
  const [[listed], found, bindings, history, nodes] = await Promise.all([
    store.list({ instanceId, limit: 1 }),
    // Of one that cannot be read there is still everything else to be told.
    store.findInstance(instanceId).catch(unlessUnreadable),
    store.bindings(instanceId),
    store.history(instanceId, operationsShown),
    core.nodes.states(),
  ]);
  if (!listed) throw new Refusal('not-found', 'There is no service instance with this id.');
  const plan = await core.planOf(listed.instance).catch(() => undefined);
  const operations = history.map(async (operation) => ({
    operation: summarize(operation),
    timeline: await store.timeline(operation.id),
  }));
  return {
    ...entryOf(core, listed, nodes),
    account: await accountOf(core, listed.instance, plan),
    actions: plan?.actions ?? {},
    neededBy: found?.neededBy ?? [],
    needs: found ? await heldBy(core, found.instance) : [],
    bound: bindings.map((one) => ({ ...one, state: describeBindingState(one, core.now()) })),
    operations: await Promise.all(operations),
  };
}

async function accountOf(
  core: RequestContext,
  instance: InstanceEntry['instance'],
  plan: ServicePlan | undefined,
): Promise<string | undefined> {
  const { place } = instance;
  if (!place) return undefined;
  const uid = await core.users.find(place.node, portOwner(instance));
  if (uid !== undefined) return String(uid);
  return plan && runsPrograms(core, plan) ? 'shared' : undefined;
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof Refusal) || error.code !== 'unreadable') throw error;
}

function offeringsOf({ catalog, hidden }: BrokerContext): readonly OfferingEntry[] {
  const concealed = hidden();
  const shown = catalog().offerings.filter(({ id }) => concealed.every(({ offering }) => offering.id !== id));
  return [
    ...shown.map((offering) => ({ offering: outlineOf(offering) })),
    ...concealed.map(({ offering, reason }) => ({ offering: outlineOf(offering), hidden: reason })),
  ];
}

function outlineOf({ id, name, description, plans }: ServiceOffering): OfferingEntry['offering'] {
  return { id, name, description, plans: plans.map((plan) => ({ id: plan.id, name: plan.name })) };
}
