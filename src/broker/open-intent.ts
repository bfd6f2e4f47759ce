import type { Deps } from './deps.ts';
import { summarize } from './events.ts';
import type { Intent } from './intent.ts';
import { refuseShort } from './placement.ts';
import type { Operation } from './records.ts';
import { recordIn, type Held, type Opening, type Within } from './store.ts';

/**
 * Writes an intent. The operation has a holder when it is to be carried here; the others wait: for their own node, or,
 * when they cancel a create, for its last step to end.
 * @returns undefined when somebody was quicker
 * @throws Refusal 'invalid' when there is no room for it
 */
export async function openIntent(
  deps: Deps,
  intent: Intent,
  within: Within | undefined,
): Promise<Held | undefined> {
  const { cancels, instance, binding } = intent;
  const opening: Opening = {
    operation: bornOperation(deps, intent),
    instance,
    ...(binding ? { binding } : {}),
    ...(cancels ? { cancels: cancels.id } : {}),
    ...(within ? { within } : {}),
    leaseMs: deps.settings.lease,
  };
  const held = await write(deps, intent, opening);
  if (!held) return undefined;
  const { operation } = held;
  deps.observe({ type: 'operation-opened', operation: summarize(operation) });
  if (cancels) deps.observe({ type: 'operation-cancelled', operation: summarize(cancels), by: operation.id });
  return held;
}

/** The operation as it is held, with the records as they are opened. */
export function heldFrom(
  { instance, binding }: Pick<Opening, 'instance' | 'binding'>,
  operation: Operation,
): Held {
  const remainingMs = operation.deadline.getTime() - operation.createdAt.getTime();
  const own = binding ? { binding: recordIn(binding) } : {};
  return { operation, instance: recordIn(instance), ...own, remainingMs };
}

function bornOperation({ settings }: Deps, { operation, cancels, instance }: Intent): Operation {
  const node = recordIn(instance).place?.node;
  const own: Operation = node === undefined ? operation : { ...operation, node };
  if (cancels) return { ...own, follows: cancels.id };
  const isHere = node === undefined || node === settings.node;
  return isHere ? { ...own, holder: settings.holder, attempt: 1 } : own;
}

async function write({ store }: Deps, { demand, plan }: Intent, opening: Opening): Promise<Held | undefined> {
  if (!demand) return (await store.open(opening)) ? heldFrom(opening, opening.operation) : undefined;
  const placement = await store.place(opening, demand);
  if (placement === 'stale') return undefined;
  if ('short' in placement) return refuseShort(plan, demand, placement.short);
  const { placed, operation } = placement;
  return { ...heldFrom(opening, operation), instance: placed };
}
