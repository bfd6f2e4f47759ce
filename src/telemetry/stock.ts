import type { OperatorView } from '../broker/operator-view.ts';
import type { InstanceStatus } from '../broker/status.ts';
import { unitStatuses, type UnitStatus } from '../broker/units.ts';
import type { Stock } from './gauges.ts';

/** Milliseconds that a stock holds: however often somebody asks, the instances are not counted more often. */
const holds = 10_000;
/** Instances that are read at once. */
const pageLength = 500;

/** Counts what there is, for all brokers on the database. */
export function createStock(
  overview: Pick<OperatorView, 'nodes' | 'instances' | 'offerings' | 'orphans'>,
  now: () => number = () => performance.now(),
): () => Promise<Stock> {
  let last: { readonly at: number; readonly stock: Promise<Stock> } | undefined;
  return function takeStock() {
    if (!last || now() - last.at > holds) {
      const stock = count(overview);
      last = { at: now(), stock };
      stock.catch(() => (last = undefined));
    }
    return last.stock;
  };
}

async function count(
  overview: Pick<OperatorView, 'nodes' | 'instances' | 'offerings' | 'orphans'>,
): Promise<Stock> {
  const instances = noneOf();
  const units = noneOf();
  for await (const { status, units: all } of eachStatus(overview)) {
    instances[status] += 1;
    for (const unit of all) units[unit.status] += 1;
  }
  const suspects = await overview.orphans();
  const final = suspects.filter((suspect) => suspect.final).length;
  return {
    nodes: await overview.nodes(),
    instances,
    units,
    orphans: { suspect: suspects.length - final, final },
    hidden: overview.offerings().filter(({ hidden }) => hidden !== undefined).length,
  };
}

function noneOf(): Record<UnitStatus, number> {
  return Object.fromEntries(unitStatuses.map((status) => [status, 0])) as Record<UnitStatus, number>;
}

async function* eachStatus(overview: Pick<OperatorView, 'instances'>): AsyncGenerator<InstanceStatus> {
  let after: string | undefined;
  for (;;) {
    const page = await overview.instances({
      limit: pageLength,
      after,
    });
    for (const { status } of page) yield status;
    if (page.length < pageLength) return;
    after = page.at(-1)?.instance.id;
  }
}
