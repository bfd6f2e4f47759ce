import { existsSync } from 'node:fs';
import { Failure } from '../../broker/errors.ts';
import type { LogQuery, UnitFacts, UnitLog } from '../../broker/units.ts';
import { readHookLog } from '../../node/hooks/log.ts';
import type { HookResult } from '../../node/hooks/run.ts';
import { isAnythingOfInstance } from '../../node/instance-processes.ts';
import { askHook, hasHook } from '../../node/hook-steps.ts';
import type { InstanceContext } from '../../node/instance-context.ts';
import { withStruckLimits } from '../../node/struck-limits.ts';
import { type DiskFacts, lookAtDisk } from '../../node/disk-limit.ts';
import { limitOf } from '../../node/step-limits.ts';

/** Milliseconds that the hooks have together; a look must end within a few seconds. */
const patience = 2500;

/**
 * How the instance is, as its hooks check_up and monitor say. Where it has neither it is as it shall be: a hook that is
 * missing is a success. It is dead only when check_up says that it does not run, and no process that was started for it
 * is left; a monitor says how well it is, and a hook that fails itself says nothing.
 */
export async function look(context: InstanceContext): Promise<readonly UnitFacts[]> {
  const { node, directory } = context;
  const [state, disk] = await Promise.all([stateNow(context), lookAtDisk(context)]);
  return [{ unit: unitOf(context), ...withStruckLimits(state, node, directory), ...ofDisk(context, disk) }];
}

/** What nobody has started nobody ends: it is told. */
function ofDisk(context: InstanceContext, { exceeds, warning }: DiskFacts): Partial<State> {
  if (exceeds === undefined) return { warning };
  return hasHook(context, 'start') ? { exceeds } : { limited: exceeds };
}

/** What its hooks have written, for people. */
export async function readLog(
  context: InstanceContext,
  { unit, lines }: LogQuery,
): Promise<readonly UnitLog[]> {
  const own = unitOf(context);
  return unit === undefined || unit === own
    ? [{ unit: own, text: readHookLog(context.node, context.directory, lines) }]
    : [];
}

type State = Omit<UnitFacts, 'unit'>;

async function stateNow(context: InstanceContext): Promise<State> {
  const { work, directory } = context;
  if (!existsSync(directory.data)) return { alive: false, answer: 'unasked', fault: 'its directory is gone' };
  const names = (['check_up', 'monitor'] as const).filter((name) => hasHook(context, name));
  if (names.length === 0) return work.instance.stopped ? atRest : { ...up, reason: 'nothing says otherwise' };
  for (const name of names) {
    const state = await ask(context, name, patience / names.length);
    if (state !== up) return state;
  }
  return up;
}

const up: State = { alive: true, answer: 'ready' };
const atRest: State = { alive: false, answer: 'unasked' };

async function ask(context: InstanceContext, name: 'check_up' | 'monitor', limit: number): Promise<State> {
  // That of check_up is for coming up, not for one question.
  const own = name === 'check_up' ? undefined : limitOf(context.work.plan.operating, name);
  try {
    return stateOf(context, await askHook(context, name, 1, { limit: own, atMost: limit }), name);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // Of what is to be at rest nothing else is expected.
    if (context.work.instance.stopped) return { ...atRest, reason: clause(error.message) };
    if (error.word !== 'timeout') return { alive: true, answer: 'wrong', reason: clause(error.message) };
    return { alive: true, answer: 'silent', reason: `its ${name} did not answer within ${limit / 1000} s` };
  }
}

function stateOf({ work }: InstanceContext, result: HookResult, name: 'check_up' | 'monitor'): State {
  if ('outputs' in result) return up;
  if ('again' in result)
    return { alive: true, answer: 'silent', reason: `its ${name} asks to be called later` };
  const said = result.down ? `: ${result.down}` : '';
  const reason = `its ${name} says that it is not up${said}`;
  if (work.instance.stopped) return { ...atRest, reason };
  if (name === 'monitor') return { alive: true, answer: 'unasked', failed: reason };
  return isAnythingOfInstance(work.instance.id)
    ? { alive: true, answer: 'wrong', reason }
    : { ...atRest, reason };
}

function clause(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '');
}

function unitOf({ work }: InstanceContext): string {
  return work.plan.offeringName;
}
