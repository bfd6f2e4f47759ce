import { Failure } from '../../broker/errors.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Step, Work } from '../../broker/provisioner.ts';
import { settlePending } from './bind.ts';
import { isConfigured } from './files/state.ts';
import { configure, drawContext } from './files/configure.ts';
import { endingSteps, isRunning } from './units/end.ts';
import { requireDisk } from '../../node/disk-limit.ts';
import { readyLimit } from '../../node/step-limits.ts';
import { findPrevious, forgetPrevious } from './files/rollback.ts';
import { awaitReady } from './probe/ready.ts';
import { type NamedSteps, runSequence, type Next, type Attempt } from '../../node/step-sequence.ts';
import type { UnitSettings } from './units/runner.ts';
import { type ProcessContext, contextOf } from './context.ts';
import { findTakenPorts, startUnits, unitsOf } from './units/start.ts';
import { portTaken } from './update.ts';

/** Starts the units that are named, or all, in their order; those that run go on. */
export function start(settings: UnitSettings, work: Work): Promise<Step<void>> {
  const steps = startingSteps(settings, work, async (context) => ({ to: 'start', keep: namesOf(context) }));
  return runSequence(steps, 'begin', work, () => forgetPrevious(contextOf(settings, work).directory));
}

/** Ends the units that are named, or all, in reverse order. */
export function stop(settings: UnitSettings, work: Work): Promise<Step<void>> {
  requireUnits(contextOf(settings, work));
  const contextAt = ({ kept }: Attempt) => contextOf(settings, work, kept);
  const steps: NamedSteps = {
    begin: async (attempt) => ({ to: (await isRunning(contextAt(attempt), work.units)) ? 'stop' : 'end' }),
    ...endingSteps(contextAt, 'end', () => work.units),
  };
  return runSequence(steps, 'begin', work, () => undefined);
}

/** Ends and starts the units that are named, or all: with the same data and ports. */
export function restart(settings: UnitSettings, work: Work): Promise<Step<void>> {
  const steps = startingSteps(settings, work, async (context) => ({
    to: (await isRunning(context, work.units)) ? 'stop' : 'start',
    keep: namesOf(context),
  }));
  return runSequence(steps, 'begin', work, () => forgetPrevious(contextOf(settings, work).directory));
}

/**
 * What the rows say counts: after an update that was broken off, or when the node has another address now, all of
 * the instance is configured again.
 */
export function startingSteps(
  settings: UnitSettings,
  work: Work,
  begin: (context: ProcessContext) => Promise<Next>,
): NamedSteps {
  requireUnits(contextOf(settings, work));
  const contextAt = ({ kept }: Attempt) => contextOf(settings, work, kept);
  const named = ({ kept }: Attempt) => (kept['units'] as readonly string[] | null | undefined) ?? undefined;
  return {
    async begin(attempt) {
      const context = contextAt(attempt);
      await requireDisk(context);
      if (isAsPlanned(context)) return begin(context);
      return { to: (await isRunning(context)) ? 'stop' : 'start', keep: { units: null } };
    },
    ...endingSteps(contextAt, 'start', named),
    async start(attempt) {
      const context = contextAt(attempt);
      // Once: a file that the hook takes away again would never be there.
      if (attempt.kept['configured'] !== true && !isAsPlanned(context)) return { to: 'configure' };
      await requireDisk(context);
      const taken = await findTakenPorts(context, Object.keys(context.numbers));
      if (taken.length > 0) throw portTaken(context, taken);
      await startUnits(context, unitsOf(context, named(attempt)), attempt.tries);
      return { to: 'ready', did: 'start' };
    },
    async configure(attempt) {
      const context = contextAt(attempt);
      await configure(context, drawContext(context), attempt.tries);
      forgetPrevious(context.directory);
      return { to: 'start', did: 'configure', keep: { configured: true } };
    },
    async ready(attempt) {
      const context = contextAt(attempt);
      await awaitReady(context, unitsOf(context, named(attempt)), readyLimit(work.plan.operating));
      await settlePending(settings, context);
      return { to: 'end', did: 'check_up' };
    },
  };
}

export function isAsPlanned(context: ProcessContext): boolean {
  return !findPrevious(context.directory) && isConfigured(context.directory, drawContext(context));
}

function namesOf({ work }: ProcessContext): JsonObject {
  return { units: work.units ?? null };
}

/** @throws Failure 'invalid' when there is no such unit */
export function requireUnits({ config, work: { units } }: ProcessContext): void {
  requireNames(Object.keys(config.processes), units ?? []);
}

export function requireNames(known: readonly string[], names: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Failure('invalid', `There is no unit '${unknown}'. There are: ${known.join(', ')}.`);
}
