import { existsSync } from 'node:fs';
import { Failure } from '../../broker/errors.ts';
import type { LogQuery, UnitFacts, UnitLog } from '../../broker/units.ts';
import { readHookLog } from '../../node/hooks/log.ts';
import type { HookResult } from '../../node/hooks/run.ts';
import { isAnythingOfInstance } from '../../node/instance-processes.ts';
import { callHook, hasHook, type Site } from './site.ts';

/** Milliseconds that the hooks have together; a look must end within a few seconds. */
const patience = 2500;

/**
 * How the instance is, as its hooks check_up and monitor say. Where it has neither it is as it shall be: a hook that is
 * missing is a success. It is dead only when check_up says that it does not run, and no process that was started for it
 * is left; a monitor says how well it is, and a hook that fails itself says nothing.
 */
export async function look(site: Site): Promise<readonly UnitFacts[]> {
  return [{ unit: unitOf(site), ...(await factsOf(site)) }];
}

/** What its hooks have written, for people. */
export async function readLog(site: Site, { unit, lines }: LogQuery): Promise<readonly UnitLog[]> {
  const own = unitOf(site);
  return unit === undefined || unit === own
    ? [{ unit: own, text: readHookLog(site.node, site.directory, lines) }]
    : [];
}

type State = Omit<UnitFacts, 'unit'>;

async function factsOf(site: Site): Promise<State> {
  const { work, directory } = site;
  if (!existsSync(directory.data)) return { alive: false, answer: 'unasked', fault: 'its directory is gone' };
  const names = (['check_up', 'monitor'] as const).filter((name) => hasHook(work, name));
  if (names.length === 0) return work.instance.stopped ? atRest : { ...up, reason: 'nothing says otherwise' };
  for (const name of names) {
    const state = await ask(site, name, patience / names.length);
    if (state !== up) return state;
  }
  return up;
}

const up: State = { alive: true, answer: 'ready' };
const atRest: State = { alive: false, answer: 'unasked' };

async function ask(site: Site, name: 'check_up' | 'monitor', limit: number): Promise<State> {
  try {
    return stateOf(site, await callHook(site, name, {}, 1, limit), name);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // Of what is to be at rest nothing else is expected.
    if (site.work.instance.stopped) return { ...atRest, reason: clause(error.message) };
    if (error.word !== 'timeout') return { alive: true, answer: 'wrong', reason: clause(error.message) };
    return { alive: true, answer: 'silent', reason: `its ${name} did not answer within ${limit / 1000} s` };
  }
}

function stateOf({ work }: Site, result: HookResult, name: 'check_up' | 'monitor'): State {
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

function unitOf({ work }: Site): string {
  return work.plan.offeringName;
}
