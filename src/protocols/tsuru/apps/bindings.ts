import { Failure, Refusal } from '../../../broker/errors.ts';
import type { JsonObject } from '../../../broker/json.ts';
import type { Origin, ServiceBinding } from '../../../broker/records.ts';
import type { App, AskedOf, Stake } from './apps.ts';
import { waitForOperation } from '../wait-for-operation.ts';
import type { TsuruContext } from '../context.ts';

export interface Binding extends AskedOf {
  readonly app: App;
  /** The host of a unit; absent: the app as a whole. */
  readonly unit?: string | undefined;
  /** The instance is at rest, so no new binding can be made. */
  readonly stopped: boolean;
  readonly parameters: JsonObject;
  readonly context: JsonObject;
  readonly origin: Origin;
}

/**
 * Gives an app, or one of its units, the app's one binding, which is made for whoever comes first. The stake is
 * written down before the binding is made, so nobody who goes meanwhile takes it away.
 * @throws Refusal not-ready while the instance is being changed
 */
export async function bind(tsuru: TsuruContext, binding: Binding): Promise<ServiceBinding> {
  const { apps, patience } = tsuru;
  const { app, unit } = binding;
  // As long as a binding may take at most: it is asked for twice where the plan insists.
  const stake = await apps().arrive(binding, app, unit, 3 * patience + 60_000);
  try {
    const made = await makeBinding(tsuru, binding, stake);
    if (await apps().confirm(stake)) return made;
    throw new Refusal('not-ready', 'The app is being unbound. Try again later.');
  } catch (error) {
    await takeBack(tsuru, stake, binding.origin);
    throw isBusy(error) ? new Refusal('not-ready', error.message) : error;
  }
}

function isBusy(error: unknown): error is Refusal {
  return error instanceof Refusal && (error.code === 'busy' || error.code === 'occupied');
}

/** What the failure was is to be told, not that of cleaning up after it: that is tried again later. */
async function takeBack(tsuru: TsuruContext, stake: Stake, origin: Origin): Promise<void> {
  try {
    if (await tsuru.apps().withdraw(stake))
      await unbindAll(tsuru, stake.instanceId, [stake.bindingId], origin);
  } catch (error) {
    tsuru.warn(`A tsuru bind that failed could not be undone yet: ${String(error)}`);
  }
}

async function makeBinding(tsuru: TsuruContext, binding: Binding, stake: Stake): Promise<ServiceBinding> {
  const { broker } = tsuru;
  const { instanceId, unit, stopped, parameters, context, origin } = binding;
  const { bindingId, knownAs: appGuid } = stake;
  // Units say nothing of the parameters that their app was bound with.
  const known = unit === undefined && !stopped ? undefined : await findBinding(tsuru, instanceId, bindingId);
  if (known && unit !== undefined) return known;
  if (!known && stopped) throw new Refusal('not-ready', 'The instance is stopped. Start it and bind again.');
  const outcome = await waitForOperation(tsuru, (acceptsIncomplete) =>
    broker.bind({ instanceId, bindingId, appGuid, parameters, context, acceptsIncomplete, origin }),
  );
  if ('record' in outcome && outcome.record && outcome.is !== 'accepted') return outcome.record;
  throw new Failure('timeout', 'The binding is not finished.');
}

async function findBinding(
  { broker }: TsuruContext,
  instanceId: string,
  bindingId: string,
): Promise<ServiceBinding | undefined> {
  try {
    return await broker.binding(instanceId, bindingId);
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** Removes bindings in which nobody has a stake any more. What is gone already is no mistake. */
export async function unbindAll(
  tsuru: TsuruContext,
  instanceId: string,
  bindingIds: readonly string[],
  origin: Origin,
): Promise<void> {
  const [entry] = await tsuru.overview.instances({ instanceId, limit: 1 });
  if (!entry) return;
  const { offeringId, planId } = entry.instance;
  for (const bindingId of bindingIds) {
    await waitForOperation(tsuru, (acceptsIncomplete) =>
      tsuru.broker.unbind({ instanceId, bindingId, offeringId, planId, acceptsIncomplete, origin }),
    );
    await tsuru.apps().forget(instanceId, bindingId);
  }
}
