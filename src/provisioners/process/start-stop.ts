import { Failure } from '../../broker/errors.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Step, Work } from '../../broker/provisioner.ts';
import { settlePending } from './bind.ts';
import { isConfigured } from './files/state.ts';
import { configure, drawSite } from './files/configure.ts';
import { endingActs, isRunning } from './units/end.ts';
import { readyLimit } from '../../node/step-limits.ts';
import { findPrevious, forgetPrevious } from './files/rollback.ts';
import { awaitReady } from './probe/ready.ts';
import { type Acts, goOn, type Next, type Turn } from './sequence.ts';
import { type ProcessSettings, type Site, siteOf } from './site.ts';
import { findTakenPorts, startUnits, unitsOf } from './units/start.ts';
import { portTaken } from './update.ts';

/** Starts the units that are named, or all, in their order; those that run go on. */
export function start(settings: ProcessSettings, work: Work): Promise<Step<void>> {
  const acts = startingActs(settings, work, async (site) => ({ to: 'start', keep: namesOf(site) }));
  return goOn(acts, 'begin', work, () => forgetPrevious(siteOf(settings, work).directory));
}

/** Ends the units that are named, or all, in reverse order. */
export function stop(settings: ProcessSettings, work: Work): Promise<Step<void>> {
  requireUnits(siteOf(settings, work));
  const siteAt = ({ kept }: Turn) => siteOf(settings, work, kept);
  const acts: Acts = {
    begin: async (turn) => ({ to: (await isRunning(siteAt(turn), work.units)) ? 'stop' : 'end' }),
    ...endingActs(siteAt, 'end', () => work.units),
  };
  return goOn(acts, 'begin', work, () => undefined);
}

/** Ends and starts the units that are named, or all: with the same data and ports. */
export function restart(settings: ProcessSettings, work: Work): Promise<Step<void>> {
  const acts = startingActs(settings, work, async (site) => ({
    to: (await isRunning(site, work.units)) ? 'stop' : 'start',
    keep: namesOf(site),
  }));
  return goOn(acts, 'begin', work, () => forgetPrevious(siteOf(settings, work).directory));
}

/**
 * What the rows say counts: after an update that was broken off, or when the node has another address now, all of
 * the instance is configured again.
 */
export function startingActs(
  settings: ProcessSettings,
  work: Work,
  begin: (site: Site) => Promise<Next>,
): Acts {
  requireUnits(siteOf(settings, work));
  const siteAt = ({ kept }: Turn) => siteOf(settings, work, kept);
  const named = ({ kept }: Turn) => (kept['units'] as readonly string[] | null | undefined) ?? undefined;
  return {
    async begin(turn) {
      const site = siteAt(turn);
      if (isAsPlanned(site)) return begin(site);
      return { to: (await isRunning(site)) ? 'stop' : 'start', keep: { units: null } };
    },
    ...endingActs(siteAt, 'start', named),
    async start(turn) {
      const site = siteAt(turn);
      // Once: a file that the hook takes away again would never be there.
      if (turn.kept['configured'] !== true && !isAsPlanned(site)) return { to: 'configure' };
      const taken = await findTakenPorts(site, Object.keys(site.numbers));
      if (taken.length > 0) throw portTaken(site, taken);
      await startUnits(site, unitsOf(site, named(turn)), turn.tries);
      return { to: 'ready', did: 'start' };
    },
    async configure(turn) {
      const site = siteAt(turn);
      await configure(site, drawSite(site), turn.tries);
      forgetPrevious(site.directory);
      return { to: 'start', did: 'configure', keep: { configured: true } };
    },
    async ready(turn) {
      const site = siteAt(turn);
      await awaitReady(site, unitsOf(site, named(turn)), readyLimit(work.plan.operating));
      await settlePending(settings, site);
      return { to: 'end', did: 'check_up' };
    },
  };
}

export function isAsPlanned(site: Site): boolean {
  return !findPrevious(site.directory) && isConfigured(site.directory, drawSite(site));
}

function namesOf({ work }: Site): JsonObject {
  return { units: work.units ?? null };
}

/** @throws Failure 'invalid' when there is no such unit */
export function requireUnits({ config, work: { units } }: Site): void {
  requireNames(Object.keys(config.processes), units ?? []);
}

export function requireNames(known: readonly string[], names: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Failure('invalid', `There is no unit '${unknown}'. There are: ${known.join(', ')}.`);
}
