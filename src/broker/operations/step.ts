import { archiveOf } from '../backups.ts';
import type { ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import { removeCredentials, withReference } from '../credential-store.ts';
import { Failure } from '../errors.ts';
import { summarize } from '../events.ts';
import { isMistake, requirePossible } from './failures.ts';
import { lookAgain, type Dependencies } from './dependencies-port.ts';
import { deedOf, findLeftOver, isIdle, isKeeping } from './left-behind.ts';
import { planToRemove } from './plan-of.ts';
import type { StepDone, Made, Provisioner, Step, Work } from '../provisioner.ts';
import type { JsonObject } from '../json.ts';
import type { OperationFailure, OperationKind, ServiceBinding, ServiceInstance } from '../records.ts';
import type { StepRecord, LeasedOperation, Pause, Settlement } from '../store.ts';
import { failureOf, renewedBy, settlementOf } from './settlement.ts';
import { tracedDeed, tracedStep } from './traced.ts';
import { redact, templateValues, withRenewed } from '../template-values.ts';

/** What one step of an operation came to. */
export type Verdict =
  | { readonly settle: Settlement }
  /** It goes on, after so many milliseconds. */
  | { readonly again: Progress; readonly afterMs: number; readonly repeats?: boolean }
  | { readonly failed: OperationFailure }
  /** `ours`: by a mistake in this program, which more than a few tries will not mend. */
  | { readonly retry: string; readonly ours?: true };

export type Progress = Omit<Pause, 'until'>;

export interface OperationContext extends BrokerContext {
  readonly dependencies: Dependencies;
}

/** Takes one step of a held operation. Never throws: what goes wrong is a verdict too, with secrets redacted. */
export function takeStep(
  core: OperationContext,
  plan: ServicePlan,
  held: LeasedOperation,
  signal: AbortSignal,
): Promise<Verdict> {
  return tracedStep(core, held.operation, async (span) => {
    const verdict = await stepOf(core, plan, held, signal);
    if ('failed' in verdict) span.fail(verdict.failed.word);
    else if ('retry' in verdict) span.fail('retry');
    else span.add({ 'purveyor.step': ('again' in verdict ? verdict.again : verdict.settle).did?.step });
    return verdict;
  });
}

async function stepOf(
  core: OperationContext,
  plan: ServicePlan,
  held: LeasedOperation,
  signal: AbortSignal,
): Promise<Verdict> {
  let subject = held;
  let leftOver: ServiceBinding | undefined;
  try {
    const { failure, kind } = held.operation;
    // Of an update that has failed only what it needed is given back: the instance is as it was.
    if (failure && kind === 'update')
      return (await core.dependencies.releaseUnused(held, plan))
        ? { settle: failureOf(held, failure) }
        : comeAgain(held);
    const deed = deedOf(held);
    const supplied = await acquire(core, deed, plan, held);
    if (!supplied) return comeAgain(held);
    subject = supplied;
    const provisioner = core.provisioner(plan.making.provisioner);
    leftOver = await findLeftOver(core, provisioner, held);
    // From here on its secrets, too, may stand in what is said.
    if (leftOver) subject = { ...subject, binding: leftOver };
    const isRemoval = deed === 'deprovision' || deed === 'unbind';
    const work = workOf(core, isRemoval ? planToRemove(core, plan) : plan, subject, signal);
    const began = performance.now();
    const last = isKeeping(held) ? 'stop' : deed;
    const now = leftOver ? 'unbind' : last;
    const step = isIdle(core, plan, held, now)
      ? { done: undefined }
      : await tracedDeed(core, provisioner.name, now, (carrier) =>
          call(provisioner, now, { ...work, carrier }),
        );
    const did = step.did ? { did: doneBy(step.did, held, performance.now() - began) } : {};
    if ('again' in step) return goesOn(step.again, subject, did);
    if (now === 'unbind') await removeCredentials(core, subject.binding, signal);
    // It goes on with what else there is to be removed.
    if (leftOver) return { again: { failures: 0, unbound: leftOver, ...did }, afterMs: 0 };
    if (!(await release(core, last, plan, held))) return comeAgain(held);
    const settlement = settlementOf(subject, plan, step.done ?? {}, core);
    return { settle: { ...(await withReference(core, settlement, signal)), ...did } };
  } catch (error) {
    const verdict = judge(error, subject);
    // Of what is kept no credentials may stay good.
    return leftOver && !signal.aborted && !isKeeping(held)
      ? passOver(core, held, leftOver, verdict)
      : verdict;
  }
}

/** What the instance needs of others before the deed; undefined: it is not there yet. */
async function acquire(
  { dependencies: needs }: OperationContext,
  deed: OperationKind,
  plan: ServicePlan,
  held: LeasedOperation,
): Promise<LeasedOperation | undefined> {
  if (deed === 'provision' || deed === 'update') return needs.acquire(held, plan);
  if (deed === 'deprovision') return needs.find(held, plan);
  const wakes = (deed === 'start' || deed === 'restart') && !held.operation.confidential.units;
  return !wakes || (await needs.startStop(held, plan, 'start')) ? held : undefined;
}

/** What it does not need any more after the deed goes too; false: it is not gone yet. */
async function release(
  { dependencies: needs }: OperationContext,
  deed: OperationKind,
  plan: ServicePlan,
  held: LeasedOperation,
): Promise<boolean> {
  if (deed === 'deprovision') return needs.release(held, plan);
  if (deed === 'update') return needs.releaseUnused(held, plan);
  if (deed === 'stop' && !held.operation.confidential.units) return needs.startStop(held, plan, 'stop');
  return true;
}

/** Others go on for this one. The step that is taken again then has nothing left to do, or begins now. */
function comeAgain({ operation }: LeasedOperation): Verdict {
  const { memo } = operation.confidential;
  return { again: { failures: 0, memo }, afterMs: lookAgain };
}

/** The note is for users; the memo stays confidential. */
function goesOn(
  { memo, note, afterMs, repeats }: Extract<Step<unknown>, { again: unknown }>['again'],
  subject: LeasedOperation,
  done: Pick<Progress, 'did'>,
): Verdict {
  const told = note === undefined ? undefined : redact(note, subject);
  return { again: { failures: 0, memo, note: told, ...done }, afterMs, repeats };
}

function doneBy(
  { step, tries }: StepDone,
  { operation: { failures, failure } }: LeasedOperation,
  ms: number,
): StepRecord {
  return { step, tries: tries ?? failures + 1, undo: failure !== undefined, ms: Math.round(ms) };
}

/** Tries of an unbind that a deprovision asks for, where it does not say itself that it has failed. */
const mostUnbinds = 3;

/**
 * Removal does not need the service's consent: a binding that cannot be unbound goes with its instance, and the
 * operator is told.
 */
function passOver(
  { observe }: BrokerContext,
  { operation }: LeasedOperation,
  binding: ServiceBinding,
  verdict: Verdict,
): Verdict {
  const reason =
    'failed' in verdict ? (verdict.failed.detail ?? verdict.failed.sentence) : retriedFor(verdict);
  if (reason === undefined || (!('failed' in verdict) && operation.failures + 1 < mostUnbinds))
    return verdict;
  const detail = `The binding '${binding.id}' could not be unbound and goes with its instance. ${reason}`;
  observe({ type: 'step-failed', operation: summarize(operation), detail });
  return { again: { failures: 0, unbound: binding }, afterMs: 0 };
}

function retriedFor(verdict: Verdict): string | undefined {
  return 'retry' in verdict ? verdict.retry : undefined;
}

function workOf(
  { settings: { url }, backups }: BrokerContext,
  plan: ServicePlan,
  held: LeasedOperation,
  signal: AbortSignal,
): Work {
  const { operation, instance, binding } = held;
  const { memo, target, units, sparing, asked } = operation.confidential;
  const { action = '' } = operation;
  const renews = renewedBy(plan, operation);
  const shall = target ?? withRenewed(instance, renews);
  const values = templateValues(plan, shall, binding, url);
  const trace = operation.confidential.trace ?? (binding ?? instance).confidential.trace;
  return {
    operationId: operation.id,
    memo,
    trace,
    instance: shall,
    previous: target && instance,
    binding,
    plan,
    values: asked
      ? { ...values, asked: { name: action, parameters: asked, former: formerOf(instance, renews) } }
      : values,
    units,
    sparing,
    archive: archiveOf(backups, operation, signal),
    action: operation.action,
    adopts: operation.kind === 'adopt' ? (asked?.['thing'] as string) : undefined,
    redact: (text) => redact(text, held),
    signal,
  };
}

/** The secrets that it takes the place of. */
function formerOf({ confidential: { secrets } }: ServiceInstance, renews: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(secrets).filter(([name]) => renews.includes(name)));
}

