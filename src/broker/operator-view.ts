import type { ServiceOffering, ServicePlan } from './catalog.ts';
import type { RequestContext } from './requests/context.ts';
import type { BrokerContext } from './context.ts';
import { Refusal } from './errors.ts';
import type { DrainNode, ForgetNode, RemoveOrphan } from './commands.ts';
import { summarize, tellEnd } from './events.ts';
import { dependencyIds } from './dependencies/ids.ts';
import type { Json } from './json.ts';
import { portOwner } from './key.ts';
import type { Node } from './nodes.ts';
import { declaredOfferings } from './on-sale.ts';
import type { MadeFrom } from './operations/plan-of.ts';
import { runsPrograms } from './operations/placement.ts';
import { type InstanceOwner, ownerOf } from './owner.ts';
import { certainAfter, type Suspect, type Scope } from './orphans.ts';
import { describeStatus, findNode } from './units/read-status.ts';
import type { Operation, ServiceInstance, TimelineEntry } from './records.ts';
import { type BindingState, describeBindingState, describeState, type StateWord } from './state.ts';
import type { Listed, ListedBinding, ListQuery } from './store.ts';
import type { InstanceStatus } from './status.ts';

/** What an operator sees of everything, and the few things to be done there. Nothing of it is confidential. */
export interface OperatorView {
  nodes(): Promise<readonly Node[]>;
  /** Refuses with not-found. */
  drain(command: DrainNode): Promise<void>;
  /** Refuses with not-found, and with conflict while the node lives or, unless it is abandoned, has instances. */
  forget(command: ForgetNode): Promise<void>;
  instances(query: InstancesQuery): Promise<readonly InstanceEntry[]>;
  /** Refuses with not-found. */
  instance(instanceId: string): Promise<InstanceDetails>;
  /** The plan that an instance was made from, also when it has left the catalog. */
  plan(instance: MadeFrom): Promise<ServicePlan>;
  offerings(): readonly OfferingEntry[];
  orphans(): Promise<readonly Suspect[]>;
  /** Refuses with not-found, and with conflict as long as the suspect is not final. */
  removeOrphan(command: RemoveOrphan): Promise<void>;
}

export interface InstancesQuery extends Omit<ListQuery, 'driftedFrom'> {
  /** Only those whose plan has changed since they were made or last updated. */
  readonly drifted?: boolean;
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
  readonly offering: Pick<ServiceOffering, 'id' | 'name' | 'description'>;
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
    async instances({ drifted = false, ...query }) {
      const now = declaredOfferings(core).flatMap(({ plans }) => plans);
      const asked = drifted ? { ...query, driftedFrom: now } : query;
      const [listed, nodes] = await Promise.all([core.store.list(asked), core.nodes.list()]);
      return listed.map((one) => entryOf(core, one, nodes));
    },
    instance: (instanceId) => detailsOf(core, instanceId),
    plan: (instance) => core.planOf(instance),
    offerings: () => offeringsOf(core),
    orphans: () => core.orphans.list(),
    removeOrphan: (command) => removeOrphan(core, command),
  };
}

function drain({ nodes, observe }: BrokerContext, { node, draining, origin }: DrainNode): Promise<void> {
  const summary = () => ({ kind: draining ? 'drain' : 'undrain', node }) as const;
  return tellEnd(observe, { origin, summary }, async () => {
    if (!(await nodes.drain(node, draining))) throw noNode(node);
  });
}

function forget(
  { nodes, observe }: BrokerContext,
  { node, abandon = false, origin }: ForgetNode,
): Promise<void> {
  const summary = () => ({ kind: abandon ? 'abandon' : 'forget', node }) as const;
  return tellEnd(observe, { origin, summary }, async () => {
    if (!(await nodes.forget(node, abandon))) throw notForgettable(node, await nodes.list());
  });
}

function noNode(name: string): Refusal {
  return new Refusal('not-found', `There is no node '${name}'.`, 'node');
}

function notForgettable(name: string, nodes: readonly Node[]): Refusal {
  const node = nodes.find((one) => one.name === name);
  if (!node) return noNode(name);
  const why = node.instances > 0 && node.stale ? `has ${countOf(node.instances)}` : 'is alive';
  return new Refusal('conflict', `The node '${name}' ${why}.`, 'node');
}

