/**
 * For people who test platforms: a plan's `with` says for each operation what goes wrong. What it makes is
 * real, a record for each instance and binding, so that what is left behind can be seen.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Failure } from '../../broker/errors.ts';
import { isObject } from '../../broker/json.ts';
import type { Json } from '../../broker/json.ts';
import type { Made, Provisioner, Step, Work } from '../../broker/provisioner.ts';
import type { OperationKind } from '../../broker/records.ts';
import { queryThrough } from '../../postgres/query.ts';
import { carryOver } from './carry-over.ts';
import { readFault } from './fault.ts';
import type { Fault } from './fault.ts';
import { thingsIn } from './things.ts';
import type { Things } from './things.ts';
import { traits } from './traits.ts';

/**
 * Begins at once to carry over what lies in files; whoever asks for anything waits for that, and tries it again
 * where it has failed.
 * @param pool of the database with the table of `faultyMigrations`
 * @param earlier the directory in which broker 0.1.0 kept its things; it need not be there
 */
export async function faulty(pool: Pool, earlier: string): Promise<Provisioner> {
  const direct = queryThrough(pool);
  const carried = once(() => carryOver(earlier, direct));
  const things = thingsIn(async (statement) => {
    await carried();
    return direct(statement);
  });
  await carried().catch(() => undefined);
  const make = (kind: OperationKind) => (work: Work) => act(kind, work, things);
  const remove = (kind: OperationKind) => async (work: Work) => withoutFacts(await act(kind, work, things));
  return {
    name: 'faulty',
    traits,
    provision: make('provision'),
    update: make('update'),
    deprovision: remove('deprovision'),
    bind: make('bind'),
    unbind: remove('unbind'),
    inventory: () => things.list(),
    purge: (thing) => things.purge(thing),
  };
}

/** Until it has been done; those who ask meanwhile wait for the same try. */
function once(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= task().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}

/** First the steps, then the waiting, then what fails before the deed, the deed, and what fails after it. */
async function act(kind: OperationKind, work: Work, things: Things): Promise<Step<Made>> {
  const fault = readFault(work.plan.making.settings, kind);
  const again = nextStep(fault, work.memo);
  if (again) {
    if (kind === 'provision' || kind === 'bind') await perform(kind, work, things);
    return { again };
  }
  await wait(fault.takes, undefined, { signal: work.signal });
  await failFirst(fault, kind, work, things);
  const tries = fault.failsTimes > 0 || fault.crashAfterMaking ? await things.countTry(kind, work) : 1;
  if (tries <= fault.failsTimes) throw new Error(`Try ${tries} of this ${kind} fails, as the plan says.`);
  await perform(kind, work, things);
  if (fault.failsAfterMaking !== undefined) throw failure(fault.failsAfterMaking, fault);
  if (fault.crashAfterMaking && tries === 1) throw new Error('The first try breaks when all is made.');
  if (kind !== 'deprovision') await things.forgetTries(kind, work);
  return { done: { facts: { thing: { name: things.nameOf(work.instance) } } } };
}

function nextStep(
  fault: Fault,
  memo: Json | undefined,
): { afterMs: number; memo: Json; note: string } | undefined {
  const step = isObject(memo) && typeof memo['step'] === 'number' ? memo['step'] + 1 : 1;
  const next = { afterMs: fault.each, memo: { step } };
  if (fault.never) return { ...next, note: `Looked ${step} times, and it is not done yet.` };
  return step > fault.steps ? undefined : { ...next, note: `Step ${step} of ${fault.steps}` };
}

async function failFirst(fault: Fault, kind: OperationKind, work: Work, things: Things): Promise<void> {
  if (fault.throws !== undefined) throw new Error(fault.throws);
  if (fault.fails === undefined) return;
  if (fault.onlyFirst && !(await things.isFirst(kind, work))) return;
  throw failure(fault.fails, fault);
}

function failure(sentence: string, { instanceUsable, updateRepeatable }: Fault): Failure {
  return new Failure('on-purpose', sentence, {
    detail: 'The plan says so.',
    instanceUsable,
    updateRepeatable,
  });
}

/** The deed itself. A step that was given up must not make anything any more. */
async function perform(kind: OperationKind, work: Work, things: Things): Promise<void> {
  work.signal.throwIfAborted();
  switch (kind) {
    case 'provision':
    case 'update':
      return things.makeInstance(work);
    case 'bind':
      return things.makeBinding(work);
    case 'unbind':
      return things.removeBinding(work);
    case 'deprovision':
      return things.removeInstance(work);
  }
}

function withoutFacts(step: Step<Made>): Step<void> {
  return 'again' in step ? step : { done: undefined };
}
