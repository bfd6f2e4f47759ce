import { existsSync } from 'node:fs';
import { portOwner } from '../../broker/key.ts';
import type { Step, Work } from '../../broker/provisioner.ts';
import { keepHooks, renewHooks } from '../../node/hooks/files.ts';
import { endLeftHooks } from '../../node/hooks/runs.ts';
import { removeInstanceDirectory } from '../../node/instance-directory.ts';
import { endStrays } from '../../system/end-process.ts';
import { endingActs, isAnythingLaunched, isRunning } from './units/end.ts';
import { callHook } from './hook-calls.ts';
import { type Acts, goOn, keptIn, type Turn } from './sequence.ts';
import { kind, type ProcessSettings, type Site, siteOf } from './site.ts';

/** Removes an instance, or what there is of one: what runs, then its directory, then its ports. */
export function deprovision(settings: ProcessSettings, work: Work): Promise<Step<void>> {
  // What the hooks of a broken attempt have told is what they may need to take away what they made.
  const siteAt = ({ kept }: Turn) => siteOf(settings, work, { ...keptIn(work.trace), ...kept });
  const { node, ports } = settings;
  const acts: Acts = {
    async begin(turn) {
      const site = siteAt(turn);
      if (existsSync(site.directory.data)) await renewHooks(node, site.directory, offeringOf(site));
      return { to: (await isRunning(site)) ? 'stop' : 'remove' };
    },
    ...endingActs(siteAt, 'remove'),
    async remove(turn) {
      const site = siteAt(turn);
      await undo(site, turn.tries);
      // A late step of a broken attempt may have launched something meanwhile; without the directory it cannot.
      if (isAnythingLaunched(site)) return { to: 'stop' };
      await endStrays(site.directory.data);
      await removeInstanceDirectory(node, kind, work.instance);
      return { to: 'release', did: 'remove' };
    },
    // Last: as long as anything of it is there, nobody else gets its numbers.
    async release() {
      await ports.release(node.name, portOwner(work.instance));
      return { to: 'end', did: 'release' };
    },
  };
  return goOn(acts, 'begin', work, () => undefined);
}

/** What the offering's own programs have made elsewhere. Where none has ever run there is nothing. */
async function undo(site: Site, tries: number): Promise<void> {
  const { directory, work } = site;
  if (!existsSync(directory.data)) return;
  await endLeftHooks(directory, work.instance.id);
  if (!(await hasHooks(site))) return;
  await callHook(site, 'remove', tries);
}

/** It may have been repaired since the last try. */
async function hasHooks(site: Site): Promise<boolean> {
  const { node, directory } = site;
  return keepHooks(node, directory, offeringOf(site)).then(
    () => true,
    () => existsSync(directory.hooks),
  );
}

function offeringOf({ work: { plan } }: Site): { name: string; hooks: typeof plan.operating.hooks } {
  return { name: plan.offeringName, hooks: plan.operating.hooks };
}
