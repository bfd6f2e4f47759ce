import { Failure } from '../../../broker/errors.ts';
import { isObject, type JsonObject, jsonOf } from '../../../broker/json.ts';
import type { Made, Step, Work } from '../../../broker/provisioner.ts';
import {
  type Attempt,
  type NamedStep,
  type NamedSteps,
  type Next,
  runSequence,
} from '../../../node/step-sequence.ts';
import { type ClusterContext, contextOf, factsOf, type KubernetesSettings, madeIn } from '../context.ts';
import { kindsOf } from '../form/config.ts';
import type { ClusterObject } from '../cluster.ts';
import { applyOurs } from '../objects/apply.ts';
import { later, pauseAfter } from '../objects/asking.ts';
import { annotationOf, bindingLabel, labelOf, nameOf, waveAnnotation } from '../objects/labels.ts';
import { freeHanging, lookAt } from '../objects/look.ts';
import { findParent, settleParent, widenParent } from '../objects/parent.ts';
import { isKept, removeNext } from '../objects/remove.ts';
import { makeSpace, requireSpace } from '../objects/space.ts';
import { unionOfKinds } from '../rules/apply-set.ts';
import { begin } from './begin.ts';
import { makingSteps } from './make.ts';
import { instanceDrawing, madeOf, read, settle } from './provision.ts';
import { plainText } from '../objects/plain-text.ts';

/**
 * Changes an instance: its objects are applied as the plan has them now, and what it has no more goes when all of them
 * are ready. Where that fails they become as they were when all was well last.
 */
export function update(settings: KubernetesSettings, work: Work): Promise<Step<Made>> {
  const contextAt = (attempt: Attempt) => contextOf(settings, attempt);
  const changing: NamedSteps = {
    async space(attempt) {
      const context = await contextAt(attempt);
      if (context.isOwn) await makeSpace(context);
      await widenParent(context, kindsOf(context.config));
      return { to: 'announce', did: 'space' };
    },
    ...makingSteps(contextAt, instanceDrawing, 'prune'),
  };
  const steps: NamedSteps = {
    async check(attempt) {
      const next = await begin(settings, attempt, 'space');
      const context = await contextAt({ ...attempt, kept: { ...attempt.kept, ...next.keep } });
      if (context.isOwn) await requireSpace(context);
      return next;
    },
    ...Object.fromEntries(Object.entries(changing).map(([name, step]) => [name, orRollback(step)])),
    prune: async (attempt) =>
      prune(await contextAt(attempt), attempt, namesOf(await contextAt(attempt)), 'settle'),
    settle: async (attempt) => settle(await contextAt(attempt)),
    read: async (attempt) => read(await contextAt(attempt)),
    rollback: async (attempt) => rollback(await contextAt(attempt)),
    'rollback-ready': async (attempt) => awaitRollback(await contextAt(attempt), attempt),
    'rollback-prune': async (attempt) => pruneNew(await contextAt(attempt), attempt),
  };
  return runSequence(steps, 'check', work, madeOf);
}

/** What has failed for good is put back, and told then. */
function orRollback(step: NamedStep): NamedStep {
  return async (attempt) => {
    try {
      return await step(attempt);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { word, message, hints } = error;
      return { to: 'rollback', keep: { failure: jsonOf({ word, message, detail: hints.detail }) } };
    }
  };
}

/** What of the objects is not among these names goes; those of bindings are theirs. */
async function prune(
  context: ClusterContext,
  { tries }: Attempt,
  wanted: ReadonlySet<string>,
  to: string,
): Promise<Next> {
  const parent = await findParent(context);
  const made = Object.values(madeIn(factsOf(context.work)));
  const kinds = unionOfKinds(
    parent?.kinds ?? [],
    made.map(({ apiVersion, kind }) => ({ apiVersion, kind })),
  );
  const isUnwanted = (object: ClusterObject) =>
    labelOf(object, bindingLabel) === undefined && !isKept(object) && !wanted.has(identityOf(object));
  const removal = await removeNext(context, kinds, isUnwanted);
  if (removal.is === 'going') throw later(removal.note, pauseAfter(tries));
  return { to, did: 'prune', isPoll: true };
}

/** A name of the file may stand for another object now. */
function namesOf({ config, made }: ClusterContext): ReadonlySet<string> {
  const wanted = Object.keys(config.objects).flatMap((name) => made[name] ?? []);
  return new Set(wanted.map(({ apiVersion, kind, name }) => `${apiVersion} ${kind} ${name}`));
}

function identityOf(object: ClusterObject): string {
  return `${object.apiVersion} ${object.kind} ${nameOf(object)}`;
}

async function rollback(context: ClusterContext): Promise<Next> {
  const objects = (await findParent(context))?.objects;
  // Nothing is known of before: what runs now is what there is.
  if (!objects) throw failureIn(context.kept, true);
  const waves = objects.toSorted((one, other) => waveOf(one) - waveOf(other));
  for (const object of waves) await applyOurs(context, object);
  return { to: 'rollback-ready', did: 'rollback', keep: { since: new Date().toISOString() } };
}

async function awaitRollback(context: ClusterContext, { kept, tries }: Attempt): Promise<Next> {
  const since = new Date(plainText(kept['since']));
  const made = madeIn(factsOf(context.work));
  const awaited = Object.entries(context.config.objects).flatMap(([name, template]) => {
    const one = made[name];
    // The rules of the plan of before are not known: those of the cluster's own kinds are the same.
    return one && template.wait && !Array.isArray(template.ready) ? [{ name, made: one, declared: {} }] : [];
  });
  const sights = await lookAt(context, awaited, { since });
  // What was changed and has failed is not given the minute in which it might get ready.
  await freeHanging(context, sights, { now: new Date(Date.now() + 60_000) });
  if (sights.some(({ verdict }) => verdict.state === 'failed')) throw failureIn(kept, false);
  if (sights.some(({ verdict }) => verdict.state === 'waiting'))
    throw later('The change has failed, and is being undone.', pauseAfter(tries));
  return { to: 'rollback-prune', did: 'ready', isPoll: true };
}

async function pruneNew(context: ClusterContext, attempt: Attempt): Promise<Next> {
  const parent = await findParent(context);
  const objects = parent?.objects ?? [];
  await prune(context, attempt, new Set(objects.map(identityOf)), 'end');
  const kinds = objects.map(({ apiVersion, kind }) => ({ apiVersion, kind }));
  await settleParent(
    context,
    unionOfKinds(kinds, kindsOf({ objects: {}, bind: context.config.bind })),
    objects,
  );
  throw failureIn(attempt.kept, true);
}

function failureIn({ failure }: JsonObject, instanceUsable: boolean): Failure {
  const { word, message, detail } = isObject(failure) ? failure : {};
  const hints = { instanceUsable, updateRepeatable: true };
  return new Failure(plainText(word), plainText(message), {
    ...hints,
    detail: typeof detail === 'string' ? detail : undefined,
  });
}

function waveOf(object: ClusterObject): number {
  return Number(annotationOf(object, waveAnnotation) ?? 0);
}
