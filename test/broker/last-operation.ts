import type { Operation } from '../../src/broker/records.ts';
import type { CoreInMemory } from './core-in-memory.ts';

/** What was last done with this instance, or with this binding of it. */
export async function lastOf(
  core: CoreInMemory,
  instanceId = 'i1',
  bindingId?: string,
): Promise<Operation | undefined> {
  return (await core.store.lastOperation({ instanceId, bindingId })).operation;
}
