import type { OperationSummary } from '../events.ts';
import { isOfPlatform } from '../operations/intent.ts';
import type { FoundInstance } from '../records.ts';
import type { Store } from '../store.ts';

/** An instance, with what is open on its bindings where that is asked for. */
export interface FoundWithBindings extends FoundInstance {
  readonly onBindings?: readonly OperationSummary[];
}

/** Asked only when something is open on them: then it counts who has asked for it. */
export async function findWithBindings(
  store: Pick<Store, 'findInstance' | 'bindings'>,
  instanceId: string,
): Promise<FoundWithBindings | undefined> {
  const found = await store.findInstance(instanceId);
  if (!found?.bindingsBusy) return found;
  const onBindings = (await store.bindings(instanceId)).flatMap(({ operation }) => operation ?? []);
  // It may have ended meanwhile; the store looks once more when something is opened.
  return { ...found, bindingsBusy: onBindings.length > 0, onBindings };
}

/** What an operation of the instance has to wait for: of several what a platform has asked for, if there is such. */
export function openOn({ operation, onBindings = [] }: FoundWithBindings): OperationSummary | undefined {
  return operation ?? onBindings.find(isOfPlatform) ?? onBindings[0];
}
