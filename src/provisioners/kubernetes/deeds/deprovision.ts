import { type Json, jsonOf, type JsonObject } from '../../../broker/json.ts';
import { instanceKey } from '../../../broker/key.ts';
import type { Step, Work } from '../../../broker/provisioner.ts';
import {
  type Attempt,
  keptIn,
  type NamedSteps,
  type Next,
  runSequence,
} from '../../../node/step-sequence.ts';
import type { ClusterObject, Kind } from '../cluster.ts';
import {
  type ClusterContext,
  type ClusterPlace,
  contextOf,
  factsOf,
  type KubernetesSettings,
  madeIn,
  placeIn,
} from '../context.ts';
import { asking, later, pauseAfter } from '../objects/asking.ts';
import { goingNote, isOfInstance, labelOf, objectLabel } from '../objects/labels.ts';
import { listOfKind } from '../objects/look.ts';
import { addressOfParent, findParent, parentOf } from '../objects/parent.ts';
import { isKept, letGo, removeNext, removeOne } from '../objects/remove.ts';
import { findPlace } from '../objects/search.ts';
import { unionOfKinds } from '../rules/apply-set.ts';
import { requireSameCluster } from './begin.ts';
import { plainText } from '../objects/plain-text.ts';

/**
 * Removes an instance, or what there is of one, by what is recorded of it and what the cluster tells: neither its plan
 * nor its templates are needed.
 */
export function deprovision(settings: KubernetesSettings, work: Work): Promise<Step<void>> {
  return runSequence(removingSteps(settings), 'check', work, () => undefined);
}

export function removingSteps(settings: KubernetesSettings): NamedSteps {
  const contextAt = (attempt: Attempt) => contextOf(settings, attempt);
  return {
    check: (attempt) => check(settings, attempt),
    objects: async (attempt) => removeObjects(await contextAt(attempt), attempt),
    claims: async (attempt) => removeClaims(await contextAt(attempt), attempt),
    space: async (attempt) => removeSpace(await contextAt(attempt), attempt),
  };
}

/** Where nothing is recorded nothing was sent; what a broker whose record was lost has made, its labels tell. */
async function check(settings: KubernetesSettings, { work, kept }: Attempt): Promise<Next> {
  const { facts, trace } = { facts: factsOf(work), trace: keptIn(work.trace) };
  const recorded = [facts, trace].map(placeIn).find((place) => place !== undefined);
  const key = instanceKey(work.instance);
  if (recorded) {
    if (kept['isDone'] === true) return { to: 'end' };
    await requireSameCluster(settings, recorded, work);
    return { to: 'objects', did: 'check', keep: keepPlace(recorded, { ...facts, ...trace }) };
  }
  const found = await findPlace(settings, key, work);
  return found ? { to: 'objects', did: 'check', keep: keepPlace(found, {}) } : { to: 'end' };
}

/** @param told what the operation that made it has left to remember */
function keepPlace({ cluster, namespace }: ClusterPlace, told: JsonObject): JsonObject {
  const made = Object.values(madeIn(told));
  const kinds = unionOfKinds(made.map(({ apiVersion, kind }) => ({ apiVersion, kind })));
  return { cluster: { ...cluster }, namespace, kinds: kinds as unknown as Json };
}

async function removeObjects(context: ClusterContext, attempt: Attempt): Promise<Next> {
  const { kept, tries } = attempt;
  const parent = await findParent(context);
  const kinds = unionOfKinds(parent?.kinds ?? [], (kept['kinds'] ?? []) as unknown as readonly Kind[]);
  const served = await servedOf(context, kinds, kept);
  if ('unserved' in served)
    throw later(`The cluster does not know the kind ${served.unserved} now.`, 5000, { unserved: served.all });
  const removal = await removeNext(context, served.kinds, (object) => !isKept(object));
  if (removal.is === 'going') throw later(removal.note, pauseAfter(tries));
  for (const kind of served.kinds)
    for (const object of (await listOfKind(context, kind)).filter(isKept)) await letGo(context, object);
  return { to: 'claims', did: 'delete', isPoll: true };
}

/** A kind that is not served for a moment has objects all the same: it must be gone at two looks. */
async function servedOf(
  { cluster, work }: ClusterContext,
  kinds: readonly Kind[],
  kept: JsonObject,
): Promise<
  { readonly kinds: readonly Kind[] } | { readonly unserved: string; readonly all: readonly string[] }
> {
  const served = await Promise.all(
    kinds.map(async (kind) => ({ kind, is: await asking('read', () => cluster.served(kind, work.signal)) })),
  );
  const missing = served.filter(({ is }) => is === undefined).map(({ kind: { kind } }) => kind);
  const before = Array.isArray(kept['unserved']) ? (kept['unserved'] as readonly string[]) : [];
  const unserved = missing.find((kind) => !before.includes(kind));
  if (unserved !== undefined) return { unserved, all: missing };
  return { kinds: served.filter(({ is }) => is !== undefined).map(({ kind }) => kind) };
}

/** They outlive the StatefulSet that asked for them. In an own namespace they go with it. */
async function removeClaims(context: ClusterContext, { tries }: Attempt): Promise<Next> {
  if (context.isOwn) return { to: 'space' };
  const claims = await listOfKind(context, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
  const own = claims.filter((claim) => labelOf(claim, objectLabel) !== undefined && !isKept(claim));
  const notes = await Promise.all(own.map((claim) => removeOne(context, claim)));
  const note = notes.find((text) => text !== undefined);
  if (note !== undefined) throw later(note, pauseAfter(tries));
  return { to: 'space', did: own.length > 0 ? 'claims' : undefined, isPoll: true };
}

async function removeSpace(context: ClusterContext, { tries }: Attempt): Promise<Next> {
  const { cluster, work, place, isOwn } = context;
  const parent = addressOfParent(parentOf(context));
  const address = isOwn ? { apiVersion: 'v1', kind: 'Namespace', name: place.namespace } : parent;
  const found = await asking('read', () => cluster.get(address, work.signal));
  const isOurs = found && isOfInstance(found, context);
  const note = isOurs ? await removeOne(context, found) : undefined;
  if (note !== undefined)
    throw later(isOwn ? namespaceNote(found as ClusterObject) : note, pauseAfter(tries));
  return { to: 'check', did: 'space', isPoll: true, keep: { isDone: true } };
}

/** The cluster says itself what a namespace waits for. */
function namespaceNote(namespace: ClusterObject): string {
  const { status } = jsonOf({ status: namespace['status'] });
  const conditions =
    typeof status === 'object' && status !== null ? (status as JsonObject)['conditions'] : [];
  const waits = (Array.isArray(conditions) ? (conditions as readonly JsonObject[]) : [])
    .filter(({ status: is, message }) => is === 'True' && typeof message === 'string')
    .map(({ message }) => plainText(message));
  return [goingNote(namespace), ...waits].join(' ');
}
