/**
 * Hooks alone: everything an instance is, the offering's own executables make. The broker gives them a directory, ports
 * when they ask for some, and keeps what they tell.
 */
import type { JsonObject } from '../../broker/json.ts';
import { portOwnerOf } from '../../broker/key.ts';
import type { Made, Provisioner, Resource, Step, Work } from '../../broker/provisioner.ts';
import { backupByHook, canBy, restoreByHook } from '../../node/backup-hooks.ts';
import { endAccount, releaseAccount } from '../../node/instance-account.ts';
import { Failure } from '../../broker/errors.ts';
import { forgetFormerLimits, restoreLimits } from '../../node/limits/change.ts';
import { actByHook, hasHook } from '../../node/hook-steps.ts';
import { factsOf, type InstanceContext, type NodeSettings } from '../../node/instance-context.ts';
import { runSequence } from '../../node/step-sequence.ts';
import { findMissingHook } from '../../node/hooks/files.ts';
import { endLeftHooks } from '../../node/hooks/runs.ts';
import {
  directoryOf,
  listInstanceDirectories,
  purgeInstanceDirectory,
} from '../../node/instance-directory.ts';
import {
  hookSteps,
  makingSteps,
  removingSteps,
  restartingSteps,
  startingSteps,
  stoppingSteps,
  unbindingSteps,
  updatingSteps,
} from './steps.ts';
import { look, readLog } from './look.ts';
import { traits } from './traits.ts';
import { contextOf, kind } from './context.ts';
import { type CommandStep, inOrder } from './own-hooks.ts';

/** @param settings the node that this broker is, and the numbers it may give to its instances */
export function command(settings: NodeSettings): Provisioner {
  const { node } = settings;
  const context = (work: Work) => contextOf(settings, work);
  const run = (work: Work, steps: StepsOf) => go(settings, work, steps, () => undefined);
  return {
    name: 'command',
    traits,
    provision: (work) => go(settings, work, makingSteps, made),
    update: (work) => update(settings, work),
    deprovision: (work) => run(work, removingSteps),
    bind: (work) => bind(settings, work),
    unbind: (work) => run(work, unbindingSteps),
    units: {
      inspect: (work) => look(context(work)),
      start: (work) => run(work, startingSteps),
      stop: (work) => run(work, stoppingSteps),
      restart: (work) => run(work, restartingSteps),
      log: (work, query) => readLog(context(work), query),
    },
    backups: {
      can: canBy,
      backup: async (work) => backupByHook(context(work)),
      restore: async (work) => restoreByHook(context(work)),
    },
    act: async (work) => actByHook(context(work)),
    inventory: async () => listInstanceDirectories(node, kind),
    purge: (thing) => purge(settings, thing),
    obstacle({ operating }) {
      const missing = findMissingHook(node, operating.hooks);
      return missing === undefined ? undefined : `the hook ${missing} is in no catalog directory`;
    },
  };
}

/** Ends the hooks that run for it, removes its directory and gives its ports back. What they have made elsewhere stays. */
async function purge(settings: NodeSettings, thing: Resource): Promise<void> {
  const { node, ports } = settings;
  const { instanceId, key } = thing;
  if (key !== undefined) {
    const directory = directoryOf(node, kind, key);
    if (instanceId !== undefined) await endLeftHooks(directory, instanceId);
    await node.keeper?.groups?.remove(key);
    await endAccount(directory);
  }
  await purgeInstanceDirectory(node, kind, thing);
  const owner = portOwnerOf(thing);
  if (owner === undefined) return;
  await releaseAccount(settings, owner);
  await ports.release(node.name, owner);
}

/** Limits count at once, for what runs as well; what fails leaves those of before. */
async function update(settings: NodeSettings, work: Work): Promise<Step<Made>> {
  const context = contextOf(settings, work);
  try {
    const step = await go(settings, work, updatingSteps, made);
    if ('done' in step) forgetFormerLimits(context.directory);
    return step;
  } catch (error) {
    if (error instanceof Failure) restoreLimits(context);
    throw error;
  }
}

type StepsOf = (context: InstanceContext) => readonly CommandStep[];

function go<Result>(
  settings: NodeSettings,
  work: Work,
  stepsOf: StepsOf,
  end: (context: InstanceContext) => Result,
): Promise<Step<Result>> {
  const contextAt = (kept: JsonObject) => contextOf(settings, work, kept);
  const steps = stepsOf(contextAt({}));
  return runSequence(
    inOrder(steps, ({ kept }) => contextAt(kept)),
    steps[0]?.name ?? 'end',
    work,
    (kept) => end(contextAt(kept)),
  );
}

function made(context: InstanceContext): Made {
  return { facts: factsOf(context) };
}

/** A binding's outputs are the instance's and its own, for its facts hide those of the instance. */
function bind(settings: NodeSettings, work: Work): Promise<Step<Made>> {
  const bindSteps = (context: InstanceContext) => hookSteps(context, ['bind']);
  return go<Made>(settings, work, bindSteps, (context) =>
    hasHook(context, 'bind') ? { facts: { outputs: context.outputs } } : {},
  );
}
