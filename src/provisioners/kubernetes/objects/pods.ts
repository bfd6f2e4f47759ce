import type { ClusterObject } from '../cluster.ts';
import type { ClusterContext } from '../context.ts';
import { conditionOf } from '../rules/verdict.ts';
import { isGoing, labelOf, nameOf, objectLabel } from './labels.ts';
import { listByLabels, listOfKind } from './look.ts';
import { plainText } from './plain-text.ts';

/** A container that a command can run in. */
export interface PodAddress {
  readonly namespace: string;
  readonly name: string;
  readonly container?: string;
}

/** The pods of a unit, the newest first. */
export async function podsOfUnit(context: ClusterContext, unit: string): Promise<readonly ClusterObject[]> {
  const { object = unit, pods } = context.config.units[unit] ?? {};
  const found = pods
    ? await listByLabels(context, pods)
    : (await listOfKind(context, { apiVersion: 'v1', kind: 'Pod' })).filter(
        (pod) => labelOf(pod, objectLabel) === object,
      );
  return found
    .filter((pod) => !isGoing(pod))
    .toSorted((one, other) => (madeAt(one) < madeAt(other) ? 1 : -1));
}

/** One that is ready; undefined when none is. */
export async function readyPodOf(context: ClusterContext, unit: string): Promise<PodAddress | undefined> {
  const pods = await podsOfUnit(context, unit);
  const ready = pods.find((pod) => conditionOf(pod, 'Ready')?.['status'] === 'True');
  return ready && addressOfPod(context, unit, ready);
}

export function addressOfPod(
  { place, config }: ClusterContext,
  unit: string,
  pod: ClusterObject,
): PodAddress {
  return { namespace: place.namespace, name: nameOf(pod), container: config.units[unit]?.container };
}

function madeAt({ metadata }: ClusterObject): string {
  return plainText(metadata['creationTimestamp'] ?? '');
}