function countOf(instances: number): string {
  return instances === 1 ? 'a service instance' : `${instances} service instances`;
}

function entryOf(core: BrokerContext, listed: Listed, nodes: readonly Node[]): InstanceEntry {
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
    status: describeStatus({
      instance,
      operation,
      seen,
      node,
      name,
    }),
    // Of a plan that has left the catalog there is no newer revision.
    drifted: plan !== undefined && plan.revision !== instance.revision,
  };
}

async function detailsOf(core: RequestContext, instanceId: string): Promise<InstanceDetails> {
  const { store } = core;
  const [[listed], found, bindings, history, nodes] = await Promise.all([
    store.list({ instanceId, limit: 1 }),
    // Of one that cannot be read there is still everything else to be told.
    store.findInstance(instanceId).catch(unlessUnreadable),
    store.bindings(instanceId),
    store.history(instanceId, operationsShown),
    core.nodes.list(),
  ]);
  if (!listed) throw new Refusal('not-found', 'There is no service instance with this id.');
  const operations = history.map(async (operation) => ({
    operation: summarize(operation),
    timeline: await store.timeline(operation.id),
  }));
  return {
    ...entryOf(core, listed, nodes),
    account: await accountOf(core, listed.instance),
    neededBy: found?.neededBy ?? [],
    needs: found ? await heldBy(core, found.instance) : [],
    bound: bindings.map((one) => ({ ...one, state: describeBindingState(one, core.now()) })),
    operations: await Promise.all(operations),
  };
}

async function accountOf(
  core: RequestContext,
  instance: InstanceEntry['instance'],
): Promise<string | undefined> {
  const { place } = instance;
  if (!place) return undefined;
  const uid = await core.users.find(place.node, portOwner(instance));
  if (uid !== undefined) return String(uid);
  const plan = await core.planOf(instance).catch(() => undefined);
  return plan && runsPrograms(core, plan) ? 'shared' : undefined;
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof Refusal) || error.code !== 'unreadable') throw error;
}

async function heldBy(core: RequestContext, instance: ServiceInstance): Promise<readonly string[]> {
  // Of a plan that cannot be read any more there is still everything else to be told.
  const plan = await core.planOf(instance).catch(() => undefined);
  const needs = Object.entries(plan?.operating.dependencies ?? {});
  const held = needs.map(async ([name, need]) => {
    const { instanceId, bindingId } = dependencyIds(instance, name, need);
    return (await core.store.findBinding(instanceId, bindingId)).binding ? [instanceId] : [];
  });
  return (await Promise.all(held)).flat();
}

function offeringsOf({ catalog, hidden }: BrokerContext): readonly OfferingEntry[] {
  const concealed = hidden();
  const shown = catalog().offerings.filter(({ id }) => concealed.every(({ offering }) => offering.id !== id));
  return [
    ...shown.map((offering) => ({ offering: outlineOf(offering) })),
    ...concealed.map(({ offering, reason }) => ({ offering: outlineOf(offering), hidden: reason })),
  ];
}

function outlineOf({ id, name, description }: ServiceOffering): OfferingEntry['offering'] {
  return { id, name, description };
}

function removeOrphan(core: BrokerContext, { origin, name, ...where }: RemoveOrphan): Promise<void> {
  const summary = () => ({ kind: 'remove-orphan', name, ...where }) as const;
  return tellEnd(core.observe, { origin, summary }, () => approveRemoval(core, where, name));
}

async function approveRemoval({ orphans }: BrokerContext, where: Scope, name: string): Promise<void> {
  if (await orphans.approveRemoval(where, name)) return;
  const suspect = (await orphans.list()).find(
    ({ provisioner, node, resource: thing }) =>
      provisioner === where.provisioner && node === where.node && thing.name === name,
  );
  if (!suspect) throw new Refusal('not-found', 'There is no such orphan.');
  const since = suspect.firstSeenAt.toISOString();
  const certain = new Date(suspect.firstSeenAt.getTime() + certainAfter).toISOString();
  throw new Refusal(
    'conflict',
    `It was first seen at ${since}. It can be removed when it is still seen after ${certain}.`,
  );
}
