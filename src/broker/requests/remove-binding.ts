import type { RemoveBinding } from '../commands.ts';
import type { RequestContext } from './context.ts';
import { Refusal } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import type { ServiceBinding } from '../records.ts';
import { unbind } from './unbind.ts';

/**
 * Removes one binding, whatever its platform knows of it: for operators, when the platform has forgotten it. The plan
 * need not be named, and the platform's own removal finds it gone afterwards.
 */
export async function removeBinding(
  core: RequestContext,
  command: RemoveBinding,
): Promise<Outcome<ServiceBinding>> {
  const { instanceId, bindingId } = command;
  const { found, binding } = await core.store.findBinding(instanceId, bindingId);
  if (!found) throw new Refusal('not-found', 'There is no service instance with this id.');
  if (!binding) throw noBinding();
  await requireUnneeded(core, binding);
  const { offeringId, planId } = found.instance;
  const outcome = await unbind(core, { ...command, offeringId, planId });
  if (outcome.is === 'absent') throw noBinding();
  return outcome;
}

function noBinding(): Refusal {
  return new Refusal('not-found', 'The service instance has no binding with this id.');
}

/** The instance that holds it lives by it; when that is gone, nothing else would ever remove it. */
async function requireUnneeded({ store }: RequestContext, { dependent }: ServiceBinding): Promise<void> {
  if (dependent === undefined || !(await store.findInstance(dependent))) return;
  throw new Refusal(
    'conflict',
    `The service instance '${dependent}' needs this one by that binding, which goes when it is deleted.`,
  );
}
