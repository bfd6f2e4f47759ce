// Instances that were deleted and are kept: for everybody but operators they are gone.
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import { declaredOfferings } from '../on-sale.ts';
import type { FoundInstance, ServiceInstance } from '../records.ts';
import type { Store } from '../store.ts';

/** The same store, in which what is kept is not there. */
export function withoutKept(store: Store): Store {
  const hiding: Pick<Store, 'findInstance' | 'findBinding'> = {
    async findInstance(instanceId) {
      const found = await store.findInstance(instanceId);
      return found?.instance.keptUntil ? undefined : found;
    },
    async findBinding(instanceId, bindingId) {
      const there = await store.findBinding(instanceId, bindingId);
      return there.found?.instance.keptUntil ? {} : there;
    },
  };
  return Object.assign(Object.create(store) as Store, hiding);
}

/** Milliseconds that an instance is kept when it is deleted, as its plan says by now; undefined: not at all. */
export function keptFor(
  core: Pick<BrokerContext, 'catalog' | 'hidden'>,
  { offeringId, planId, ready, parent }: ServiceInstance,
): number | undefined {
  if (!ready || parent !== undefined) return undefined;
  const offering = declaredOfferings(core).find(({ id }) => id === offeringId);
  return offering?.plans.find(({ id }) => id === planId)?.keepDeleted;
}

/**
 * No platform gives an id twice, but one that goes by names may.
 * @throws Refusal 'conflict'
 */
export function requireNotKept(found: FoundInstance | undefined): void {
  const { keptUntil } = found?.instance ?? {};
  if (!keptUntil) return;
  throw new Refusal(
    'conflict',
    `A service instance with this id was deleted, and is kept until ${keptUntil.toISOString()}. Choose another one, or ask the operator of the broker to bring it back or to remove it.`,
  );
}
