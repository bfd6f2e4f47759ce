import type { BrokerContext } from '../context.ts';
import type { BindingOfInstance, BindingsQuery } from '../listing.ts';
import { declaredOfferings } from '../on-sale.ts';
import { type BindingState, describeBindingState } from '../state.ts';

export interface ListedBindings {
  readonly bindings: readonly NamedBinding[];
  readonly next?: string;
}

/** By the names of offering and plan, as far as the catalog knows them. */
export interface NamedBinding extends BindingOfInstance {
  readonly state: BindingState;
  readonly offering: string;
  readonly plan: string;
}

/** Bindings over all instances; nothing of it is confidential. */
export async function listBindings(core: BrokerContext, query: BindingsQuery): Promise<ListedBindings> {
  const { bindings, next } = await core.store.listBindings(query);
  const offerings = declaredOfferings(core);
  const now = core.now();
  const named = bindings.map((one): NamedBinding => {
    const { offeringId, planId } = one.instance;
    const offering = offerings.find(({ id }) => id === offeringId);
    const plan = offering?.plans.find(({ id }) => id === planId);
    return {
      ...one,
      state: describeBindingState(one, now),
      offering: offering?.name ?? offeringId,
      plan: plan?.name ?? planId,
    };
  });
  return { bindings: named, next };
}
