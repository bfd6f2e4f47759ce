import type { ClusterObject, Kind } from '../cluster.ts';
import type { ClusterContext } from '../context.ts';
import { asking } from './asking.ts';
import { listOfKind } from './look.ts';
import {
  addressOf,
  annotationOf,
  bindingLabel,
  goingNote,
  isGoing,
  keepAnnotation,
  labelOf,
  labelsOf,
  objectLabel,
  uidOf,
  waveAnnotation,
} from './labels.ts';

/** Of what is to be removed, how far it is. */
export type Removal = { readonly is: 'gone' } | { readonly is: 'going'; readonly note: string };

/**
 * Takes the next step of removing the objects of an instance that are chosen: those of the last wave, which must be
 * gone before the one before them goes. It needs nothing but what the cluster tells.
 */
export async function removeNext(
  context: ClusterContext,
  kinds: readonly Kind[],
  isChosen: (object: ClusterObject) => boolean,
): Promise<Removal> {
  const lists = await Promise.all(kinds.map((kind) => listOfKind(context, kind)));
  const all = lists
    .flat()
    .filter((one) => labelOf(one, objectLabel) !== undefined && isOwnObject(one) && isChosen(one));
  const waves = [...Map.groupBy(all, waveOf)].toSorted(([one], [other]) => other - one);
  for (const [, wave] of waves) {
    const notes = await Promise.all(wave.map((object) => removeOne(context, object)));
    const note = notes.find((text) => text !== undefined);
    if (note !== undefined) return { is: 'going', note };
  }
  // What is in the making elsewhere may have come meanwhile.
  return all.length === 0 ? { is: 'gone' } : removeNext(context, kinds, isChosen);
}

/** What controllers make of it has the labels of what it is made of, and goes with that; what stands in the file has a wave. */
function isOwnObject(object: ClusterObject): boolean {
  const { ownerReferences } = object.metadata;
  const isOwned = Array.isArray(ownerReferences) && ownerReferences.length > 0;
  return !isOwned && annotationOf(object, waveAnnotation) !== undefined;
}

/** Those of bindings go before those of their instance. */
function waveOf(object: ClusterObject): number {
  const wave = Number(annotationOf(object, waveAnnotation) ?? 0);
  return labelOf(object, bindingLabel) === undefined ? wave : wave + 1000;
}

/** @returns what it waits for; undefined: it is gone */
export async function removeOne(
  { cluster, work }: Pick<ClusterContext, 'cluster' | 'work'>,
  object: ClusterObject,
): Promise<string | undefined> {
  if (isGoing(object)) return goingNote(object);
  const left = await asking('remove', () => cluster.remove(addressOf(object), uidOf(object), work.signal));
  return left && goingNote(left);
}

export function isKept(object: ClusterObject): boolean {
  return annotationOf(object, keepAnnotation) === 'true';
}

/** It stays in the cluster, and is nobody's from then on. */
export async function letGo(context: ClusterContext, object: ClusterObject): Promise<void> {
  const { cluster, work } = context;
  const names = [
    ...Object.keys(labelsOf(context)),
    objectLabel,
    bindingLabel,
    'applyset.kubernetes.io/part-of',
  ];
  const labels = Object.fromEntries(names.map((name) => [name, null]));
  const how = { manager: 'purveyor' };
  await asking('change', () => cluster.patch(addressOf(object), { metadata: { labels } }, how, work.signal));
}