async function call(provisioner: Provisioner, deed: OperationKind, work: Work): Promise<Step<Made | void>> {
  switch (deed) {
    case 'provision':
      return provisioner.provision(work);
    case 'deprovision':
      return provisioner.deprovision(work);
    case 'update':
    case 'bind':
    case 'unbind':
      // Without the capability there is nothing that could have been made, or is to be removed.
      return (await provisioner[deed]?.(work)) ?? { done: undefined };
    case 'backup':
    case 'restore':
      return requirePossible<Made | void>(deed, await provisioner.backups?.[deed](work));
    case 'start':
    case 'stop':
    case 'restart':
      return requirePossible<Made | void>(deed, await provisioner.units?.[deed]?.(work));
    case 'action':
      return requirePossible(deed, await provisioner.act?.(work));
    case 'adopt':
      return requirePossible(deed, await provisioner.adopt?.(work));
  }
}

function judge(error: unknown, held: LeasedOperation): Verdict {
  if (!(error instanceof Failure)) {
    const retry = redact(error instanceof Error ? `${error.name}: ${error.message}` : String(error), held);
    return isMistake(error) ? { retry, ours: true } : { retry };
  }
  const { word, message, hints } = error;
  const detail = hints.detail === undefined ? undefined : redact(hints.detail, held);
  return { failed: { ...hints, word, sentence: redact(message, held), detail } };
}
