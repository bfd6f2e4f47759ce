import { Gauge, type Registry } from 'prom-client';
import type { Node } from '../broker/nodes.ts';
import { unitStatuses, type UnitStatus } from '../broker/units.ts';

/** What there is at one moment, of all brokers on the database. */
export interface Stock {
  readonly nodes: readonly Node[];
  readonly instances: Readonly<Record<UnitStatus, number>>;
  readonly units: Readonly<Record<UnitStatus, number>>;
  /** Things without an instance: `suspect` after one look, `final` after two. */
  readonly orphans: Readonly<Record<'suspect' | 'final', number>>;
  /** Offerings that are declared, but not on sale. */
  readonly hidden: number;
}

/** What there was when it was counted. */
export interface CountedStock {
  readonly stock: Stock;
  /** Milliseconds since the count was begun. */
  readonly ageMs: number;
}

/** Shows the stock; without one, as when the database is away, nothing that could be old. */
export function stockGauges(registry: Registry): (counted: CountedStock | undefined) => void {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `purveyor_${name}`, help, labelNames, registers: [registry] });
  const nodes = gauge('nodes', 'Nodes by state: up, draining or down.', ['state']);
  const perNode = {
    capacity: gauge('node_capacity', 'Sum of the costs that the node takes.', ['node']),
    used: gauge('node_used', 'Sum of the costs of its instances.', ['node']),
    instances: gauge('node_instances', 'Instances that are on the node.', ['node']),
    portsFree: gauge('node_ports_free', 'Ports that nobody on the node has.', ['node']),
  };
  const instances = gauge('instances', 'Service instances by the status of their worst unit.', ['status']);
  const units = gauge('units', 'Units of service instances by status.', ['status']);
  const orphans = gauge('orphans', 'Things without an instance: suspect or final.', ['state']);
  const hidden = gauge('offerings_hidden', 'Offerings that are declared, but that nobody could make now.');
  const age = gauge('stock_age_seconds', 'Seconds since nodes, instances, units and orphans were counted.');
  const all = [nodes, ...Object.values(perNode), instances, units, orphans, hidden, age];

  return function show(counted) {
    for (const one of all) one.reset();
    if (!counted) {
      hidden.remove();
      age.remove();
      return;
    }
    const { stock, ageMs } = counted;
    age.set(Math.round(ageMs) / 1000);
    for (const state of ['up', 'draining', 'down'])
      nodes.set({ state }, stock.nodes.filter((node) => stateOf(node) === state).length);
    for (const node of stock.nodes) {
      for (const [key, one] of Object.entries(perNode))
        one.set({ node: node.name }, node[key as keyof typeof perNode]);
    }
    for (const status of unitStatuses) {
      instances.set({ status }, stock.instances[status]);
      units.set({ status }, stock.units[status]);
    }
    for (const [state, count] of Object.entries(stock.orphans)) orphans.set({ state }, count);
    hidden.set(stock.hidden);
  };
}

function stateOf({ stale, draining }: Node): string {
  if (stale) return 'down';
  return draining ? 'draining' : 'up';
}
