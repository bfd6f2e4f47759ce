import type { Step, Work } from '../../broker/provisioner.ts';
import type { Sparing } from '../../broker/units.ts';
import { isAnythingOfInstance } from '../../node/instance-processes.ts';
import { findOverDisk } from '../../node/disk-limit.ts';
import { limitOf } from '../../node/step-limits.ts';
import { askToEnd, isAnythingLaunched, isRunning, leftAsItIs } from './units/end.ts';
import { hasHook } from '../../node/hook-steps.ts';
import { isAsPlanned, requireUnits, startingSteps } from './start-stop.ts';
import { poll } from './poll.ts';
import {
  type NamedStep,
  type NamedSteps,
  type Next,
  runSequence,
  type Attempt,
} from '../../node/step-sequence.ts';
import type { UnitSettings } from './units/runner.ts';
import { type ProcessContext, contextOf } from './context.ts';

/**
 * The restart of the monitor: starts the named units that have no process, and no other. What lives goes on, with its
 * connections, but for the units that may be asked to end; nothing is killed. Only an instance that takes more of the disk
 * than its plan allows ends as it does for people, and is started again when it takes less.
 */
export function restartSparing(settings: UnitSettings, work: Work, { end }: Sparing): Promise<Step<void>> {
  requireUnits(contextOf(settings, work));
  const contextAt = ({ kept }: Attempt) => contextOf(settings, work, kept);
  const named = ({ kept }: Attempt) => (kept['units'] as readonly string[] | undefined) ?? [];
  const starting = startingSteps(settings, work, async () => ({ to: 'end' }));
  const steps: NamedSteps = {
    ...starting,
    async begin(attempt): Promise<Next> {
      const context = contextAt(attempt);
      if ((await findOverDisk(context)) !== undefined)
        return {
          to: 'stop',
          keep: { isOver: true, units: work.units ?? Object.keys(context.config.processes) },
        };
      const units = await unitsToRestart(context, end);
      if (units.length === 0) return { to: 'end' };
      return { to: (await isToEnd(context, units, end)) ? 'stop' : 'start', keep: { units } };
    },
    async stop(attempt) {
      if (attempt.kept['isOver'] === true) return stepOf(starting, 'stop')(attempt);
      await askToEnd(contextAt(attempt), named(attempt), attempt.tries);
      return { to: 'stopped', did: 'stop' };
    },
    async stopped(attempt) {
      if (attempt.kept['isOver'] === true) return stepOf(starting, 'stopped')(attempt);
      const context = contextAt(attempt);
      const isLeft = () => isLeftOf(context, named(attempt));
      await poll(async () => !(await isLeft()), limitOf(work.plan.operating, 'stop'), work.signal);
      if ((await isLeft()) || (await isRunning(context, named(attempt)))) throw leftAsItIs(context);
      return { to: 'start', did: 'check_up' };
    },
    async start(attempt) {
      const context = contextAt(attempt);
      const isConfigured = attempt.kept['configured'] === true || isAsPlanned(context);
      // What others still run with is not written anew beneath them.
      const isLeft = isConfigured || (await isAnythingLaunched(context));
      const kept = { ...attempt.kept, ...(isLeft && { configured: true }) };
      return stepOf(starting, 'start')({ ...attempt, kept });
    },
  };
  return runSequence(steps, 'begin', work, () => undefined);
}

function stepOf(steps: NamedSteps, name: string): NamedStep {
  return steps[name] as NamedStep;
}

/** Of those named; what has come up again since it was seen dead is spared too. */
async function unitsToRestart(context: ProcessContext, end: readonly string[]): Promise<readonly string[]> {
  const { work, config, runner } = context;
  const named = work.units ?? Object.keys(config.processes);
  if (hasHook(context, 'start')) return end.length > 0 || !(await isRunning(context)) ? named : [];
  const live = await Promise.all(named.map((unit) => runner.isLive(context, unit)));
  return named.filter((unit, index) => end.includes(unit) || !live[index]);
}

/** What a dead unit has left behind is asked to end as well: it may hold its port and its files. */
async function isToEnd(
  context: ProcessContext,
  units: readonly string[],
  end: readonly string[],
): Promise<boolean> {
  if (hasHook(context, 'start')) return end.length > 0;
  return isAnythingLaunched(context, units);
}

/** What its own hook has started is known by its environment alone. */
async function isLeftOf(context: ProcessContext, units: readonly string[]): Promise<boolean> {
  const { instance } = context.work;
  return (
    (await isAnythingLaunched(context, units)) ||
    (hasHook(context, 'start') && isAnythingOfInstance(instance.id))
  );
}
