import { auditEntry, type AuditObject } from '../audit.ts';
import type { RepairOperation } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { tellEnd } from '../events.ts';
import { cancelledByHand } from '../operations/failures.ts';
import type { Operation } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { requireKnownOperation } from './find-operation.ts';

/**
 * Has an operation in progress end as failed, and undone as far as failures are. Asked once more it is told as it is.
 * @throws Refusal 'not-found', 'conflict' when it has ended or failed, and 'unreadable' when nobody could end it
 */
export async function cancelOperation(
  core: RequestContext,
  { operationId, origin }: RepairOperation,
): Promise<Operation> {
  const operation = await requireKnownOperation(core, operationId);
  if (isCancelled(operation)) return operation;
  await requireReadable(core, operation);
  const { kind, instanceId, bindingId } = operation;
  const object: AuditObject =
    bindingId === undefined
      ? { kind: 'instance', instanceId }
      : { kind: 'binding', instanceId, id: bindingId };
  const after = { operation: operationId, kind };
  const audit = auditEntry(core, origin, { verb: 'cancel', object, after, outcome: 'succeeded' });
  const summary = () => ({ kind: 'cancel', operationId }) as const;
  return tellEnd(core.observe, { origin, summary }, async () => {
    const asked = await core.store.cancel(operationId, cancelledByHand, audit);
    if (asked) return asked;
    const now = await requireKnownOperation(core, operationId);
    if (isCancelled(now)) return now;
    throw new Refusal('conflict', whyNot(now));
  });
}

function isCancelled({ state, cancelled, failure }: Operation): boolean {
  return (state === 'in progress' && cancelled !== undefined) || failure?.word === cancelledByHand.word;
}

function whyNot({ state, failure }: Operation): string {
  if (state === 'succeeded') return 'The operation has succeeded already, so there is nothing to cancel.';
  const undone = state === 'in progress' ? 'It is being undone.' : 'There is nothing to cancel.';
  return `The operation has failed already: ${failure?.sentence ?? ''} ${undone}`;
}

/** Who cannot read an operation cannot undo it. */
async function requireReadable(
  { store }: RequestContext,
  { state, instanceId, bindingId = '' }: Operation,
): Promise<void> {
  if (state !== 'in progress') return;
  await store.findBinding(instanceId, bindingId).catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.code !== 'unreadable') throw error;
    throw new Refusal('unreadable', `${error.message} It can only be forgotten, by a purge.`);
  });
}
