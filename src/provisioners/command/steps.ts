import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { Failure } from '../../broker/errors.ts';
import { portOwner } from '../../broker/key.ts';
import type { JsonObject } from '../../broker/json.ts';
import { leftRunning } from '../../broker/units.ts';
import { keepHooks, renewHooks, withHooksOfToday } from '../../node/hooks/files.ts';
import { endLeftHooks } from '../../node/hooks/runs.ts';
import { isAnythingOfInstance } from '../../node/instance-processes.ts';
import type { InstanceContext } from '../../node/instance-context.ts';
import { findOverDisk, requireDisk } from '../../node/disk-limit.ts';
import { askHook, hasHook } from '../../node/hook-steps.ts';
import type { Attempt } from '../../node/step-sequence.ts';
import { contextOf, kind } from './context.ts';
import { awaitUp, callOwnHook, type CommandStep, type Kept } from './own-hooks.ts';
import { endAccount, releaseAccount, settleInstance } from '../../node/instance-account.ts';
import { changeLimits, renewLimits, setLimits } from '../../node/limits/change.ts';
import { removeInstanceDirectory } from '../../node/instance-directory.ts';
import { until } from '../../system/until.ts';
import { limitOf, type TimedStep } from '../../node/step-limits.ts';

/** What makes an instance: its directory with the hooks, then the hooks that it has. */
export function makingSteps(context: InstanceContext): readonly CommandStep[] {
  return [
    { name: 'init', run: init },
    ...hookSteps(context, ['prepare', 'configure']),
    ...startingSteps(context),
    ...hookSteps(context, ['once_ready']),
  ];
}

/** What changes one: the hooks of the new plan are its hooks from now on. */
export function updatingSteps(context: InstanceContext): readonly CommandStep[] {
  return [{ name: 'prepare', run: prepare }, ...hookSteps(context, ['configure', 'update'])];
}

export function startingSteps(context: InstanceContext): readonly CommandStep[] {
  const check: CommandStep = { name: 'check_up', isPoll: true, run: awaitUp };
  return [...hookSteps(context, ['start']), ...(hasHook(context, 'check_up') ? [check] : [])];
}

/** The monitor only starts what is dead; what it may ask to end and does not, it leaves as it is. */
export function restartingSteps(context: InstanceContext): readonly CommandStep[] {
  const { sparing } = context.work;
  if (!sparing) return [...stoppingSteps(context), ...startingSteps(context)];
  if (sparing.end.length === 0) return [...endingOverSteps(context), ...startingSteps(context)];
  const ended: CommandStep = { name: 'stopped', run: requireEnded };
  return [...hookSteps(context, ['stop']), ended, ...startingSteps(context)];
}

/** What takes more of the disk than its plan allows ends as it does for people; its start is then refused. */
function endingOverSteps(context: InstanceContext): readonly CommandStep[] {
  if (context.work.plan.operating.limits?.disk === undefined) return [];
  const measure: CommandStep['run'] = async (now) => {
    const isOver = (await findOverDisk(now)) !== undefined;
    return { keep: { isOver }, did: isOver ? 'measure' : undefined };
  };
  const ifOver = (step: CommandStep): CommandStep => ({
    ...step,
    run: async (now, attempt) =>
      attempt.kept['isOver'] === true ? step.run(now, attempt) : { did: undefined },
  });
  return [{ name: 'measure', run: measure }, ...stoppingSteps(context).map(ifOver)];
}

/** `halt` is for what is still up after `stop`. */
export function stoppingSteps(context: InstanceContext): readonly CommandStep[] {
  const halt: CommandStep = { name: 'halt', run: haltIfUp };
  return [...hookSteps(context, ['stop']), ...(hasHook(context, 'halt') ? [halt] : [])];
}

/** What takes one away, in the order opposite to its making. Nothing was made where there are no hooks. */
export function removingSteps(context: InstanceContext): readonly CommandStep[] {
  const hooks =
    existsSync(context.directory.hooks) || !isFromFiles(context)
      ? [...stoppingSteps(context), ...hookSteps(context, ['remove'])].map((step) =>
          withHooksRenewed(context, step),
        )
      : [];
  const isThere = existsSync(context.directory.data);
  return [...(isThere ? hooks : []), { name: 'clear', run: clear }];
}

/** For the last time the hooks of today: what was repaired is of use to what is there already. */
function withHooksRenewed({ node, directory, work }: InstanceContext, step: CommandStep): CommandStep {
  const { offeringName: name, operating } = work.plan;
  return {
    ...step,
    async run(context, attempt) {
      await renewHooks(node, directory, { name, hooks: operating.hooks });
      return step.run(context, attempt);
    },
  };
}

