import { auditOperation } from './audit-operation.ts';
import type { BrokerContext } from '../context.ts';
import { summarize } from '../events.ts';
import type { Intent } from './intent.ts';
import { tracedOpening } from './traced.ts';
import { refuseShort } from './placement.ts';
import type { Operation } from '../records.ts';
import { recordIn, type LeasedOperation, type Opening, type OnBehalfOf } from '../store.ts';

/**
 * Writes an intent. The operation has a holder when it is to run here; the others wait: for their own node, or,
 * when they cancel a create, for its last step to end.
 * @returns undefined when somebody was quicker
 * @throws Refusal 'invalid' when there is no room for it
 */
export async function openIntent(
  core: BrokerContext,
  intent: Intent,
  within: OnBehalfOf | undefined,
): Promise<LeasedOperation | undefined> {
  return tracedOpening(core, intent.operation, (carrier) =>
    writeOpening(core, intent, within, { ...bornOperation(core, intent), carrier }),
  );
}

async function writeOpening(
  core: BrokerContext,
  intent: Intent,
  within: OnBehalfOf | undefined,
  operation: Operation,
): Promise<LeasedOperation | undefined> {
  const { cancels, instance, binding } = intent;
  const opening: Opening = {
    operation,
    instance,
    binding,
    cancels: cancels?.id,
    audit: auditOperation(core, intent, operation),
    onBehalfOf: within,
    leaseMs: core.settings.lease,
  };
  const held = await write(core, intent, opening);
  if (!held) return undefined;
  core.observe({ type: 'operation-opened', operation: summarize(held.operation) });
  if (cancels) core.observe({ type: 'operation-cancelled', operation: summarize(cancels), by: operation.id });
  return held;
}

/** The operation as it is held, with the records as they are opened. */
export function leasedFrom(
  { instance, binding }: Pick<Opening, 'instance' | 'binding'>,
  operation: Operation,
): LeasedOperation {
  const remainingMs = operation.deadline.getTime() - operation.createdAt.getTime();
  const own = binding ? { binding: recordIn(binding) } : {};
  return { operation, instance: recordIn(instance), ...own, remainingMs };
}

function bornOperation({ settings }: BrokerContext, { operation, cancels, instance }: Intent): Operation {
  const node = recordIn(instance).place?.node;
  const own: Operation = node === undefined ? operation : { ...operation, node };
  if (cancels) return { ...own, follows: cancels.id };
  const isHere = node === undefined || node === settings.node;
  return isHere ? { ...own, holder: settings.holder, attempt: 1 } : own;
}

async function write(
  { store }: BrokerContext,
  { demand, plan }: Intent,
  opening: Opening,
): Promise<LeasedOperation | undefined> {
  if (!demand) return (await store.open(opening)) ? leasedFrom(opening, opening.operation) : undefined;
  const placement = await store.place(opening, demand);
  if (placement === 'stale') return undefined;
  if ('short' in placement) return refuseShort(plan, demand, placement.short);
  const { placed, operation } = placement;
  return { ...leasedFrom(opening, operation), instance: placed };
}
