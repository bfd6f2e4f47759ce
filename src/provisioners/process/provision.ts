import { Failure } from '../../broker/errors.ts';
import { jsonOf } from '../../broker/json.ts';
import { portOwner } from '../../broker/key.ts';
import type { Made, Step, Work } from '../../broker/provisioner.ts';
import { keepHooks } from '../../node/hooks/files.ts';
import { findUid, settleInstance } from '../../node/instance-account.ts';
import { misconfigured } from './files/blueprint.ts';
import { mistakeIn } from './config.ts';
import { configure, drawContext } from './files/configure.ts';
import { findConfigured } from './files/state.ts';
import { endingSteps, isRunning } from './units/end.ts';
import { callHook, hasHook, keepOutputs } from '../../node/hook-steps.ts';
import { readyLimit } from '../../node/step-limits.ts';
import { awaitReady } from './probe/ready.ts';
import { type NamedSteps, runSequence, type Next, type Attempt } from '../../node/step-sequence.ts';
import { factsOf } from '../../node/instance-context.ts';
import type { UnitSettings } from './units/runner.ts';
import { type ProcessContext, contextOf } from './context.ts';
import { findTakenPorts, noPort, replacePorts, startUnits, unitsOf } from './units/start.ts';

/** Makes an instance: init, prepare, configure, check_up, what runs already ended, start, check_up, once_ready. */
export function provision(settings: UnitSettings, work: Work): Promise<Step<Made>> {
  const contextAt = ({ kept }: Attempt) => contextOf(settings, work, kept);
  const steps: NamedSteps = {
    init: (attempt) => init(contextAt(attempt), settings, attempt),
    prepare: (attempt) => prepare(contextAt(attempt), attempt),
    async configure(attempt) {
      const context = contextAt(attempt);
      const told = await configure(context, drawContext(context), attempt.tries);
      const repeats = !hasHook(context, 'configure');
      return { to: 'check_up', did: 'configure', repeats, ...keepOutputs(context, 'configure', told) };
    },
    // By identity: what a broken attempt has left running may be configured differently.
    async check_up(attempt) {
      return { to: (await isRunning(contextAt(attempt))) ? 'stop' : 'start', did: 'check_up' };
    },
    ...endingSteps(contextAt, 'start'),
    start: (attempt) => start(contextAt(attempt), attempt),
    async ready(attempt) {
      const context = contextAt(attempt);
      await awaitReady(context, unitsOf(context), readyLimit(work.plan.operating));
      return { to: hasHook(context, 'once_ready') ? 'once_ready' : 'end', did: 'check_up' };
    },
    async once_ready(attempt) {
      const context = contextAt(attempt);
      const told = await callHook(context, 'once_ready', attempt.tries);
      return { to: 'end', did: 'once_ready', ...keepOutputs(context, 'once_ready', told) };
    },
  };
  return runSequence(steps, 'init', work, (kept) => ({ facts: factsOf(contextOf(settings, work, kept)) }));
}

/**
 * Ports for all names that the config has: those that the instance has already, and new ones.
 * @param told names whose number somebody knows already: they stay as they are
 * @throws Failure when there are not enough
 */
export async function takePorts(
  settings: UnitSettings,
  work: Work,
  told: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const { node, ports } = settings;
  const names = contextOf(settings, work).config.ports;
  if (names.length === 0) return {};
  const numbers = await ports.take(node.name, portOwner(work.instance), names);
  if (!numbers) throw noPort();
  const context = contextOf(settings, work, { ports: numbers });
  const untold = names.filter((name) => !told.includes(name));
  return replacePorts(context, await findTakenPorts(context, untold));
}

async function init(context: ProcessContext, settings: UnitSettings, attempt: Attempt): Promise<Next> {
  const { work, config } = context;
  const mistake = mistakeIn(config);
  if (mistake !== undefined) throw new Failure('misconfigured', misconfigured, { detail: mistake });
  // Both have ended before it fails: what is undone then is all there is.
  const [taken, user] = await Promise.allSettled([takePorts(settings, work, []), findUid(context)]);
  if (taken.status === 'rejected') throw taken.reason;
  if (user.status === 'rejected') throw user.reason;
  const [ports, uid] = [taken.value, user.value];
  const next = { to: 'prepare', did: 'init', keep: jsonOf({ ports, uid }) };
  if (!hasHook(context, 'init')) return { ...next, repeats: true };
  await settle(context, uid);
  const ready = contextOf(settings, work, { ...attempt.kept, ports });
  const told = await callHook(ready, 'init', attempt.tries);
  return { ...next, keep: { ...next.keep, ...keepOutputs(ready, 'init', told).keep } };
}

async function prepare(context: ProcessContext, { kept, tries }: Attempt): Promise<Next> {
  await context.runner.requireParts(context);
  const { uid } = kept;
  const settled = await settle(context, typeof uid === 'number' ? uid : undefined);
  const told = await callHook(settled, 'prepare', tries);
  const repeats = !hasHook(context, 'prepare');
  return { to: 'configure', did: 'prepare', repeats, ...keepOutputs(settled, 'prepare', told) };
}

/** Its user and its directory, with the hooks of the offering. @returns the context as it is now */
export async function settle(context: ProcessContext, taken?: number): Promise<ProcessContext> {
  const { offeringName: name, operating } = context.work.plan;
  const settled = await settleInstance(context, context.runner.kind, taken);
  await keepHooks(settled.node, settled.directory, { name, hooks: operating.hooks });
  return settled;
}

/**
 * A stranger may have taken a port since `init` had looked: once it gets another number, and is configured again. The
 * machine may have lost its power since the last step, and with it what was to say what is configured: it is made again.
 */
async function start(context: ProcessContext, { kept, tries }: Attempt): Promise<Next> {
  if (!findConfigured(context.directory)) return { to: 'prepare' };
  const taken = await findTakenPorts(context, Object.keys(context.numbers));
  if (taken.length > 0 && kept['replaced'] === true) throw noPort();
  if (taken.length > 0) {
    return { to: 'configure', keep: { ports: await replacePorts(context, taken), replaced: true } };
  }
  await startUnits(context, unitsOf(context), tries);
  return { to: 'ready', did: 'start', repeats: !hasHook(context, 'start') };
}
