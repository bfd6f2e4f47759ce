import { Failure } from '../../../broker/errors.ts';
import { isObject, jsonOf } from '../../../broker/json.ts';
import type { Made, Step, Work } from '../../../broker/provisioner.ts';
import { backupByHook, giveToHook } from '../../../node/backup-hooks.ts';
import { runSequence, type Attempt, type NamedSteps } from '../../../node/step-sequence.ts';
import { contextOf } from '../context.ts';
import { startingSteps } from '../start-stop.ts';
import { endingSteps, isRunning } from '../units/end.ts';
import type { UnitSettings } from '../units/runner.ts';
import { forgetPrevious } from './rollback.ts';

/** Keeps what the offering's hook tells of an instance, which runs on. */
export async function backup(settings: UnitSettings, work: Work): Promise<Step<Made>> {
  return backupByHook(contextOf(settings, work));
}

/**
 * Ends the units, has the offering's hook put back what was kept, and starts them again, whether it could or not: unless
 * they shall be at rest.
 */
export async function restore(settings: UnitSettings, work: Work): Promise<Step<void>> {
  const contextAt = ({ kept }: Attempt) => contextOf(settings, work, kept);
  const after = work.instance.stopped === true ? 'end' : 'start';
  const steps: NamedSteps = {
    ...startingSteps(settings, work, async () => ({ to: 'start' })),
    async begin(attempt) {
      return { to: (await isRunning(contextAt(attempt))) ? 'stop' : 'restore' };
    },
    ...endingSteps(contextAt, 'restore', () => undefined),
    async restore(attempt) {
      try {
        await giveToHook(contextAt(attempt), attempt.tries);
        return { to: after, did: 'restore' };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const { word, message, hints } = error;
        return {
          to: after,
          did: 'restore',
          keep: { failed: jsonOf({ word, message, detail: hints.detail }) },
        };
      }
    },
  };
  return runSequence(steps, 'begin', work, (kept) => {
    forgetPrevious(contextOf(settings, work).directory);
    if (kept['failed'] !== undefined) throw failureIn(kept['failed']);
  });
}

function failureIn(failed: unknown): Failure {
  const { word, message, detail } = (isObject(failed) ? failed : {}) as Record<string, string | undefined>;
  return new Failure(
    word ?? 'hook',
    message ?? 'The restore failed.',
    detail === undefined ? {} : { detail },
  );
}
