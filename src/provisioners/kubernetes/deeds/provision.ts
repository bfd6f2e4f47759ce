import { jsonOf, type JsonObject } from '../../../broker/json.ts';
import type { Made, Step, Work } from '../../../broker/provisioner.ts';
import { type Attempt, type NamedSteps, type Next, runSequence } from '../../../node/step-sequence.ts';
import {
  type ClusterContext,
  contextOf,
  type KubernetesSettings,
  madeIn,
  type MadeObjects,
} from '../context.ts';
import { kindsOf } from '../form/config.ts';
import { drawAll } from '../objects/draw.ts';
import { settleParent, widenParent } from '../objects/parent.ts';
import { readAll } from '../objects/read.ts';
import { makeSpace } from '../objects/space.ts';
import { begin } from './begin.ts';
import { makingSteps } from './make.ts';

/** Makes an instance: its namespace, then its objects wave after wave, then what is read of them. */
export function provision(settings: KubernetesSettings, work: Work): Promise<Step<Made>> {
  const contextAt = (attempt: Attempt) => contextOf(settings, attempt);
  const steps: NamedSteps = {
    check: (attempt) => begin(settings, attempt, 'space'),
    async space(attempt) {
      const context = await contextAt(attempt);
      if (context.isOwn) await makeSpace(context);
      await widenParent(context, kindsOf(context.config));
      return { to: 'announce', did: 'space' };
    },
    ...makingSteps(contextAt, instanceDrawing, 'settle'),
    settle: async (attempt) => settle(await contextAt(attempt)),
    read: async (attempt) => read(await contextAt(attempt)),
  };
  return runSequence(steps, 'check', work, madeOf);
}

export function instanceDrawing({ config, made, work }: ClusterContext) {
  return { templates: config.objects, made, isStopped: () => work.instance.stopped === true };
}

/** How it is now is what an update that fails goes back to. */
export async function settle(context: ClusterContext): Promise<Next> {
  const drawn = drawAll(context, instanceDrawing(context));
  await settleParent(
    context,
    kindsOf(context.config),
    drawn.map(({ object }) => object),
  );
  return { to: 'read', did: 'settle' };
}

/** Not to be recorded before the operation has ended: it may be secret. */
export async function read(context: ClusterContext): Promise<Next> {
  return {
    to: 'end',
    did: 'read',
    keep: { read: await readAll(context, context.config.read, context.made) },
  };
}

/** What an instance is known by from then on. */
export function madeOf(kept: JsonObject): Made {
  const { cluster, namespace, read: told = {} } = kept;
  return { facts: jsonOf({ cluster, namespace, objects: factsOfObjects(madeIn(kept)), read: told }) };
}

export function factsOfObjects(objects: MadeObjects): JsonObject {
  return Object.fromEntries(
    Object.entries(objects).map(([name, { version: _theirs, ...object }]) => [name, jsonOf({ ...object })]),
  );
}
