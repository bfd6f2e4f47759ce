import type { Operation } from '../../src/broker/records.ts';
import type { World } from './core-in-memory.ts';

/** What was last done with this instance, or with this binding of it. */
export async function lastOf(
  world: World,
  instanceId = 'i1',
  bindingId?: string,
): Promise<Operation | undefined> {
  return (await world.store.lastOperation({ instanceId, bindingId })).operation;
}
