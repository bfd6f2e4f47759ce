import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import { ClusterError } from '../cluster-error.ts';
import type { Kind, ServedKind } from '../cluster.ts';
import type { Connection } from './connection.ts';
import { jsonIn, refusalOf } from './refusal.ts';

export interface Discovery {
  /** undefined: not served; that is asked anew before it is said. */
  find(kind: Kind, signal: AbortSignal): Promise<ServedKind | undefined>;
  /** @throws ClusterError 404 with the reason NoKind when it is not served */
  require(kind: Kind, signal: AbortSignal): Promise<ServedKind>;
  /** Kinds have been seen to come or go. */
  forget(): void;
}

const maxAgeMs = 600_000;

interface Known {
  readonly kinds: readonly ServedKind[];
  readonly at: number;
}

/** What the cluster serves, asked for each group and version when it is needed first. */
export function createDiscovery(connection: Connection): Discovery {
  const known = new Map<string, Known>();

  async function read(apiVersion: string, signal: AbortSignal): Promise<readonly ServedKind[]> {
    const answer = await connection.ask({ method: 'GET', path: rootOf(apiVersion) }, signal);
    if (answer.status !== 200 && answer.status !== 404) throw refusalOf(answer, answer.secrets);
    const kinds = answer.status === 404 ? [] : kindsIn(apiVersion, jsonIn(answer.text));
    known.set(apiVersion, { kinds, at: performance.now() });
    return kinds;
  }
  async function find({ apiVersion, kind }: Kind, signal: AbortSignal): Promise<ServedKind | undefined> {
    const isIt = (one: ServedKind): boolean => one.kind === kind;
    const last = known.get(apiVersion);
    const isFresh = last !== undefined && performance.now() - last.at < maxAgeMs;
    const found = isFresh ? last.kinds.find(isIt) : undefined;
    return found ?? (await read(apiVersion, signal)).find(isIt);
  }
  return {
    find,
    async require(kind, signal) {
      const found = await find(kind, signal);
      if (found) return found;
      throw noKind(connection.name, kind);
    },
    forget: () => known.clear(),
  };
}

/** The path below which a group and version is served: `v1` is older than groups are. */
export function rootOf(apiVersion: string): string {
  const words = apiVersion.split('/').map(encodeURIComponent);
  return words.length === 1 ? `/api/${words[0]}` : `/apis/${words.join('/')}`;
}

export function noKind(cluster: string, { apiVersion, kind }: Kind): ClusterError {
  const message = `The cluster ${cluster} serves no ${kind} of ${apiVersion}.`;
  return new ClusterError({ status: 404, reason: 'NoKind', message });
}

function kindsIn(apiVersion: string, list: Json | undefined): readonly ServedKind[] {
  const resources = isObject(list) && Array.isArray(list['resources']) ? list['resources'] : [];
  return resources.filter(isObject).flatMap((resource) => servedKind(apiVersion, resource));
}

/** Those with a slash in their name are parts of another one. */
function servedKind(
  apiVersion: string,
  { name, kind, namespaced, verbs }: JsonObject,
): readonly ServedKind[] {
  if (typeof name !== 'string' || name.includes('/') || typeof kind !== 'string') return [];
  const words = Array.isArray(verbs) ? verbs.filter((verb: Json) => typeof verb === 'string') : [];
  return [{ apiVersion, kind, plural: name, namespaced: namespaced === true, verbs: words }];
}
