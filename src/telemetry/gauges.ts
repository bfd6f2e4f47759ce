import { Gauge, type Registry } from 'prom-client';
import type { Node } from '../broker/nodes.ts';
import type { OperationKind } from '../broker/records.ts';
import { unitStatuses, type UnitStatus } from '../broker/units.ts';

/** What there is at one moment, of all brokers on the database. */
export interface Stock {
  readonly nodes: readonly Node[];
  /** By the status of their worst unit; none of which there are none. */
  readonly instances: readonly InstanceCount[];
  /** Instances of an older revision of their plan than that of the catalog, by offering. */
  readonly drifted: ReadonlyMap<string, number>;
  readonly units: Readonly<Record<UnitStatus, number>>;
  /** Things without an instance: `suspect` after one look, `final` after two. */
  readonly orphans: Readonly<Record<'suspect' | 'final', number>>;
  /** Offerings that are declared, but not on sale. */
  readonly hidden: number;
  readonly open: OpenOperations;
}

/** How many instances are alike. */
export interface InstanceCount {
  readonly offering: string;
  readonly plan: string;
  readonly status: UnitStatus;
  readonly count: number;
}

/** Operations that have not ended. */
export interface OpenOperations {
  readonly kinds: ReadonlyMap<OperationKind, number>;
  /** Milliseconds since the oldest of them was opened; 0 for none. */
  readonly oldestMs: number;
  /** Milliseconds since the oldest of those was opened that no broker has taken up yet; 0 for none. */
  readonly waitingMs: number;
}

/** What there was when it was counted. */
export interface CountedStock {
  readonly stock: Stock;
  /** Milliseconds since the count was begun. */
  readonly ageMs: number;
}

/**
 * Shows the stock; without one, as when the database is away, nothing that could be old. It is of all brokers on the
 * database, and each of them tells it: whoever looks at several takes the largest, not the sum.
 */
export function stockGauges(registry: Registry): (counted: CountedStock | undefined) => void {
  const gauge: MakeGauge = (name, help, labelNames = []) =>
    new Gauge({ name: `purveyor_${name}`, help, labelNames, registers: [registry] });
  const nodes = nodeGauges(gauge);
  const instances = gauge('instances', 'Service instances by the status of their worst unit.', [
    'offering',
    'plan',
    'status',
  ]);
  const drifted = gauge('instances_drifted', 'Service instances of an older revision of their plan.', [
    'offering',
  ]);
  const units = gauge('units', 'Units of service instances by status.', ['status']);
  const orphans = gauge('orphans', 'Things without an instance: suspect or final.', ['state']);
  const hidden = gauge('offerings_hidden', 'Offerings that are declared, but that nobody could make now.');
  const age = gauge('stock_age_seconds', 'Seconds since nodes, instances, units and orphans were counted.');
  const operations = openGauges(gauge);
  const single = [hidden, age, operations.oldest, operations.waiting];
  const all = [...nodes.all, instances, drifted, units, orphans, operations.open, ...single];

  return function show(counted) {
    for (const one of all) one.reset();
    if (!counted) {
      for (const one of single) one.remove();
      return;
    }
    const { stock, ageMs } = counted;
    age.set(Math.round(ageMs) / 1000);
    nodes.show(stock.nodes);
    for (const { count, ...labels } of stock.instances) instances.set(labels, count);
    for (const [offering, count] of stock.drifted) drifted.set({ offering }, count);
    for (const status of unitStatuses) units.set({ status }, stock.units[status]);
    operations.show(stock.open);
    for (const [state, count] of Object.entries(stock.orphans)) orphans.set({ state }, count);
    hidden.set(stock.hidden);
  };
}

type MakeGauge = (name: string, help: string, labelNames?: string[]) => Gauge;

function nodeGauges(gauge: MakeGauge) {
  const nodes = gauge('nodes', 'Nodes by state: up, draining or down.', ['state']);
  const perNode = {
    capacity: gauge('node_capacity', 'Sum of the costs that the node takes.', ['node']),
    used: gauge('node_used', 'Sum of the costs of its instances.', ['node']),
    instances: gauge('node_instances', 'Instances that are on the node.', ['node']),
    portsFree: gauge('node_ports_free', 'Ports that nobody on the node has.', ['node']),
  };
  return {
    all: [nodes, ...Object.values(perNode)],
    show(told: readonly Node[]): void {
      for (const state of ['up', 'draining', 'down'])
        nodes.set({ state }, told.filter((node) => stateOf(node) === state).length);
      for (const node of told) {
        for (const [key, one] of Object.entries(perNode))
          one.set({ node: node.name }, node[key as keyof typeof perNode]);
      }
    },
  };
}

function openGauges(gauge: MakeGauge) {
  const open = gauge('operations_open', 'Operations that have not ended.', ['kind']);
  const oldest = gauge('operations_oldest_seconds', 'Seconds since the oldest open operation was begun.');
  const waiting = gauge(
    'operations_waiting_seconds',
    'Seconds since the oldest operation was begun that no broker has taken up.',
  );
  return {
    open,
    oldest,
    waiting,
    show({ kinds, oldestMs, waitingMs }: OpenOperations): void {
      for (const [kind, count] of kinds) open.set({ kind }, count);
      oldest.set(oldestMs / 1000);
      waiting.set(waitingMs / 1000);
    },
  };
}

function stateOf({ stale, draining }: Node): string {
  if (stale) return 'down';
  return draining ? 'draining' : 'up';
}
