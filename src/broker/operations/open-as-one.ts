import { auditOperation } from './audit-operation.ts';
import { Failure } from '../errors.ts';
import { summarize } from '../events.ts';
import type { Intent } from './intent.ts';
import type { Operation, OperationFailure, ServiceBinding, ServiceInstance } from '../records.ts';
import { takeStep, type OperationContext, type Verdict } from './step.ts';
import { recordIn, type LeasedOperation, type Settlement, type OnBehalfOf } from '../store.ts';

/**
 * Opens and settles an operation in one write, for provisioners whose steps touch nothing outside: their deed
 * needs no intent before it, because a deed whose record was not written has left nothing behind.
 * @returns the record as it is now, `stale` when somebody was quicker, or undefined when the operation must
 * be opened first after all
 */
export async function openAsOne(
  core: OperationContext,
  intent: Intent,
  held: LeasedOperation,
  { within, failsLater }: { readonly within?: OnBehalfOf | undefined; readonly failsLater: boolean },
): Promise<ServiceInstance | ServiceBinding | 'stale' | undefined> {
  if (intent.cancels || intent.demand || !isSelfContained(core, intent)) return undefined;
  const verdict = await deed(core, intent, held);
  // A failure that is told later needs an operation that can be asked for, and what is there already has not failed.
  if ('failed' in verdict)
    return failsLater || intent.unseen ? undefined : fail(core, intent, verdict.failed);
  if (!('settle' in verdict)) return undefined;
  const operation: Operation = {
    ...intent.operation,
    state: 'succeeded',
    attempt: 1,
    finishedAt: core.now(),
    confidential: {},
  };
  const { settle } = verdict;
  const final = finalOf(intent, settle);
  const written = await core.store.open({
    operation,
    leaseMs: 0,
    ...final,
    audit: auditOperation(core, intent, operation),
    onBehalfOf: within,
  });
  if (!written) return 'stale';
  const ms = core.now().getTime() - operation.createdAt.getTime();
  core.observe({ type: 'operation-opened', operation: summarize(operation) });
  core.observe({ type: 'operation-settled', operation: summarize(operation), ms });
  return recordIn<ServiceInstance | ServiceBinding>(final.binding ?? final.instance);
}

/** Nothing was written, so nothing but this event tells the operator why. */
function fail(core: OperationContext, { operation }: Intent, failure: OperationFailure): never {
  const detail = failure.detail ?? failure.sentence;
  core.observe({ type: 'step-failed', operation: summarize(operation), detail });
  throw new Failure(failure.word, failure.sentence, failure);
}

function isSelfContained(core: OperationContext, intent: Intent): boolean {
  const { recordOnly, plan, instance } = intent;
  const { selfContained, local } = core.provisioner(plan.making.provisioner).traits;
  // What it needs, or has needed so far, is outside.
  const { facts } = recordIn<ServiceInstance>(instance).confidential;
  const needsNothing = Object.keys(plan.operating.dependencies).length === 0 && facts['deps'] === undefined;
  const isAlone = selfContained && local !== true && needsNothing && !hasCredentialsElsewhere(core, intent);
  return recordOnly === true || isAlone;
}

/** Where they are, or may be: an instance goes with bindings that its platform has left. */
function hasCredentialsElsewhere(
  { credentialStore }: OperationContext,
  { operation, binding }: Intent,
): boolean {
  const kept = binding && recordIn<ServiceBinding>(binding)?.confidential.kept;
  return kept !== undefined || (credentialStore !== undefined && operation.kind === 'deprovision');
}

async function deed(core: OperationContext, intent: Intent, held: LeasedOperation): Promise<Verdict> {
  if (intent.recordOnly) return { settle: {} };
  return takeStep(core, intent.plan, held, new AbortController().signal);
}

/** The rows as they shall be in the end, instead of as they are while the work goes on. */
function finalOf(intent: Intent, settled: Settlement): Pick<Intent, 'instance' | 'binding'> {
  const binding = settled.binding ?? intent.binding;
  return { instance: settled.instance ?? intent.instance, binding };
}
