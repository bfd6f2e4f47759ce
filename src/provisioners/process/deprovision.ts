import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { portOwner } from '../../broker/key.ts';
import type { Step, Work } from '../../broker/provisioner.ts';
import { keepHooks, renewHooks } from '../../node/hooks/files.ts';
import { endLeftHooks } from '../../node/hooks/runs.ts';
import { endAccount, hasAccount, releaseAccount } from '../../node/instance-account.ts';
import { removeInstanceDirectory } from '../../node/instance-directory.ts';
import { endStrays } from '../../system/end-process.ts';
import { endingSteps, isAnythingLaunched, isRunning } from './units/end.ts';
import { callHook } from '../../node/hook-steps.ts';
import { type NamedSteps, runSequence, keptIn, type Attempt } from '../../node/step-sequence.ts';
import type { UnitSettings } from './units/runner.ts';
import { type ProcessContext, contextOf } from './context.ts';

/** Removes an instance, or what there is of one: what runs, then its directory, then its ports. */
export function deprovision(settings: UnitSettings, work: Work): Promise<Step<void>> {
  // What the hooks of a broken attempt have put out is what they may need to take away what they made.
  const contextAt = ({ kept }: Attempt) => contextOf(settings, work, { ...keptIn(work.trace), ...kept });
  const { node, ports, runner } = settings;
  const steps: NamedSteps = {
    async begin(attempt) {
      const context = contextAt(attempt);
      if (existsSync(context.directory.data))
        await renewHooks(context.node, context.directory, offeringOf(context));
      return { to: (await isRunning(context)) ? 'stop' : 'remove' };
    },
    ...endingSteps(contextAt, 'remove', undefined, true),
    async remove(attempt) {
      const context = contextAt(attempt);
      await undo(context, attempt.tries);
      // A late step of a broken attempt may have launched something meanwhile; without the directory it cannot.
      if (await isAnythingLaunched(context)) return { to: 'stop' };
      await runner.remove?.(context);
      // By its user all of it is found below, wherever it has got to.
      if (!hasAccount(context.directory)) await endStrays(context.directory.data);
      await node.keeper?.groups?.remove(basename(context.directory.base));
      await endAccount(context.directory);
      await removeInstanceDirectory(node, runner.kind, work.instance);
      return { to: 'release', did: 'remove', repeats: true };
    },
    // Last: as long as anything of it is there, nobody else gets its numbers.
    async release() {
      await releaseAccount(settings, portOwner(work.instance));
      await ports.release(node.name, portOwner(work.instance));
      return { to: 'end', did: 'release' };
    },
  };
  return runSequence(steps, 'begin', work, () => undefined);
}

/** What the offering's own programs have made elsewhere. Where none has ever run there is nothing. */
async function undo(context: ProcessContext, tries: number): Promise<void> {
  const { directory, work } = context;
  if (!existsSync(directory.data)) return;
  await endLeftHooks(directory, work.instance.id);
  if (!(await hasHooks(context))) return;
  await callHook(context, 'remove', tries);
}

/** It may have been repaired since the last try. */
async function hasHooks(context: ProcessContext): Promise<boolean> {
  const { node, directory } = context;
  return keepHooks(node, directory, offeringOf(context)).then(
    () => true,
    () => existsSync(directory.hooks),
  );
}

function offeringOf({ work: { plan } }: ProcessContext): {
  name: string;
  hooks: typeof plan.operating.hooks;
} {
  return { name: plan.offeringName, hooks: plan.operating.hooks };
}
