import { Failure } from '../../../broker/errors.ts';
import { leftRunning } from '../../../broker/units.ts';
import { isAnyLeft, signalGroup } from '../../../system/end-process.ts';
import { findConfigured } from '../files/state.ts';
import { callHook, hasHook, isUpByHook } from '../hook-calls.ts';
import { limitOf } from '../../../node/step-limits.ts';
import { untilSo } from '../patience.ts';
import type { Acts, Turn } from '../sequence.ts';
import type { Site } from '../site.ts';
import { findLive, type Launched, listLaunched } from './launched.ts';

/**
 * The acts that end units: `stop` asks and waits, `stopped` looks, `halt` kills, `halted` looks again.
 * @param to the act that follows
 * @param named the units it is about; undefined: all that were ever launched
 */
export function endingActs(
  siteAt: (turn: Turn) => Site,
  to: string,
  named: (turn: Turn) => readonly string[] | undefined = () => undefined,
): Acts {
  const look = (otherwise: (site: Site) => string, unsure: boolean) => async (turn: Turn) => {
    const site = siteAt(turn);
    const up = await isRunning(site, named(turn), unsure);
    return { to: up ? otherwise(site) : to, did: 'check_up' };
  };
  return {
    async stop(turn) {
      await stopUnits(siteAt(turn), named(turn), turn.tries);
      return { to: 'stopped', did: 'stop' };
    },
    stopped: look(() => 'halt', true),
    async halt(turn) {
      await haltUnits(siteAt(turn), named(turn), turn.tries);
      return { to: 'halted', did: 'halt' };
    },
    halted: look((site) => {
      throw stuck(site);
    }, false),
  };
}

/**
 * Does anything of it run, judged by identity, or by the offering's own hook where that starts it?
 * @param unsure what it counts as when that hook cannot say
 */
export async function isRunning(site: Site, named?: readonly string[], unsure = true): Promise<boolean> {
  const { work } = site;
  if (isAnythingLaunched(site, named)) return true;
  // What the offering starts by itself is nowhere written down; there must be something to ask.
  if (!hasHook(site, 'start') || !hasHook(site, 'check_up') || !findConfigured(site.directory)) return false;
  const limit = limitOf(work.plan.operating, 'start');
  return isUpByHook(site, 'check_up', limit).then(
    (result) => 'outputs' in result,
    (error: unknown) => {
      if (error instanceof Failure) return unsure;
      throw error;
    },
  );
}

/** Is there a process of what was launched for it? */
export function isAnythingLaunched(site: Site, named?: readonly string[]): boolean {
  return launchedOf(site, named).some(({ identity }) => isAnyLeft(identity, site.work.instance.id));
}

/** Ends all at once that can be ended, without acts of their own. */
export async function endUnits(site: Site): Promise<void> {
  if (!(await isRunning(site))) return;
  await stopUnits(site, undefined, 1);
  if (!(await isRunning(site))) return;
  await haltUnits(site, undefined, 1);
  if (await isRunning(site, undefined, false)) throw stuck(site);
}

/**
 * Asks these units to end and waits, for as long as they have. The offering's own hook would end all there is: it is
 * called only when nothing else lives, and is of no use for what a dead process has left behind.
 */
export async function askToEnd(site: Site, named: readonly string[], tries: number): Promise<void> {
  const others = listLaunched(site.directory).filter(({ unit }) => !named.includes(unit));
  const isAlone = !others.some(({ identity }) => isAnyLeft(identity, site.work.instance.id));
  const isAlive =
    hasHook(site, 'start') || launchedOf(site, named).some(({ unit }) => findLive(site.directory, unit));
  await stopUnits(site, named, tries, isAlone && isAlive);
}

/** @param byHook by the offering's own, where it has one */
async function stopUnits(
  site: Site,
  named: readonly string[] | undefined,
  tries: number,
  byHook = true,
): Promise<void> {
  const { operating } = site.work.plan;
  const limit = limitOf(operating, 'stop');
  if (byHook && hasHook(site, 'stop')) {
    // One that fails is no reason to leave it running: what is still there is killed next.
    await callHook(site, 'stop', tries).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
    });
    return void (await areGone(site, launchedOf(site, named), limit));
  }
  const units = findConfigured(site.directory)?.units ?? {};
  for (const group of inReverse(site, named)) {
    for (const { unit, identity } of group) {
      signalGroup(identity, units[unit]?.stopSignal ?? 'SIGTERM', site.work.instance.id);
    }
    await areGone(site, group, limit);
  }
}

async function haltUnits(site: Site, named: readonly string[] | undefined, tries: number): Promise<void> {
  const limit = limitOf(site.work.plan.operating, 'halt');
  if (hasHook(site, 'halt')) await callHook(site, 'halt', tries);
  for (const group of inReverse(site, named)) {
    if (!hasHook(site, 'halt')) {
      for (const { identity } of group) signalGroup(identity, 'SIGKILL', site.work.instance.id);
    }
    await areGone(site, group, limit);
  }
}

/** Groups of units that end together: the last that were started first. */
function inReverse(site: Site, named: readonly string[] | undefined): readonly (readonly Launched[])[] {
  const units = findConfigured(site.directory)?.units ?? {};
  const byOrder = new Map<number, Launched[]>();
  for (const launched of launchedOf(site, named)) {
    const order = units[launched.unit]?.order ?? 1;
    byOrder.set(order, [...(byOrder.get(order) ?? []), launched]);
  }
  return [...byOrder].toSorted(([a], [b]) => b - a).map(([, group]) => group);
}

function launchedOf({ directory }: Site, named: readonly string[] | undefined): readonly Launched[] {
  return listLaunched(directory).filter(({ unit }) => named?.includes(unit) ?? true);
}

function areGone({ work }: Site, group: readonly Launched[], limit: number): Promise<boolean> {
  const isGone = () => group.every(({ identity }) => !isAnyLeft(identity, work.instance.id));
  return untilSo(isGone, limit, work.signal);
}

function stuck({ work }: Site): Failure {
  const left = limitOf(work.plan.operating, 'halt') / 1000;
  return new Failure(
    'stuck',
    `The processes of the instance are still there ${left} s after they were killed.`,
  );
}

/** What a restart that spares what lives has asked to end, and does not. */
export function leftAsItIs({ work }: Site): Failure {
  const limit = limitOf(work.plan.operating, 'stop') / 1000;
  return new Failure(
    leftRunning,
    `It did not end within ${limit} s after it was asked to, and is left as it is.`,
  );
}
