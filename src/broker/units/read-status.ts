import type { RequestContext } from '../requests/context.ts';
import { Refusal } from '../errors.ts';
import { inspectInstance, nameOf, restate, unitsLastSeen } from './inspect.ts';
import type { NodeState } from '../nodes.ts';
import type { Operation, ServiceInstance } from '../records.ts';
import { type InstanceStatus, isStarting, statusOfUnits } from './status.ts';
import type { Seen, UnitStatus } from '../units.ts';

/**
 * How an instance is, as it was last seen. When nobody has looked since its last operation, it is looked at now, if
 * it is of this node or of none.
 * @throws Refusal not-found
 */
export async function readStatus(core: RequestContext, instanceId: string): Promise<InstanceStatus> {
  const { store, nodes } = core;
  const [found, seen] = await Promise.all([store.findInstance(instanceId), store.findSeen(instanceId)]);
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  const { instance } = found;
  const node = instance.place && findNode(await nodes.states(), instance.place.node);
  const sight = {
    ...found,
    seen,
    node,
    name: nameOf(core, instance),
  };
  if (!mayLook(core, sight) || !isOutdated(sight)) return describeStatus(sight);
  const { units, isBlind } = await inspectInstance(core, sight);
  if (isBlind) return describeStatus(sight);
  return statusOfUnits(units, { checkedAt: core.now().toISOString() });
}

/** All that is known of how an instance is. */
export interface Sight {
  readonly instance: Omit<ServiceInstance, 'confidential'>;
  readonly operation?: Omit<Operation, 'confidential'>;
  readonly seen?: Seen;
  /** The node that it is of. */
  readonly node?: NodeSight;
  /** What its only unit is called when nobody has seen its units yet. */
  readonly name: string;
}

/** A node that tells of itself, or one that nobody knows any more. */
export type NodeSight = Pick<NodeState, 'name'> & Partial<Pick<NodeState, 'beatAt' | 'stale'>>;

/** As it was last seen, and as the rows say that it is. */
export function describeStatus(sight: Sight): InstanceStatus {
  const { instance, operation, seen, node, name } = sight;
  const all = (status: UnitStatus, reason: string, since: Date) =>
    statusOfUnits(
      unitsLastSeen(seen, name).map((unit) => restate(unit, { status, reason }, since.toISOString())),
      seen,
    );
  if (node && node.stale !== false) return all('down', silenceOf(node), node.beatAt ?? instance.updatedAt);
  if (operation?.kind === 'provision') return all('building', 'it is being made', operation.createdAt);
  if (operation?.kind === 'update') return all('building', 'it is being updated', operation.createdAt);
  if (!instance.ready && !operation)
    return all('error', whyUnready(instance), instance.lost?.at ?? instance.updatedAt);
  if (!instance.ready && operation) return all('stopped', 'it is being removed', operation.createdAt);
  if (!isLookedAt(sight)) return all('started', 'its provisioner cannot look', instance.updatedAt);
  if (!seen && !operation) return all('started', 'it was ready when it had been made', instance.updatedAt);
  const units = unitsLastSeen(seen, name).map((unit) => {
    const known = unit.since ? unit : { ...unit, since: instance.updatedAt.toISOString() };
    const isAwaited = isStarting(operation?.kind) && (unit.status === 'stopped' || unit.status === 'error');
    const since = operation?.createdAt.toISOString() ?? '';
    return isAwaited ? restate(known, { status: 'building', reason: 'it is being started' }, since) : known;
  });
  return statusOfUnits(units, seen);
}

/** A node that is not listed is one that nobody has heard of, since it began or for very long. */
export function findNode(nodes: readonly NodeState[], name: string): NodeSight {
  return nodes.find((node) => node.name === name) ?? { name };
}

function whyUnready({ lost }: Pick<ServiceInstance, 'lost'>): string {
  return lost ? `it was lost with its node ${lost.node}` : 'it could not be made';
}

function silenceOf({ name, beatAt }: NodeSight): string {
  if (!beatAt) return `its node ${name} is not known`;
  return `its node ${name} has not been heard of since ${beatAt.toISOString()}`;
}

/** Only of what a provisioner can look at somebody says how often. */
function isLookedAt({ instance }: Sight): boolean {
  return instance.checkEvery !== undefined;
}

function mayLook(core: RequestContext, sight: Sight): boolean {
  const { instance, operation, node } = sight;
  const isMade = instance.ready && operation?.kind !== 'update';
  return isMade && isLookedAt(sight) && isHere(core, instance) && (!node || node.stale === false);
}

/** Has nobody looked yet, or has something been done with the instance since? What is being done has raised it once. */
function isOutdated({ instance, operation, seen }: Sight): boolean {
  return seen?.version !== instance.version - (operation ? 1 : 0);
}

/** Can this broker itself do something with the instance's units? */
export function isHere(core: RequestContext, { place }: Pick<ServiceInstance, 'place'>): boolean {
  return place === undefined || place.node === core.settings.node;
}
