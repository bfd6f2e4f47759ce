import { lstatSync } from 'node:fs';
import type { Work } from '../../broker/provisioner.ts';
import type { UnitFacts } from '../../broker/units.ts';
import { Failure } from '../../broker/errors.ts';
import type { UnitBlueprint } from './files/blueprint.ts';
import { findConfigured } from './files/state.ts';
import { askHook, hasHook } from '../../node/hook-steps.ts';
import { lookAtDisk } from '../../node/disk-limit.ts';
import { limitOf } from '../../node/step-limits.ts';
import { isAnythingOfInstance } from '../../node/instance-processes.ts';
import { askUnit, portOf } from './probe/ready.ts';
import { renewCertificate } from './renewal.ts';
import { answerReason } from './reason.ts';
import type { UnitSettings } from './units/runner.ts';
import { type ProcessContext, contextOf } from './context.ts';
import { withStruckLimits } from '../../node/struck-limits.ts';

/** Milliseconds for a hook that is asked, which is a program and needs a moment to begin. */
const hookLimit = 4_000;

/** How each unit is now, all asked at once: those of the plan, whatever became of them. */
export async function inspect(settings: UnitSettings, work: Work): Promise<readonly UnitFacts[]> {
  const context = contextOf(settings, work);
  const configured = findConfigured(context.directory)?.units ?? {};
  const units = Object.keys({ ...context.config.processes, ...configured });
  const fault = findFault(context) ?? (await context.runner.findFault?.());
  if (fault !== undefined) return units.map((unit) => ({ unit, alive: false, answer: 'unasked', fault }));
  // One program answers for all units.
  let asked: ReturnType<typeof stateByHook> | undefined;
  const ask = () => (asked ??= stateByHook(context));
  const { outdated, warning } = await renewCertificate(context);
  const [facts, failed, disk] = await Promise.all([
    Promise.all(units.map((unit) => inspectUnit(context, unit, configured[unit], ask))),
    askMonitor(context),
    lookAtDisk(context),
  ]);
  return facts.map((unit) => ({
    ...unit,
    ...disk,
    warning: disk.warning ?? warning,
    failed,
    outdated: outdated.includes(unit.unit) || undefined,
  }));
}

/** Our side's fault, which no restart of the service would mend. */
function findFault({ directory }: ProcessContext): string | undefined {
  for (const folder of [directory.data, directory.conf, directory.state]) {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (!found?.isDirectory()) return 'its directory on the node is gone';
  }
  return undefined;
}

async function inspectUnit(
  context: ProcessContext,
  unit: string,
  blueprint: UnitBlueprint | undefined,
  ask: () => ReturnType<typeof stateByHook>,
): Promise<UnitFacts> {
  const { directory, node, work } = context;
  const port = portOf(blueprint?.ready);
  const address = port === undefined ? undefined : `${node.host}:${port}`;
  const limit = limitOf(work.plan.operating, 'monitor');
  if (hasHook(context, 'start')) return { unit, ...withStruckLimits(await ask(), node, directory), address };
  const { reason: struck, ...found } = await context.runner.describe(context, unit, blueprint);
  if (!found.alive) {
    const reason = struck ?? (await ending(context, unit, blueprint));
    return { unit, alive: false, answer: 'unasked', reason, address };
  }
  const alive = { unit, ...found, address };
  if (hasHook(context, 'check_up')) return { ...alive, reason: struck, ...(await ask()) };
  const answer = blueprint && (await askUnit(context, unit, blueprint, limit));
  if (!answer) return { ...alive, answer: 'unasked' };
  const { is } = answer;
  const reason = answerReason(answer, work.redact) ?? (is === 'ready' ? struck : undefined);
  return { ...alive, answer: is, reason };
}

async function ending(
  context: ProcessContext,
  unit: string,
  blueprint: UnitBlueprint | undefined,
): Promise<string> {
  const tail = await context.runner.tail(context, unit, blueprint?.log, 1);
  const last = context.work.redact(tail.trim());
  return last ? `it has ended; the last line of its log: ${last.slice(-300)}` : 'it has ended';
}

/**
 * As its check_up says. Where a hook has started it, too, nobody else knows whether it lives: it does not when that hook
 * says so, and no process that was started for the instance is left.
 */
async function stateByHook(context: ProcessContext): Promise<Pick<UnitFacts, 'alive' | 'answer' | 'reason'>> {
  const { instance } = context.work;
  const said = await callQuietly(context, 'check_up');
  if (said.is === 'ready') return { alive: true, answer: 'ready' };
  const reason = said.reason ? { reason: said.reason } : {};
  const isStartedByHook = hasHook(context, 'start');
  // Of what is to be at rest nothing else is expected.
  if (isStartedByHook && instance.stopped) return { alive: false, answer: 'unasked', ...reason };
  if (isStartedByHook && said.is === 'down' && !isAnythingOfInstance(instance.id))
    return { alive: false, answer: 'unasked', ...reason };
  return { alive: true, answer: said.is === 'silent' ? 'silent' : 'wrong', ...reason };
}

async function askMonitor(context: ProcessContext): Promise<string | undefined> {
  if (!hasHook(context, 'monitor')) return undefined;
  const { is, reason } = await callQuietly(context, 'monitor');
  if (is === 'ready') return undefined;
  return `its monitor hook says that it has failed${reason ? `: ${reason}` : ''}`;
}

/** What a hook says; one that fails itself has not said that it is down. */
interface Said {
  readonly is: 'ready' | 'down' | 'wrong' | 'silent';
  readonly reason?: string;
}

async function callQuietly(context: ProcessContext, name: 'check_up' | 'monitor'): Promise<Said> {
  const limit = Math.max(hookLimit, limitOf(context.work.plan.operating, 'monitor'));
  try {
    const result = await askHook(context, name, 1, { atMost: limit });
    if ('down' in result) return { is: 'down', reason: result.down };
    return 'again' in result ? { is: 'silent', reason: 'it asks to be asked later' } : { is: 'ready' };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { is: error.word === 'timeout' ? 'silent' : 'wrong', reason: error.message };
  }
}
