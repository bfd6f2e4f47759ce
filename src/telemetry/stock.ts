import type { InstanceEntry, OperatorView } from '../broker/operator-view.ts';
import type { OperationKind } from '../broker/records.ts';
import { withinTime } from '../broker/timing.ts';
import { unitStatuses, type UnitStatus } from '../broker/units.ts';
import type { CountedStock, InstanceCount, OpenOperations, Stock } from './gauges.ts';

/** Milliseconds between the beginnings of two counts, at least: however often somebody asks, there are not more. */
const holds = 10_000;
/** How many times as long as it takes to count there is a pause: a count of very many is a load on the database. */
const pauses = 20;
/** Milliseconds that whoever asks waits for a count that is going on, where the last one did not take longer. */
const patience = 30;
/** Instances, or operations, that are read at once. */
const pageLength = 500;

type Overview = Pick<OperatorView, 'nodes' | 'instances' | 'operations' | 'offerings' | 'orphans'>;

/**
 * Counts what there is, for all brokers on the database: beside those who ask, who get what the last count has come to.
 * @returns gives undefined while there is none, and throws what a count has met that failed while somebody waited
 */
export function createStock(
  overview: Overview,
  now: () => number = () => performance.now(),
): () => Promise<CountedStock | undefined> {
  let last: { readonly begun: number; readonly tookMs: number; readonly stock: Stock } | undefined;
  let running: Promise<void> | undefined;
  let nextAt = -Infinity;

  async function countAnew(): Promise<void> {
    const begun = now();
    try {
      const stock = await count(overview);
      last = { begun, tookMs: now() - begun, stock };
      nextAt = begun + Math.max(holds, pauses * last.tookMs);
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
    if (running && (last?.tookMs ?? 0) <= patience) await withinTime(running, patience);
    return last && { stock: last.stock, ageMs: now() - last.begun };
  };
}

async function count(overview: Overview): Promise<Stock> {
  const instances = new Map<string, InstanceCount>();
  const drifted = new Map<string, number>();
  const units = Object.fromEntries(unitStatuses.map((status) => [status, 0])) as Record<UnitStatus, number>;
  for await (const { offering, plan, status: seen, drifted: isOld } of eachInstance(overview)) {
    const { status } = seen;
    const key = JSON.stringify([offering, plan, status]);
    instances.set(key, { offering, plan, status, count: (instances.get(key)?.count ?? 0) + 1 });
    if (isOld) add(drifted, offering);
    for (const unit of seen.units) units[unit.status] += 1;
  }
  const suspects = await overview.orphans();
  const final = suspects.filter((suspect) => suspect.final).length;
  return {
    nodes: await overview.nodes(),
    instances: [...instances.values()],
    drifted,
    units,
    orphans: { suspect: suspects.length - final, final },
    hidden: overview.offerings().filter(({ hidden }) => hidden !== undefined).length,
    open: await countOpen(overview),
  };
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

async function* eachInstance(overview: Pick<OperatorView, 'instances'>): AsyncGenerator<InstanceEntry> {
  let after: string | undefined;
  for (;;) {
    const page = await overview.instances({ limit: pageLength, after });
    yield* page;
    if (page.length < pageLength) return;
    after = page.at(-1)?.instance.id;
  }
}

async function countOpen(overview: Pick<OperatorView, 'operations'>): Promise<OpenOperations> {
  const kinds = new Map<OperationKind, number>();
  let [oldestMs, waitingMs] = [0, 0];
  let after: string | undefined;
  do {
    const page = await overview.operations({ state: 'in progress', limit: pageLength, after });
    for (const { kind, attempt, createdAt } of page.operations) {
      const ms = Math.max(0, Date.now() - createdAt.getTime());
      add(kinds, kind);
      oldestMs = Math.max(oldestMs, ms);
      if (attempt === 0) waitingMs = Math.max(waitingMs, ms);
    }
    after = page.next;
  } while (after !== undefined);
  return { kinds, oldestMs, waitingMs };
}
