import { gunzipSync, gzipSync } from 'node:zlib';
import { Failure } from '../../../broker/errors.ts';
import { memberOf } from '../../../broker/json.ts';
import type { ClusterObject, Kind } from '../cluster.ts';
import type { ClusterContext } from '../context.ts';
import { asking } from './asking.ts';
import {
  applySetParent,
  type ApplySetParent,
  applySetProblem,
  kindsOfApplySet,
  unionOfKinds,
} from '../rules/apply-set.ts';
import { labelsOf, parentLabel } from './labels.ts';

/** The Secret that stands for all objects of an instance: which kinds there are, and how they were applied last. */
export function parentOf({
  place: { namespace },
  isOwn,
  key,
}: Pick<ClusterContext, 'place' | 'isOwn' | 'key'>): ApplySetParent {
  return { namespace, name: isOwn ? 'purveyor' : `purveyor-${key}` };
}

/** What the parent of before says. */
export interface FoundParent {
  readonly kinds: readonly Kind[];
  /** As they were when all of them were ready; absent: they never were, or were too large. */
  readonly objects?: readonly ClusterObject[];
}

export async function findParent(context: ClusterContext): Promise<FoundParent | undefined> {
  const parent = parentOf(context);
  const { cluster, work } = context;
  const found = await asking('read', () => cluster.get(addressOfParent(parent), work.signal));
  if (!found) return undefined;
  const problem = applySetProblem(found, parent);
  if (problem !== undefined)
    throw new Failure('exists', 'There is something of the same name in the cluster already.', {
      detail: problem,
    });
  return { kinds: kindsOfApplySet(found) ?? [], objects: objectsIn(found) };
}

/** Before anything is made: kinds that there were, and those that there will be. */
export async function widenParent(context: ClusterContext, kinds: readonly Kind[]): Promise<void> {
  const before = await findParent(context);
  await applyParent(context, unionOfKinds(before?.kinds ?? [], kinds), before?.objects);
}

/** When all is made, and nothing else is left. */
export async function settleParent(
  context: ClusterContext,
  kinds: readonly Kind[],
  objects: readonly ClusterObject[],
): Promise<void> {
  await applyParent(context, kinds, objects);
}

export function addressOfParent({ name, namespace }: ApplySetParent) {
  return { apiVersion: 'v1', kind: 'Secret', name, namespace };
}

async function applyParent(
  context: ClusterContext,
  kinds: readonly Kind[],
  objects: readonly ClusterObject[] | undefined,
): Promise<void> {
  const { cluster, work } = context;
  const { metadata, ...rest } = applySetParent(parentOf(context), { version, kinds });
  const labels = { ...memberOf(metadata, 'labels'), ...labelsOf(context), [parentLabel]: 'true' };
  const data = objects === undefined ? undefined : packed(objects);
  const object = {
    ...rest,
    metadata: { ...metadata, labels },
    ...(data !== undefined && { data }),
  } as ClusterObject;
  await asking('change', () => cluster.apply(object, { force: true }, work.signal));
}

/** Of what is written there, for other tools. */
const version = '1.0.0';

/** A Secret holds a megabyte. */
const largest = 900_000;

function packed(objects: readonly ClusterObject[]) {
  const text = gzipSync(JSON.stringify(objects)).toString('base64');
  return text.length > largest ? undefined : { [member]: text };
}

function objectsIn(parent: ClusterObject): readonly ClusterObject[] | undefined {
  const text = memberOf(parent, 'data')[member];
  if (typeof text !== 'string') return undefined;
  return JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString('utf8')) as readonly ClusterObject[];
}

const member = 'objects.json.gz';
