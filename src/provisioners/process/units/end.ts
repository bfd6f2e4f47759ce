import { Failure } from '../../../broker/errors.ts';
import { leftRunning } from '../../../broker/units.ts';
import { isAnyLeft, signalGroup } from '../../../system/end-process.ts';
import { findConfigured } from '../files/state.ts';
import { askHook, callHook, hasHook } from '../../../node/hook-steps.ts';
import { limitOf } from '../../../node/step-limits.ts';
import { poll } from '../poll.ts';
import type { NamedSteps, Attempt } from '../../../node/step-sequence.ts';
import type { ProcessContext } from '../context.ts';
import { findLive, type Launched, listLaunched } from './launched.ts';

/**
 * The steps that end units: `stop` asks and waits, `stopped` looks, `halt` kills, `halted` looks again.
 * @param to the step that follows
 * @param named the units it is about; undefined: all that were ever launched
 */
export function endingSteps(
  contextAt: (attempt: Attempt) => ProcessContext,
  to: string,
  named: (attempt: Attempt) => readonly string[] | undefined = () => undefined,
): NamedSteps {
  const look =
    (otherwise: (context: ProcessContext) => string, unsure: boolean) => async (attempt: Attempt) => {
      const context = contextAt(attempt);
      const up = await isRunning(context, named(attempt), unsure);
      return { to: up ? otherwise(context) : to, did: 'check_up' };
    };
  return {
    async stop(attempt) {
      await stopUnits(contextAt(attempt), named(attempt), attempt.tries);
      return { to: 'stopped', did: 'stop' };
    },
    stopped: look(() => 'halt', true),
    async halt(attempt) {
      await haltUnits(contextAt(attempt), named(attempt), attempt.tries);
      return { to: 'halted', did: 'halt' };
    },
    halted: look((context) => {
      throw stuck(context);
    }, false),
  };
}

/**
 * Does anything of it run, judged by identity, or by the offering's own hook where that starts it?
 * @param unsure what it counts as when that hook cannot say
 */
export async function isRunning(
  context: ProcessContext,
  named?: readonly string[],
  unsure = true,
): Promise<boolean> {
  const { work } = context;
  if (isAnythingLaunched(context, named)) return true;
  // What the offering starts by itself is nowhere written down; there must be something to ask.
  if (!hasHook(context, 'start') || !hasHook(context, 'check_up') || !findConfigured(context.directory))
    return false;
  const limit = limitOf(work.plan.operating, 'start');
  return askHook(context, 'check_up', 1, { atMost: limit }).then(
    (result) => 'outputs' in result,
    (error: unknown) => {
      if (error instanceof Failure) return unsure;
      throw error;
    },
  );
}

/** Is there a process of what was launched for it? */
export function isAnythingLaunched(context: ProcessContext, named?: readonly string[]): boolean {
  return launchedOf(context, named).some(({ identity }) => isAnyLeft(identity, context.work.instance.id));
}

/** Ends all at once that can be ended, without steps of their own. */
export async function endUnits(context: ProcessContext): Promise<void> {
  if (!(await isRunning(context))) return;
  await stopUnits(context, undefined, 1);
  if (!(await isRunning(context))) return;
  await haltUnits(context, undefined, 1);
  if (await isRunning(context, undefined, false)) throw stuck(context);
}

/**
 * Asks these units to end and waits, for as long as they have. The offering's own hook would end all there is: it is
 * called only when nothing else lives, and is of no use for what a dead process has left behind.
 */
export async function askToEnd(
  context: ProcessContext,
  named: readonly string[],
  tries: number,
): Promise<void> {
  const others = listLaunched(context.directory).filter(({ unit }) => !named.includes(unit));
  const isAlone = !others.some(({ identity }) => isAnyLeft(identity, context.work.instance.id));
  const isAlive =
    hasHook(context, 'start') ||
    launchedOf(context, named).some(({ unit }) => findLive(context.directory, unit));
  await stopUnits(context, named, tries, isAlone && isAlive);
}

/** @param byHook by the offering's own, where it has one */
async function stopUnits(
  context: ProcessContext,
  named: readonly string[] | undefined,
  tries: number,
  byHook = true,
): Promise<void> {
  const { operating } = context.work.plan;
  const limit = limitOf(operating, 'stop');
  if (byHook && hasHook(context, 'stop')) {
    // One that fails is no reason to leave it running: what is still there is killed next.
    await callHook(context, 'stop', tries).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
    });
    return void (await areGone(context, launchedOf(context, named), limit));
  }
  const units = findConfigured(context.directory)?.units ?? {};
  for (const group of inReverse(context, named)) {
    for (const { unit, identity } of group) {
      signalGroup(identity, units[unit]?.stopSignal ?? 'SIGTERM', context.work.instance.id);
    }
    await areGone(context, group, limit);
  }
}

async function haltUnits(
  context: ProcessContext,
  named: readonly string[] | undefined,
  tries: number,
): Promise<void> {
  const limit = limitOf(context.work.plan.operating, 'halt');
  if (hasHook(context, 'halt')) await callHook(context, 'halt', tries);
  for (const group of inReverse(context, named)) {
    if (!hasHook(context, 'halt')) {
      for (const { identity } of group) signalGroup(identity, 'SIGKILL', context.work.instance.id);
    }
    await areGone(context, group, limit);
  }
}

/** Groups of units that end together: the last that were started first. */
function inReverse(
  context: ProcessContext,
  named: readonly string[] | undefined,
): readonly (readonly Launched[])[] {
  const units = findConfigured(context.directory)?.units ?? {};
  const byOrder = new Map<number, Launched[]>();
  for (const launched of launchedOf(context, named)) {
    const order = units[launched.unit]?.order ?? 1;
    byOrder.set(order, [...(byOrder.get(order) ?? []), launched]);
  }
  return [...byOrder].toSorted(([a], [b]) => b - a).map(([, group]) => group);
}

function launchedOf(
  { directory }: ProcessContext,
  named: readonly string[] | undefined,
): readonly Launched[] {
  return listLaunched(directory).filter(({ unit }) => named?.includes(unit) ?? true);
}

function areGone({ work }: ProcessContext, group: readonly Launched[], limit: number): Promise<boolean> {
  const isGone = () => group.every(({ identity }) => !isAnyLeft(identity, work.instance.id));
  return poll(isGone, limit, work.signal);
}

function stuck({ work }: ProcessContext): Failure {
  const left = limitOf(work.plan.operating, 'halt') / 1000;
  return new Failure(
    'stuck',
    `The processes of the instance are still there ${left} s after they were killed.`,
  );
}

/** What a restart that spares what lives has asked to end, and does not. */
export function leftAsItIs({ work }: ProcessContext): Failure {
  const limit = limitOf(work.plan.operating, 'stop') / 1000;
  return new Failure(
    leftRunning,
    `It did not end within ${limit} s after it was asked to, and is left as it is.`,
  );
}
