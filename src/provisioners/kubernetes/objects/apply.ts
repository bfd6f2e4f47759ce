import { Failure } from '../../../broker/errors.ts';
import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { ClusterObject } from '../cluster.ts';
import type { ClusterContext, MadeObject } from '../context.ts';
import { readPath } from '../rules/paths.ts';
import { asking, later } from './asking.ts';
import type { DrawnObject } from './draw.ts';
import { withValueAt } from './fill.ts';
import { addressOf, goingNote, isGoing, isOfInstance, nameOf, uidOf } from './labels.ts';
import { plainText } from './plain-text.ts';

/**
 * Makes an object, or changes that very one: what belongs to somebody else is never taken over, also not where somebody
 * has put another in its place.
 * @throws Failure; TryLater while one of its name is being removed
 */
export async function applyDrawn(context: ClusterContext, drawn: DrawnObject): Promise<MadeObject> {
  const { template } = drawn;
  try {
    return made(drawn, await applyOurs(context, drawn.object, template.ignore));
  } catch (error) {
    if (!template.replace || !(error instanceof Failure) || error.word !== 'immutable') throw error;
    await removeToReplace(context, drawn.object);
    throw later(`${drawn.object.kind} ${nameOf(drawn.object)} is made anew.`, 250);
  }
}

/** @param ignored paths of fields that stay as they are once it is there */
export async function applyOurs(
  context: ClusterContext,
  object: ClusterObject,
  ignored: readonly string[] = [],
): Promise<ClusterObject> {
  const { cluster, work } = context;
  const found = await asking('read', () => cluster.get(addressOf(object), work.signal));
  if (found && isGoing(found)) throw later(goingNote(found), 1000);
  if (found && !(isOfInstance(found, context) && isAppliedByUs(found))) throw taken(found);
  const deed = found ? 'change' : 'make';
  const sent = found ? asItIs(object, found, ignored) : object;
  const applied = await asking(deed, () => cluster.apply(sent, { force: found !== undefined }, work.signal));
  // It was being removed since; what is applied onto it goes with it.
  if (!applied || isGoing(applied)) throw later(goingNote(applied ?? object), 1000);
  return applied;
}

/** Labels can be copied by anybody. */
function isAppliedByUs({ metadata: { managedFields } }: ClusterObject): boolean {
  if (!Array.isArray(managedFields)) return false;
  return (managedFields as readonly Json[]).some((one) => isObject(one) && one['manager'] === 'purveyor');
}

function asItIs(object: ClusterObject, found: ClusterObject, ignored: readonly string[]): ClusterObject {
  const same = ignored.reduce<JsonObject>((changed, path) => {
    const value = readPath(found, path);
    return value === undefined ? changed : withValueAt(changed, path.split('.'), value);
  }, object);
  // Onto this very one, or not at all.
  const metadata = { ...object.metadata, uid: uidOf(found) ?? null };
  return { ...same, apiVersion: object.apiVersion, kind: object.kind, metadata };
}

function taken(found: ClusterObject): Failure {
  return new Failure('taken', 'There is something of the same name in the cluster already.', {
    detail: `${found.kind} ${nameOf(found)} is not of this instance, and is left as it is.`,
  });
}

async function removeToReplace({ cluster, work }: ClusterContext, object: ClusterObject): Promise<void> {
  const found = await asking('read', () => cluster.get(addressOf(object), work.signal));
  if (found) await asking('remove', () => cluster.remove(addressOf(object), uidOf(found), work.signal));
}

function made({ wave }: DrawnObject, applied: ClusterObject): MadeObject {
  const { resourceVersion } = applied.metadata;
  return {
    ...addressOf(applied),
    namespace: plainText(applied.metadata['namespace']),
    wave,
    uid: uidOf(applied),
    version: typeof resourceVersion === 'string' ? resourceVersion : undefined,
  };
}
