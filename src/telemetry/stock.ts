import type { OperatorView } from '../broker/operator-view.ts';
import type { InstanceStatus } from '../broker/status.ts';
import { withinTime } from '../broker/timing.ts';
import { unitStatuses, type UnitStatus } from '../broker/units.ts';
import type { CountedStock, Stock } from './gauges.ts';

/** Milliseconds between the beginnings of two counts, at least: however often somebody asks, there are not more. */
const holds = 10_000;
/** How many times as long as it takes to count there is a pause: a count of very many is a load on the database. */
const pauses = 20;
/** Milliseconds that whoever asks waits for a count that is going on: one of few things ends meanwhile. */
const patience = 30;
/** Instances that are read at once. */
const pageLength = 500;

/**
 * Counts what there is, for all brokers on the database: beside those who ask, who get what the last count has come to.
 * @returns gives undefined while there is none, and throws what a count has met that failed while somebody waited
 */
export function createStock(
  overview: Pick<OperatorView, 'nodes' | 'instances' | 'offerings' | 'orphans'>,
  now: () => number = () => performance.now(),
): () => Promise<CountedStock | undefined> {
  let last: { readonly begun: number; readonly stock: Stock } | undefined;
  let running: Promise<void> | undefined;
  let nextAt = -Infinity;

  async function countAnew(): Promise<void> {
    const begun = now();
    try {
      last = { begun, stock: await count(overview) };
      nextAt = begun + Math.max(holds, pauses * (now() - begun));
    } catch (error) {
      // Nothing that could be old is shown for it.
      last = undefined;
      throw error;
    } finally {
      running = undefined;
    }
  }
  return async function takeStock() {
    if (!running && now() > nextAt) {
      running = countAnew();
      running.catch(() => undefined);
    }
    if (running) await withinTime(running, patience);
    return last && { stock: last.stock, ageMs: now() - last.begun };
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
