import { Failure } from '../../../broker/errors.ts';
import { leftRunning } from '../../../broker/units.ts';
import { findConfigured } from '../files/state.ts';
import { askHook, callHook, hasHook } from '../../../node/hook-steps.ts';
import { limitOf } from '../../../node/step-limits.ts';
import { poll } from '../poll.ts';
import type { NamedSteps, Attempt } from '../../../node/step-sequence.ts';
import type { ProcessContext } from '../context.ts';

/**
 * The steps that end units: `stop` asks and waits, `stopped` looks, `halt` kills, `halted` looks again.
 * @param to the step that follows
 * @param named the units it is about; undefined: all that were ever launched
 * @param repeats who begins anew after any of these steps comes to the same, unless hooks were called
 */
export function endingSteps(
  contextAt: (attempt: Attempt) => ProcessContext,
  to: string,
  named: (attempt: Attempt) => readonly string[] | undefined = () => undefined,
  repeats = false,
): NamedSteps {
  const look =
    (otherwise: (context: ProcessContext) => string, unsure: boolean) => async (attempt: Attempt) => {
      const context = contextAt(attempt);
      const up = await isRunning(context, named(attempt), unsure);
      return { to: up ? otherwise(context) : to, did: 'check_up', repeats };
    };
  return {
    async stop(attempt) {
      const context = contextAt(attempt);
      await stopUnits(context, named(attempt), attempt.tries);
      return { to: 'stopped', did: 'stop', repeats: repeats && !hasHook(context, 'stop') };
    },
    stopped: look(() => 'halt', true),
    async halt(attempt) {
      const context = contextAt(attempt);
      await haltUnits(context, named(attempt), attempt.tries);
      return { to: 'halted', did: 'halt', repeats: repeats && !hasHook(context, 'halt') };
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
  if (await isAnythingLaunched(context, named)) return true;
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
export async function isAnythingLaunched(
  context: ProcessContext,
  named?: readonly string[],
): Promise<boolean> {
  return (await context.runner.listLeft(context, named)).length > 0;
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
  const left = await context.runner.listLeft(context);
  const isAlone = left.every((unit) => named.includes(unit));
  const live = await Promise.all(named.map((unit) => context.runner.isLive(context, unit)));
  const isAlive = hasHook(context, 'start') || live.includes(true);
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
    return void (await areGone(context, named, limit));
  }
  const units = findConfigured(context.directory)?.units ?? {};
  for (const group of await inReverse(context, named)) {
    await signalAll(context, group, (unit) => units[unit]?.stopSignal ?? 'SIGTERM');
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
  for (const group of await inReverse(context, named)) {
    if (!hasHook(context, 'halt')) await signalAll(context, group, () => 'SIGKILL');
    await areGone(context, group, limit);
  }
}

/** Groups of units that end together: the last that were started first. */
async function inReverse(
  context: ProcessContext,
  named: readonly string[] | undefined,
): Promise<readonly (readonly string[])[]> {
  const units = findConfigured(context.directory)?.units ?? {};
  const left = await context.runner.listLeft(context, named);
  const byOrder = Map.groupBy(left, (unit) => units[unit]?.order ?? 1);
  return [...byOrder].toSorted(([a], [b]) => b - a).map(([, group]) => group);
}

async function signalAll(
  context: ProcessContext,
  group: readonly string[],
  signalOf: (unit: string) => NodeJS.Signals,
): Promise<void> {
  await Promise.all(group.map((unit) => context.runner.signal(context, unit, signalOf(unit))));
}

function areGone(
  context: ProcessContext,
  group: readonly string[] | undefined,
  limit: number,
): Promise<boolean> {
  return poll(async () => !(await isAnythingLaunched(context, group)), limit, context.work.signal);
}

function stuck({ work }: ProcessContext): Failure {
  const left = limitOf(work.plan.operating, 'halt') / 1000;
  return new Failure(
    'stuck',
    `The processes of the instance are still there ${left} s after they were killed.`,
  );
}

/** What a restart that spares what lives has asked to end, and does not. */
export function leftAsItIs({ work }: Pick<ProcessContext, 'work'>): Failure {
  const limit = limitOf(work.plan.operating, 'stop') / 1000;
  return new Failure(
    leftRunning,
    `It did not end within ${limit} s after it was asked to, and is left as it is.`,
  );
}
