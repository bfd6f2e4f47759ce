import { memberOf } from '../../../broker/json.ts';
import type { ClusterObject, Kind } from '../cluster.ts';
import type { ClusterContext, MadeObject, MadeObjects } from '../context.ts';
import { judge } from '../rules/judge.ts';
import { hangingPod } from '../rules/pods.ts';
import type { Beside, Declared, Verdict } from '../rules/verdict.ts';
import { asking } from './asking.ts';
import type { DrawnObject } from './draw.ts';
import { addressOf, labelOf, labelsOf, nameOf, objectLabel, uidOf } from './labels.ts';
import { unionOfKinds } from '../rules/apply-set.ts';

/** What is to be judged, by its name in the offering file. */
export interface Awaited {
  readonly name: string;
  readonly made: MadeObject;
  readonly declared: Declared;
  /** The labels of its pods; absent: those of the broker. */
  readonly pods?: Readonly<Record<string, string>>;
}

export interface Sight {
  readonly name: string;
  /** Absent: it is not there. */
  readonly object?: ClusterObject;
  readonly verdict: Verdict;
  readonly pods: readonly ClusterObject[];
}

/** All objects of the instance of this kind. */
export async function listOfKind(
  { cluster, work, place, ...owner }: ClusterContext,
  kind: Kind,
): Promise<readonly ClusterObject[]> {
  const where = { namespace: place.namespace, labels: labelsOf(owner) };
  return (await asking('read', () => cluster.list(kind, where, work.signal))) ?? [];
}

/** How these objects are, by one list for each kind. @param since when they were applied */
export async function lookAt(
  context: ClusterContext,
  awaited: readonly Awaited[],
  times: Pick<Beside, 'since' | 'giveUpMs'> = {},
): Promise<readonly Sight[]> {
  const kinds = unionOfKinds(awaited.map(({ made: { apiVersion, kind } }) => ({ apiVersion, kind })));
  const lists = await Promise.all(kinds.map((kind) => listOfKind(context, kind)));
  const found = new Map(lists.flat().map((object) => [placeOf(object), object]));
  const havePods = awaited.some(({ made, pods }) => pods !== undefined || withPods.has(made.kind));
  const pods = havePods ? await listOfKind(context, { apiVersion: 'v1', kind: 'Pod' }) : [];
  return Promise.all(
    awaited.map(async (one) => {
      const object = found.get(placeOf(one.made));
      const own = one.pods ? await listByLabels(context, one.pods) : podsOf(one.name, pods);
      if (!object) return { name: one.name, verdict: { state: 'waiting', reason: 'is gone' }, pods: own };
      const beside = await besideOf(context, one, object, { ...times, pods: own });
      return { name: one.name, object, verdict: judge(object, one.declared, beside), pods: own };
    }),
  );
}

/** What waits for a pod that will never be ready gets a new one. */
export async function freeHanging(
  context: ClusterContext,
  sights: readonly Sight[],
  times: Pick<Beside, 'now' | 'since'>,
): Promise<void> {
  const { cluster, work } = context;
  for (const { object, pods } of sights) {
    if (object?.kind !== 'StatefulSet') continue;
    const pod = hangingPod(object, { ...times, pods });
    if (pod) await asking('remove', () => cluster.remove(addressOf(pod), uidOf(pod), work.signal));
  }
}

export function awaitedOf(
  drawn: readonly DrawnObject[],
  made: MadeObjects,
  context: ClusterContext,
): readonly Awaited[] {
  return drawn.flatMap(({ name, declared }) => {
    const one = made[name];
    return one ? [{ name, made: one, declared, pods: podLabelsOf(context, name) }] : [];
  });
}

export function podLabelsOf({ config }: ClusterContext, name: string) {
  return Object.values(config.units).find(({ object }) => object === name)?.pods;
}

const withPods: ReadonlySet<string> = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'Job',
]);

export async function listByLabels(
  { cluster, work, place }: ClusterContext,
  labels: Readonly<Record<string, string>>,
): Promise<readonly ClusterObject[]> {
  const pod = { apiVersion: 'v1', kind: 'Pod' };
  const where = { namespace: place.namespace, labels };
  return (await asking('read', () => cluster.list(pod, where, work.signal))) ?? [];
}

function podsOf(name: string, pods: readonly ClusterObject[]): readonly ClusterObject[] {
  return pods.filter((pod) => labelOf(pod, objectLabel) === name);
}

async function besideOf(
  { cluster, work }: ClusterContext,
  { made, declared }: Awaited,
  object: ClusterObject,
  times: Pick<Beside, 'since' | 'giveUpMs' | 'pods'>,
): Promise<Beside> {
  const known = { ...times, now: new Date(), appliedVersion: made.version };
  if (declared.ready === 'endpoints') {
    const address = { ...made, apiVersion: 'v1', kind: 'Endpoints' };
    const found = await asking('read', () => cluster.get(address, work.signal));
    return { ...known, endpoints: found ? [found] : [] };
  }
  const { storageClassName } = memberOf(object, 'spec');
  if (object.kind !== 'PersistentVolumeClaim' || typeof storageClassName !== 'string') return known;
  const address = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', name: storageClassName };
  // Who may not read it waits until the claim is bound.
  const storageClass = await cluster.get(address, work.signal).catch(() => undefined);
  return { ...known, storageClass };
}

function placeOf(object: ClusterObject | MadeObject): string {
  const name = 'metadata' in object ? nameOf(object) : object.name;
  return `${object.apiVersion} ${object.kind} ${String(name)}`;
}
