import { lostFailure } from '../../broker/state.ts';
import { staleAfter, type Demand, type Node, type Nodes } from '../../broker/nodes.ts';
import type { ServiceInstance } from '../../broker/records.ts';
import type { Opening, Placement } from '../../broker/store.ts';
import { quotaUse } from './quota.ts';
import { decidePlace, placedOpening, placementOf } from '../placement.ts';
import { concludeAudit, writeAudit } from './audit.ts';
import { open } from './open.ts';
import { bindingKey, bindingsOf, type NodeRow, type Row, type Tables } from './tables.ts';

export function nodesOf(tables: Tables): Nodes {
  const { nodes, now } = tables;
  return {
    async beat(profile, holder, machine) {
      const old = nodes.get(profile.name);
      const strange = old && old.holder !== holder && old.machine !== machine;
      if (strange && !isStale(tables, old)) return false;
      nodes.set(profile.name, { profile, holder, machine, draining: old?.draining ?? false, beatAt: now() });
      return true;
    },
    async leave(name, holder) {
      const row = nodes.get(name);
      if (row?.holder === holder) nodes.set(name, { ...row, holder: '' });
    },
    async drain(name, draining, audit) {
      const row = nodes.get(name);
      if (row) nodes.set(name, { ...row, draining });
      if (row) writeAudit(tables, audit);
      return row !== undefined;
    },
    async forget(name, abandon = false, audit) {
      const forgotten = forget(tables, name, abandon);
      if (forgotten) writeAudit(tables, audit);
      return forgotten;
    },
    states: async () => listNodes(tables),
    list: async () => listNodes(tables),
  };
}

function forget(tables: Tables, name: string, abandon: boolean): boolean {
  const row = tables.nodes.get(name);
  const instances = onNode(tables, name);
  if (!row || !isStale(tables, row) || (instances.length > 0 && !abandon)) return false;
  endAll(tables, name);
  for (const instance of instances) abandonOne(tables, instance);
  tables.nodes.delete(name);
  for (const [key, { node }] of tables.ports) if (node === name) tables.ports.delete(key);
  for (const [uid, { node }] of tables.users) if (node === name) tables.users.delete(uid);
  for (const [key, { node }] of tables.suspects) if (node === name) tables.suspects.delete(key);
  return true;
}

function endAll(tables: Tables, node: string): void {
  const { operations, now } = tables;
  for (const [id, queued] of operations) {
    const { holder: _holder, trouble: _trouble, ...operation } = queued.operation;
    if (operation.node !== node || operation.state !== 'in progress') continue;
    const finishedAt = new Date(now());
    const ended = {
      ...operation,
      state: 'failed',
      failure: lostFailure,
      finishedAt,
      confidential: {},
    } as const;
    operations.set(id, { ...queued, operation: ended });
    concludeAudit(tables, id, { outcome: 'failed', reason: lostFailure.word });
  }
}

function abandonOne(tables: Tables, { record }: Instance): void {
  const { place, ...rest } = record;
  const { id, key, version } = record;
  const at = new Date(tables.now());
  const lost = { node: place?.node ?? '', at, key };
  tables.instances.set(id, { record: { ...rest, lost, ready: false, version: version + 1, updatedAt: at } });
  tables.checks.delete(id);
  for (const { record: binding } of bindingsOf(tables, id))
    tables.bindings.delete(bindingKey(id, binding.id));
}

/** @param except an instance that is not counted */
function listNodes(tables: Tables, except?: string): readonly Node[] {
  const rows = [...tables.nodes.values()].toSorted((a, b) => (a.profile.name < b.profile.name ? -1 : 1));
  return rows.map((row) => {
    const { profile, draining, beatAt } = row;
    const own = onNode(tables, profile.name);
    const holding = own.filter((one) => holdsRoom(one) && one.record.id !== except);
    return {
      ...profile,
      draining,
      beatAt: new Date(beatAt),
      stale: isStale(tables, row),
      used: holding.reduce((sum, one) => sum + costOf(tables, one), 0),
      instances: own.length,
      portsFree: portsFree(tables, profile),
    };
  });
}

type Instance = Row<ServiceInstance>;

function onNode({ instances }: Tables, node: string): readonly Instance[] {
  return [...instances.values()].filter(({ record }) => record.place?.node === node);
}

export function holdersOf({ instances }: Tables): readonly Instance[] {
  return [...instances.values()].filter(holdsRoom);
}

/** A create that failed holds nothing. */
function holdsRoom({ record, operationId }: Instance): boolean {
  return record.ready || operationId !== undefined;
}

export function costOf({ operations }: Tables, { record, operationId = '' }: Instance): number {
  return Math.max(record.place?.cost ?? 0, operations.get(operationId)?.cost ?? 0);
}

function isStale({ now }: Tables, { beatAt, holder }: NodeRow): boolean {
  return holder === '' || now() - beatAt > staleAfter;
}

function portsFree({ ports, now }: Tables, { name, ports: { first, last } }: NodeRow['profile']): number {
  const busy = [...ports.values()].filter(
    ({ node, port, freeAt = Infinity }) => node === name && port >= first && port <= last && freeAt > now(),
  );
  return last - first + 1 - busy.length;
}

export function place(tables: Tables, opening: Opening, demand: Demand): Placement {
  const { instanceId, offeringId } = opening.operation;
  const holders = holdersOf(tables).filter(({ record }) => record.id !== instanceId);
  const supply = {
    nodes: listNodes(tables, instanceId),
    instances: holders.filter(({ record }) => record.offeringId === offeringId).length,
    uses: (demand.quotas ?? []).map((claim) =>
      quotaUse(tables, holders, claim, (one) => costOf(tables, one)),
    ),
  };
  const decided = decidePlace(opening, demand, supply);
  if ('short' in decided) return decided;
  const placed = placedOpening(opening, demand, decided.node);
  return open(tables, placed, demand.room?.cost) ? placementOf(placed) : 'stale';
}
