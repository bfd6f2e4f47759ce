import type { Unbind } from '../commands.ts';
import type { RequestContext } from './context.ts';
import { traceOf } from './deprovision.ts';
import { meet } from '../exclusion.ts';
import { busyWith, type Decision, newOperation, requireAsync } from '../operations/intent.ts';
import type { Outcome } from '../outcome.ts';
import { requireOwn } from '../operations/plan-of.ts';
import { findUntold } from './fetch.ts';
import type { FoundBinding, Operation, Origin, ServiceBinding } from '../records.ts';
import type { ExpiredBinding } from '../store.ts';

/** spec.md, Unbinding. */
export function unbind(core: RequestContext, command: Unbind): Promise<Outcome<ServiceBinding>> {
  return core.engine.run(command, async () => {
    const there = await core.store.findBinding(command.instanceId, command.bindingId);
    const decision = decideUnbind(there, command);
    if (!('start' in decision)) return decision;
    const canBeTold = !decision.cancels && command.failsLater;
    const untold = canBeTold && (await findUntold(core, 'unbind', command, there.found));
    if (untold) return { is: 'accepted', operation: untold };
    return intend(core, there, command, decision.cancels);
  });
}

/** A binding whose time is over is revoked by the broker itself, unless it has been made anew meanwhile. */
export function expire(
  core: RequestContext,
  { instanceId, id, expiresAt }: ExpiredBinding,
): Promise<Outcome<ServiceBinding>> {
  const request = { origin: { protocol: 'broker' }, acceptsIncomplete: true };
  return core.engine.run(request, async () => {
    const there = await core.store.findBinding(instanceId, id);
    const isSame = there.binding?.expiresAt?.getTime() === expiresAt?.getTime();
    const met = there.found && meet('unbind', there.found, there.operation);
    // What is being done with it comes first, and the expiry is found again.
    if (!isSame || !met || met === 'busy' || met.cancels) return { is: 'absent' };
    return intend(core, there, request, undefined);
  });
}

/** docs/lifecycle.md, Bindings: the column "DELETE". */
export function decideUnbind(
  { found, binding, operation }: FoundBinding,
  command: Unbind,
): { start: true; cancels?: Operation } | Exclude<Decision<ServiceBinding>, { start: unknown }> {
  const { giveUp } = command;
  if (!found || !binding || (giveUp !== undefined && operation?.id !== giveUp)) return { is: 'absent' };
  requireOwn(found.instance, command);
  if (operation?.kind === 'unbind') return { join: operation, record: binding };
  const met = meet('unbind', found, operation);
  return met === 'busy' ? busyWith(command, found.operation ?? operation) : { start: true, ...met };
}

async function intend(
  core: RequestContext,
  { found, binding }: FoundBinding,
  { origin, acceptsIncomplete }: { origin: Origin; acceptsIncomplete: boolean },
  cancels: Operation | undefined,
): Promise<Decision<ServiceBinding>> {
  if (!found || !binding) return { is: 'absent' };
  const plan = await core.planOf(found.instance);
  requireAsync(plan, 'unbind', acceptsIncomplete);
  const operation = newOperation(core, plan, 'unbind', {
    instanceId: binding.instanceId,
    bindingId: binding.id,
    origin,
    confidential: traceOf(cancels),
  });
  return {
    start: {
      plan,
      operation,
      instance: { keep: found.instance },
      binding: { put: binding },
      cancels,
    },
  };
}
