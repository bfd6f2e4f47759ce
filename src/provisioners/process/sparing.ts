import type { Step, Work } from '../../broker/provisioner.ts';
import type { Sparing } from '../../broker/records.ts';
import { isAnythingOfInstance } from '../../node/instance-processes.ts';
import { limitOf } from '../../node/step-limits.ts';
import { askToEnd, isAnythingLaunched, isRunning, leftAsItIs } from './units/end.ts';
import { hasHook } from './hook-calls.ts';
import { isAsPlanned, requireUnits, startingActs } from './start-stop.ts';
import { untilSo } from './patience.ts';
import { type Acts, goOn, type Turn } from './sequence.ts';
import { type ProcessSettings, type Site, siteOf } from './site.ts';
import { findLive } from './units/launched.ts';

/**
 * The restart of the monitor: starts the named units that have no process, and no other. What lives goes on, with its
 * connections, but for the units that may be asked to end; nothing is killed.
 */
export function restartSparing(settings: ProcessSettings, work: Work, { end }: Sparing): Promise<Step<void>> {
  requireUnits(siteOf(settings, work));
  const siteAt = ({ kept }: Turn) => siteOf(settings, work, kept);
  const named = ({ kept }: Turn) => (kept['units'] as readonly string[] | undefined) ?? [];
  const starting = startingActs(settings, work, async () => ({ to: 'end' }));
  const acts: Acts = {
    ...starting,
    async begin(turn) {
      const site = siteAt(turn);
      const units = await unitsToRestart(site, end);
      if (units.length === 0) return { to: 'end' };
      return { to: isToEnd(site, units, end) ? 'stop' : 'start', keep: { units } };
    },
    async stop(turn) {
      await askToEnd(siteAt(turn), named(turn), turn.tries);
      return { to: 'stopped', did: 'stop' };
    },
    async stopped(turn) {
      const site = siteAt(turn);
      await untilSo(() => !isLeftOf(site, named(turn)), limitOf(work.plan.operating, 'stop'), work.signal);
      if (isLeftOf(site, named(turn)) || (await isRunning(site, named(turn)))) throw leftAsItIs(site);
      return { to: 'start', did: 'check_up' };
    },
    async start(turn) {
      const site = siteAt(turn);
      const isConfigured = turn.kept['configured'] === true || isAsPlanned(site);
      // What others still run with is not written anew beneath them.
      const isLeft = isConfigured || isAnythingLaunched(site);
      const kept = { ...turn.kept, ...(isLeft && { configured: true }) };
      return (starting['start'] as NonNullable<Acts['start']>)({ ...turn, kept });
    },
  };
  return goOn(acts, 'begin', work, () => undefined);
}

/** Of those named; what has come up again since it was seen dead is spared too. */
async function unitsToRestart(site: Site, end: readonly string[]): Promise<readonly string[]> {
  const { work, config, directory } = site;
  const named = work.units ?? Object.keys(config.processes);
  if (hasHook(site, 'start')) return end.length > 0 || !(await isRunning(site)) ? named : [];
  return named.filter((unit) => end.includes(unit) || !findLive(directory, unit));
}

/** What a dead unit has left behind is asked to end as well: it may hold its port and its files. */
function isToEnd(site: Site, units: readonly string[], end: readonly string[]): boolean {
  if (hasHook(site, 'start')) return end.length > 0;
  return isAnythingLaunched(site, units);
}

/** What its own hook has started is known by its environment alone. */
function isLeftOf(site: Site, units: readonly string[]): boolean {
  const { instance } = site.work;
  return isAnythingLaunched(site, units) || (hasHook(site, 'start') && isAnythingOfInstance(instance.id));
}