/** Takes a binding away by the hook of today. */
export function unbindingSteps(context: InstanceContext): readonly CommandStep[] {
  const { node, directory, work } = context;
  const { offeringName: name, operating } = work.plan;
  if (!hasHook(context, 'unbind')) return [];
  const run: CommandStep['run'] = (now, attempt) =>
    withHooksOfToday(node, directory, { name, hooks: operating.hooks }, (today) =>
      callOwnHook({ ...now, directory: today }, 'unbind', attempt),
    );
  return [{ name: 'unbind', run }];
}

export function hookSteps(context: InstanceContext, names: readonly TimedStep[]): readonly CommandStep[] {
  return names.filter((name) => hasHook(context, name)).map((name) => hookStep(name));
}

function hookStep(name: TimedStep): CommandStep {
  return {
    name,
    async run(context, attempt) {
      if (name === 'start') {
        await requireDisk(context);
        // Groups do not outlive a start of the machine, and an update may have been broken off.
        renewLimits(context);
      }
      return callOwnHook(context, name, attempt);
    },
  };
}

async function init(context: InstanceContext, attempt: Attempt): Promise<Kept> {
  const ports = await prepareDirectory(context);
  setLimits(context);
  const { keep } = await callOwnHook(
    contextOf(context, context.work, { ...attempt.kept, ports }),
    'init',
    attempt,
  );
  return { keep: { ports, ...keep } };
}

async function prepare(context: InstanceContext): Promise<Kept> {
  await requireDisk(context);
  const ports = await prepareDirectory(context);
  changeLimits(context);
  return { keep: { ports } };
}

/** @returns its ports */
async function prepareDirectory(context: InstanceContext): Promise<JsonObject> {
  const { node, work, directory } = await settleInstance(context, kind);
  const { offeringName: name, operating } = work.plan;
  await endLeftHooks(directory, work.instance.id);
  await keepHooks(node, directory, { name, hooks: operating.hooks });
  return takePorts(context);
}

async function takePorts({ node, ports, work }: InstanceContext): Promise<JsonObject> {
  const names = work.plan.making.config['ports'];
  if (!Array.isArray(names) || names.length === 0) return {};
  const taken = await ports.take(node.name, portOwner(work.instance), names as string[]);
  if (taken) return taken;
  throw new Failure(
    'no-ports',
    'There are not enough free network ports for this instance. Try again later.',
    {
      detail: `The node '${node.name}' has not ${names.length} free ports left.`,
    },
  );
}

async function haltIfUp(context: InstanceContext, attempt: Attempt): Promise<Kept> {
  return (await isDown(context)) ? {} : callOwnHook(context, 'halt', attempt);
}

async function requireEnded(context: InstanceContext): Promise<Kept> {
  const { instance, plan, signal } = context.work;
  const limit = limitOf(plan.operating, 'stop');
  const hasEnded = await until(() => !isAnythingOfInstance(instance.id), {
    first: 100,
    longest: 100,
    limit,
    signal,
  });
  if (!hasEnded || !(await isDown(context)))
    throw new Failure(
      leftRunning,
      `It did not end within ${limit / 1000} s after it was asked to, and is left as it is.`,
    );
  return {};
}

/** What cannot be told counts as up. Where nobody can be asked, `stop` has done it. */
async function isDown(context: InstanceContext): Promise<boolean> {
  if (!hasHook(context, 'check_up')) return hasHook(context, 'stop');
  return askHook(context, 'check_up', 1, {}).then(
    (state) => 'down' in state,
    (error: unknown) => {
      if (error instanceof Failure) return false;
      throw error;
    },
  );
}

async function clear(context: InstanceContext): Promise<Kept> {
  const { node, ports, directory, work } = context;
  await endLeftHooks(directory, work.instance.id);
  await node.keeper?.groups?.remove(basename(directory.base));
  await endAccount(directory);
  await removeInstanceDirectory(node, kind, work.instance);
  // Last: as long as anything of it is there, nobody else gets its numbers.
  await releaseAccount(context, portOwner(work.instance));
  await ports.release(node.name, portOwner(work.instance));
  return {};
}

/** Does any hook need a copy of a file of its own? */
function isFromFiles({ work }: InstanceContext): boolean {
  return Object.values(work.plan.operating.hooks).some(({ run: [program = ''] }) => program.includes('/'));
}
