import type { QuotaClaim, QuotaShortage, QuotaUse } from '../broker/listing.ts';
import { type Demand, type Node, type Shortage, takesPrograms } from '../broker/nodes.ts';
import type { Operation, ServiceInstance } from '../broker/records.ts';
import { recordIn, type Opening, type Placement } from '../broker/store.ts';

/** What there is when room is sought. */
export interface Supply {
  readonly nodes: readonly Supplier[];
  /** Instances of the offering, without the one that seeks, and without creates that failed. */
  readonly instances: number;
  /** Of what each quota of the demand counts, in the same way. */
  readonly uses: readonly QuotaUse[];
}

/** `used` is without the instance that seeks. */
export type Supplier = Pick<
  Node,
  'name' | 'executables' | 'isolation' | 'allowsUnisolated' | 'capacity' | 'draining' | 'stale' | 'used'
>;

/** The limit that is in the way, the most general one first; else the node, if it shall be on one. */
export function decidePlace(
  opening: Opening,
  { maxInstances, quotas = [], room, here }: Demand,
  { nodes, instances, uses }: Supply,
): { readonly short: Shortage } | { readonly node?: string } {
  // Only a new instance is one more.
  if (maxInstances !== undefined && opening.operation.kind === 'provision' && instances >= maxInstances) {
    return { short: { of: 'instances', limit: maxInstances } };
  }
  for (const [index, claim] of quotas.entries()) {
    const short = quotaShortage(claim, uses[index] ?? { instances: 0, cost: 0 });
    if (short) return { short };
  }
  if (!room) return {};
  const { cost, executables: needs, runsPrograms, on } = room;
  const open = nodes.filter(({ name, draining, stale }) =>
    on === undefined ? !draining && !stale : name === on,
  );
  if (open.length === 0) return { short: { of: 'nodes' } };
  const equipped = open.filter(
    ({ executables }) => on !== undefined || needs.every((one) => executables.includes(one)),
  );
  if (equipped.length === 0) return { short: { of: 'executables', needs } };
  const able = equipped.filter((node) => on !== undefined || !runsPrograms || takesPrograms(node));
  if (able.length === 0) return { short: { of: 'isolation' } };
  const roomy = able.filter((node) => cost <= freeOn(node) || cost <= heldBy(opening, node.name));
  const [best] = roomy.toSorted(
    (a, b) =>
      freeOn(b) - freeOn(a) ||
      Number(b.name === here) - Number(a.name === here) ||
      (a.name < b.name ? -1 : 1),
  );
  return best ? { node: best.name } : { short: { of: 'capacity', cost } };
}

/** Who takes no more than he has is never refused, even where the quota has become smaller. */
function quotaShortage(claim: QuotaClaim, use: QuotaUse): QuotaShortage | undefined {
  const { instances, cost } = claim.quota;
  if (instances !== undefined && claim.isNew && use.instances >= instances)
    return { of: 'quota', claim, by: 'instances', limit: instances, used: use.instances };
  if (cost !== undefined && claim.cost > claim.held && use.cost + claim.cost > cost)
    return { of: 'quota', claim, by: 'cost', limit: cost, used: use.cost };
  return undefined;
}

function freeOn({ capacity, used }: Supplier): number {
  return capacity - used;
}

/** Who takes no more than he has is never refused, even on a node that has become smaller. */
function heldBy({ instance }: Opening, node: string): number {
  const { ready, place } = recordIn<ServiceInstance>(instance);
  return ready && place?.node === node ? place.cost : 0;
}

/** The opening with the place that was found for it. */
export function placedOpening(opening: Opening, { room, here }: Demand, node: string | undefined): Opening {
  const { instance, operation } = opening;
  if (node === undefined || !room || !('put' in instance)) return opening;
  return {
    ...opening,
    operation: node === here ? operation : unheld(operation),
    instance: { put: { ...instance.put, place: { node, cost: costNow(opening, room.cost) } } },
  };
}

/** An instance takes what it will cost from the beginning, but for an update: until it has succeeded, it may fail. */
function costNow({ instance, operation }: Opening, cost: number): number {
  const { place } = recordIn<ServiceInstance>(instance);
  return operation.kind === 'update' && operation.state === 'in progress' ? (place?.cost ?? cost) : cost;
}

function unheld({ holder: _holder, attempt, ...operation }: Operation): Operation {
  return { ...operation, attempt: operation.state === 'in progress' ? 0 : attempt };
}

/** The records as `open` has written them. */
export function placementOf({ instance, operation }: Opening): Placement {
  const record = recordIn<ServiceInstance>(instance);
  const placed = 'put' in instance ? { ...record, version: record.version + 1 } : record;
  return { placed, operation: record.place ? { ...operation, node: record.place.node } : operation };
}
