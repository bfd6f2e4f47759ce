import type { OperationSummary } from '../../broker/events.ts';
import type { JsonObject } from '../../broker/json.ts';
import { instanceKey } from '../../broker/key.ts';
import type { Node } from '../../broker/nodes.ts';
import type { Suspect } from '../../broker/orphans.ts';
import type {
  BindingEntry,
  InstanceDetails,
  InstanceEntry,
  OfferingEntry,
  OperationEntry,
} from '../../broker/operator-view.ts';
import type { QuotaEntry } from '../../broker/listing.ts';
import type { NamedBinding } from '../../broker/broker.ts';
import type { Operation } from '../../broker/records.ts';
import { declaredReply } from './actions/declared.ts';
import type {
  BindingAnswer,
  InstanceAnswer,
  InstanceDetailsAnswer,
  ListedBindingAnswer,
} from './wire/instances.ts';
import type { ActionAnswer, ListedOperationAnswer, OperationAnswer, StepAnswer } from './wire/operations.ts';
import type { NodeAnswer, OfferingAnswer, OrphanAnswer, QuotaAnswer } from './wire/broker.ts';

/** Every answer names its members, so nothing that is added to a record leaves by accident. */
export function nodeReply(node: Node): NodeAnswer {
  const { name, host, url, directory, ports, portsFree, capacity, used, instances, executables } = node;
  return {
    name,
    state: stateOf(node),
    host,
    url,
    directory,
    ports: `${ports.first}-${ports.last}`,
    ports_free: portsFree,
    capacity,
    used,
    instances,
    executables,
    isolation: node.isolation,
    accounts: node.accounts,
    limits: node.limits,
    beat_at: node.beatAt.toISOString(),
  };
}

function stateOf({ stale, draining }: Node): NodeAnswer['state'] {
  if (stale) return 'down';
  return draining ? 'draining' : 'up';
}

export function offeringReply({ offering, hidden }: OfferingEntry): OfferingAnswer {
  const { id, name, description } = offering;
  return { id, name, description, on_sale: hidden === undefined, hidden };
}

export function quotaReply({ quota, offering, plan, uses }: QuotaEntry): QuotaAnswer {
  const { per, instances, cost } = quota;
  return {
    offering,
    plan,
    from: quota.from ?? 'the offering file',
    per,
    instances,
    cost,
    uses: uses.map(({ owner, name, exception, ...used }) => ({
      owner,
      name,
      instances: used.instances,
      cost: used.cost,
      exception: exception && { instances: exception.instances, cost: exception.cost, from: exception.from },
    })),
  };
}

export function instanceReply(entry: InstanceEntry): InstanceAnswer {
  const { instance, owner, requester, operation, offering, plan, state, status, drifted, bindings } = entry;
  return {
    id: instance.id,
    key: instanceKey(instance),
    offering,
    offering_id: instance.offeringId,
    plan,
    plan_id: instance.planId,
    state,
    status: status.status,
    reason: status.reason,
    units: status.units.map(({ unit, since, pid, address, ...seen }) => ({
      unit,
      status: seen.status,
      reason: seen.reason,
      since,
      pid,
      address,
    })),
    addresses: status.addresses,
    checked_at: status.checkedAt,
    left_alone: status.leftAlone,
    stopped: instance.stopped ?? false,
    stopped_units: instance.stoppedUnits ?? [],
    drifted,
    kept_until: instance.keptUntil?.toISOString(),
    protected_from: instance.protectedFrom?.toISOString(),
    node: instance.place?.node,
    cost: instance.place?.cost,
    bindings,
    lost: instance.lost && { node: instance.lost.node, at: instance.lost.at.toISOString() },
    parent: instance.parent,
    name: owner.name,
    platform: owner.platform,
    organization: owner.organization,
    organization_guid: owner.organizationGuid,
    space: owner.space,
    space_guid: owner.spaceGuid,
    requester,
    operation: operation && operationReply(operation),
    created_at: instance.createdAt.toISOString(),
    updated_at: instance.updatedAt.toISOString(),
  };
}

export function detailsReply(details: InstanceDetails): InstanceDetailsAnswer {
  const { account, actions, neededBy, needs, bound, operations } = details;
  return {
    ...instanceReply(details),
    account,
    actions: declaredReply(actions),
    needed_by: neededBy,
    needs,
    bound: bound.map(bindingReply),
    operations: operations.map(({ operation, timeline }) => ({
      ...operationReply(operation),
      timeline: timeline.map(timelineReply),
    })),
  };
}

function bindingReply({ binding, state, operation }: BindingEntry): BindingAnswer {
  const { id, appGuid, route, predecessorId, dependent, context, expiresAt, createdAt } = binding;
  return {
    id,
    state,
    app_guid: appGuid,
    route,
    predecessor_binding_id: predecessorId,
    needed_by: dependent,
    context: namesIn(context),
    operation: operation && operationReply(operation),
    created_at: createdAt.toISOString(),
    expires_at: expiresAt?.toISOString(),
  };
}

export function listedBindingReply(entry: NamedBinding): ListedBindingAnswer {
  const { instance, offering, plan } = entry;
  return {
    ...bindingReply(entry),
    instance_id: instance.id,
    offering,
    offering_id: instance.offeringId,
    plan,
    plan_id: instance.planId,
  };
}

/** By what people know that which is bound; platforms put all kinds of things beside these. */
const names = [
  'platform',
  'organization_name',
  'space_name',
  'namespace',
  'app_name',
  'job_name',
  'binding_name',
];

function namesIn(context: JsonObject): BindingAnswer['context'] {
  const told = names.filter((name) => Object.hasOwn(context, name) && typeof context[name] === 'string');
  return Object.fromEntries(told.map((name) => [name, context[name] as string]));
}

export function acceptedReply(operation: Operation): ActionAnswer {
  return { operation: operationReply(operation) };
}

export function operationReply(operation: Omit<Operation, 'confidential'>): OperationAnswer {
  const { id, kind, state, bindingId, node, holder, attempt, failures, trouble, note, failure, origin } =
    operation;
  return {
    id,
    kind,
    action: operation.action,
    state,
    binding_id: bindingId,
    node,
    holder,
    attempt,
    failures,
    trouble,
    left: kind === 'deprovision' && state === 'succeeded' ? trouble : undefined,
    cancelled: operation.cancelled !== undefined && state === 'in progress' ? true : undefined,
    note,
    failure: failure && { word: failure.word, sentence: failure.sentence, detail: failure.detail },
    asked_by: { protocol: origin.protocol, principal: origin.principal, request: origin.requestId },
    requester: origin.identity,
    created_at: operation.createdAt.toISOString(),
    finished_at: operation.finishedAt?.toISOString(),
    deadline: operation.deadline?.toISOString(),
  };
}

export function listedOperationReply(operation: OperationSummary): ListedOperationAnswer {
  const { instanceId, offeringId, planId } = operation;
  return {
    ...operationReply(operation),
    instance_id: instanceId,
    offering_id: offeringId,
    plan_id: planId,
  };
}

function timelineReply({ step, tries, undo, ms, endedAt }: OperationEntry['timeline'][number]): StepAnswer {
  return { step, tries, undo, ms, ended_at: endedAt.toISOString() };
}

export function orphanReply({
  provisioner,
  node,
  resource: thing,
  firstSeenAt,
  final,
  removalApproved: condemned,
}: Suspect): OrphanAnswer {
  const { name, instanceId, key } = thing;
  return {
    provisioner,
    node,
    name,
    instance_id: instanceId,
    key,
    first_seen_at: firstSeenAt.toISOString(),
    final,
    condemned,
  };
}
