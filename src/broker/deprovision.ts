import type { Deprovision } from './commands.ts';
import type { Core } from './core.ts';
import { Refusal } from './errors.ts';
import { busy, type Decision, newOperation, requireAsync } from './intent.ts';
import type { Outcome } from './outcome.ts';
import type { FoundInstance, Operation, ServiceInstance } from './records.ts';

/** spec.md, Deprovisioning. The catalog is not asked: a plan that left it must be deletable for ever. */
export function deprovision(core: Core, command: Deprovision): Promise<Outcome<ServiceInstance>> {
  return core.engine.run(command, async () => {
    const found = await core.deps.store.findInstance(command.instanceId);
    const decision = decideDeprovision(found, command);
    if (!found || !('start' in decision)) return decision as Decision<ServiceInstance>;
    const { instance } = found;
    const plan = await core.planOf(instance);
    requireAsync(plan, 'deprovision', command.acceptsIncomplete);
    const { cancels } = decision;
    const operation = newOperation(core.deps, plan, 'deprovision', {
      instanceId: instance.id,
      origin: command.origin,
      confidential: traceOf(cancels),
    });
    return { start: { plan, operation, instance: { put: instance }, ...(cancels ? { cancels } : {}) } };
  });
}

/** The state table of lifecycle, column "DELETE". */
export function decideDeprovision(
  found: FoundInstance | undefined,
  command: Deprovision,
): { start: true; cancels?: Operation } | Exclude<Decision<ServiceInstance>, { start: unknown }> {
  if (!found) return { is: 'absent' };
  const { instance, operation, bindingsBusy } = found;
  requireOwnPlan(instance, command);
  switch (operation?.kind) {
    case 'provision':
      return { start: true, cancels: operation };
    case 'deprovision':
      return { join: operation, record: instance };
    case undefined:
      return bindingsBusy ? busy() : { start: true };
    default:
      return busy();
  }
}

/** Hints must be right where they are required: a mix-up must not delete somebody else's data. */
export function requireOwnPlan(
  instance: ServiceInstance,
  command: { offeringId: string; planId: string },
): void {
  if (instance.offeringId !== command.offeringId) {
    throw new Refusal('invalid', 'The service_id is not that of the service instance.', 'service_id');
  }
  if (instance.planId !== command.planId) {
    throw new Refusal('invalid', 'The plan_id is not that of the service instance.', 'plan_id');
  }
}

/** What the cancelled create had reached, so that all of it can be found and removed. */
export function traceOf(cancelled: Operation | undefined): Operation['confidential'] {
  const trace = cancelled?.confidential.trace ?? cancelled?.confidential.memo;
  return trace === undefined ? {} : { trace };
}
