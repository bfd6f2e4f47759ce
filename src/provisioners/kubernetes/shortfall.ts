import type { ServicePlan } from '../../broker/catalog.ts';
import { jsonOf } from '../../broker/json.ts';
import type { Cluster, Kind, ServedKind } from './cluster.ts';
import { type ClusterConfig, configOf, kindsOf } from './form/config.ts';
import { asking } from './objects/asking.ts';
import { needsOfPlan, pluralOf } from './rules/needs.ts';
import { missingRights } from './rules/rights.ts';

/** Where the objects of instances are, as far as that is known. */
export interface Whereabouts {
  /** Of which the cluster is asked what the broker may do in it. */
  readonly namespace: string;
  /** Has each instance one for itself? */
  readonly isOwn: boolean;
}

/**
 * What a cluster does not serve, or does not let the broker do, of what a plan needs: a clause, or undefined.
 * @throws what `asking` throws
 */
export async function findShortfall(
  cluster: Cluster,
  config: ClusterConfig,
  { namespace, isOwn }: Whereabouts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const served = new Map<string, ServedKind>();
  for (const kind of kindsOf(config)) {
    const found = await asking('read', () => cluster.served(kind, signal));
    if (!found) return `the cluster ${cluster.name} does not know the kind ${nameOf(kind)}`;
    if (!found.namespaced) return `objects of the kind ${nameOf(kind)} are in no namespace`;
    served.set(nameOf(kind), found);
  }
  const pluralIn = (kind: Kind) => served.get(nameOf(kind))?.plural ?? pluralOf(kind).plural;
  const { within, beside } = needsOfPlan(config, isOwn, pluralIn);
  // Without it instances live as well, and only their logs cannot be read.
  const needs = [...within, ...beside].filter(({ resource }) => resource !== 'pods/log');
  const rules = await asking('read', () => cluster.rules(namespace, signal));
  const missing = [...new Set(missingRights(jsonOf(rules ?? {}), needs))];
  if (missing.length === 0) return undefined;
  const [told, more] = [missing.slice(0, mostTold).join(', '), missing.length - mostTold];
  const where = isOwn ? 'in namespaces of instances' : `in ${namespace}`;
  return `the broker may not ${told}${more > 0 ? `, and ${more} things more,` : ''} ${where}`;
}

const mostTold = 6;

function nameOf({ apiVersion, kind }: Kind): string {
  return `${kind} of ${apiVersion}`;
}

/** Milliseconds after which a cluster is looked at again: sooner where it lacked something. */
const [usually, meanwhile] = [60_000, 5_000];
/** Milliseconds that it may take over all its answers. */
const patience = 30_000;

export interface ClusterLooks {
  /** What was found last; a look that is due begins, and nobody waits for it. */
  shortfallOf(plan: ServicePlan, cluster: Cluster, at: Whereabouts): string | undefined;
  close(): void;
}

interface Look {
  /** What is told. */
  readonly clause?: string | undefined;
  /** What was seen last. */
  readonly found?: string | undefined;
  readonly wasGood?: boolean;
  next: number;
}

/** An API server that has just started may not know yet what it serves: where nothing was missing, it must be so twice. */
export function seenAfter(
  { found: before, wasGood = false }: Omit<Look, 'next'>,
  found: string | undefined,
): Omit<Look, 'next'> {
  const isPassing = found !== undefined && wasGood && before === undefined;
  return { clause: isPassing ? undefined : found, found, wasGood: found === undefined || isPassing };
}

/** Whether a plan is on sale is asked all the time, and a cluster answers when it likes: so it is looked at beside. */
export function createClusterLooks(): ClusterLooks {
  const looks = new WeakMap<ServicePlan, Look>();
  const ending = new AbortController();
  return {
    shortfallOf(plan, cluster, at) {
      const look = looks.get(plan) ?? { next: 0 };
      looks.set(plan, look);
      if (performance.now() < look.next) return look.clause;
      look.next = performance.now() + patience;
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(patience)]);
      findShortfall(cluster, configOf(plan), at, signal)
        // One that does not answer lacks what it lacked before.
        .then((clause) => Object.assign(look, seenAfter(look, clause)))
        .catch(() => undefined)
        .finally(() => (look.next = performance.now() + (look.found === undefined ? usually : meanwhile)));
      return look.clause;
    },
    close: () => ending.abort(),
  };
}
