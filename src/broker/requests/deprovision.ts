import type { Deprovision } from '../commands.ts';
import type { RequestContext } from './context.ts';
import { Refusal } from '../errors.ts';
import { meet } from '../exclusion.ts';
import { busy, busyWith, type Decision, newOperation, requireAsync } from '../operations/intent.ts';
import { platformOf } from '../key.ts';
import { findWithBindings, type FoundWithBindings, openOn } from './open-on-bindings.ts';
import type { Outcome } from '../outcome.ts';
import { isNowhere } from '../operations/placement.ts';
import { keptFor } from './kept.ts';
import { requireOwn } from '../operations/plan-of.ts';
import { findUntold } from './fetch.ts';
import type { FoundInstance, Operation, ServiceInstance } from '../records.ts';
import { requireUnprotected } from '../state.ts';

/** spec.md, Deprovisioning. The catalog is not asked: a plan that left it must be deletable for ever. */
export function deprovision(core: RequestContext, command: Deprovision): Promise<Outcome<ServiceInstance>> {
  return core.engine.run(command, async () => {
    const found = await findWithBindings(command.forGood ? core.books : core.store, command.instanceId);
    const decision = decideDeprovision(found, command);
    if (!found || !('start' in decision)) return decision as Decision<ServiceInstance>;
    const { instance } = found;
    const { cancels } = decision;
    // What the broker itself asks for is the end of something that was not finished, or goes with another instance.
    const isOwn = command.within !== undefined || command.giveUp !== undefined;
    if (instance.ready && !isOwn) requireUnprotected(instance, core.now());
    const untold = !cancels && command.failsLater && (await findUntold(core, 'deprovision', command, found));
    if (untold) return { is: 'accepted', operation: untold, record: instance };
    const plan = await core.planOf(instance);
    requireAsync(plan, 'deprovision', command.acceptsIncomplete);
    const usual = newOperation(core, plan, 'deprovision', {
      instanceId: instance.id,
      origin: command.origin,
      confidential: {
        ...traceOf(cancels),
        force: command.force || undefined,
        keep: isOwn || command.force || command.forGood ? undefined : keptFor(core, instance),
      },
    });
    const operation = command.force ? withinForce(core, usual) : usual;
    if (cancels) return { start: { plan, operation, instance: { put: instance }, cancels } };
    // What is of no node has left nothing on any, but may hold what it needs of others.
    const needsNothing = Object.keys(plan.operating.dependencies).length === 0;
    const recordOnly = needsNothing && isNowhere(core, plan, instance);
    const change = recordOnly ? { remove: instance } : { put: instance };
    return { start: { plan, operation, instance: change, recordOnly } };
  });
}

/** docs/lifecycle.md, What each request comes to: the column "DELETE". */
export function decideDeprovision(
  found: FoundWithBindings | undefined,
  command: Deprovision,
): { start: true; cancels?: Operation } | Exclude<Decision<ServiceInstance>, { start: unknown }> {
  const { giveUp, version } = command;
  if (!found || (giveUp !== undefined && found.operation?.id !== giveUp)) return { is: 'absent' };
  if (version !== undefined && found.instance.version !== version) return { is: 'absent' };
  const { instance, operation } = found;
  requireOwn(instance, command);
  if (operation?.kind === 'deprovision') {
    if (command.force && !operation.confidential.force) return busy(deletedAlready);
    return { join: operation, record: instance };
  }
  requireUnneeded(found);
  const met = meet('deprovision', found);
  return met === 'busy' ? busyWith(command, openOn(found)) : { start: true, ...met };
}

/** Milliseconds that a removal by force may take before what is left is left. */
const forcedTime = 600_000;

function withinForce(core: RequestContext, operation: Operation): Operation {
  const latest = core.now().getTime() + forcedTime;
  return { ...operation, deadline: new Date(Math.min(operation.deadline.getTime(), latest)) };
}

const deletedAlready =
  'The service instance is being deleted already, not by force. Wait for the end of that, or cancel the operation.';

function requireUnneeded({ instance, neededBy = [] }: FoundInstance): void {
  if (neededBy.length === 0) return;
  const { platform: own } = platformOf(instance.id);
  // What others have is not told; operators see it in a list.
  const shown = neededBy.map(platformOf).filter(({ platform }) => platform === own);
  const hidden = shown.length < neededBy.length ? ['one of another platform'] : [];
  const names = [...shown.map(({ platformId }) => `'${platformId}'`), ...hidden].join(', ');
  const others = neededBy.length === 1 ? 'Another instance needs' : 'Other instances need';
  throw new Refusal('invalid', `${others} this one, so it cannot be deleted: ${names}.`);
}

/** What the cancelled create had reached, so that all of it can be found and removed. */
export function traceOf(cancelled: Operation | undefined): Operation['confidential'] {
  if (cancelled?.kind !== 'provision' && cancelled?.kind !== 'bind') return {};
  return { trace: cancelled.confidential.trace ?? cancelled.confidential.memo };
}
