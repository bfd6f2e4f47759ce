import type { ServiceInstance } from '../../broker/records.ts';
import type { UnitCheck } from '../../broker/store.ts';
import type { Seen } from '../../broker/units.ts';
import type { Tables } from './tables.ts';

export function claimCheck(tables: Tables, node: string | undefined): UnitCheck | undefined {
  const now = tables.now();
  const [next] = watched(tables, node).toSorted((a, b) => a.dueAt - b.dueAt);
  if (!next || next.dueAt > now) return undefined;
  const { instance, every } = next;
  const check = tables.checks.get(instance.id);
  tables.checks.set(instance.id, { ...check, dueAt: now + every });
  return { instance, ...(check?.seen && { seen: check.seen }) };
}

export function nextCheck(tables: Tables, node: string | undefined): number | undefined {
  const times = watched(tables, node).map(({ dueAt }) => dueAt);
  return times.length > 0 ? Math.max(0, Math.min(...times) - tables.now()) : undefined;
}

export function saveSeen(
  { instances, checks, now }: Tables,
  instanceId: string,
  seen: Seen,
  dueMs: number | undefined,
): void {
  if (!instances.has(instanceId)) return;
  const dueAt = dueMs === undefined ? (checks.get(instanceId)?.dueAt ?? now()) : now() + dueMs;
  checks.set(instanceId, { dueAt, seen });
}

interface Watched {
  readonly instance: ServiceInstance;
  readonly every: number;
  /** At once when nobody has looked yet. */
  readonly dueAt: number;
}

function watched({ instances, checks }: Tables, node: string | undefined): readonly Watched[] {
  return [...instances.values()].flatMap(({ record: instance, operationId }) => {
    const { id, ready, place, checkEvery: every } = instance;
    const here = place === undefined || place.node === node;
    if (every === undefined || !ready || operationId !== undefined || !here) return [];
    return [{ instance, every, dueAt: checks.get(id)?.dueAt ?? -Infinity }];
  });
}
