// Random requests, before it is known what they are about.
import fc from 'fast-check';
import type { Asked, Plan } from './model-state.ts';
import { offeringId } from './offering.ts';

/** A request that is not yet one to a certain thing. */
export interface Draft extends Omit<Asked, 'plan' | 'id'> {
  readonly id: 'i' | 'j';
  readonly broker: 0 | 1;
  /** As the instance is, where there is one; else the plan at this place of the list. */
  readonly same: boolean;
  readonly plan: number;
}

function often<const Word extends string>(usual: Word, other: Word): fc.Arbitrary<Word> {
  return fc.constantFrom(usual, usual, usual, other);
}

/** The place of the one that breaks at its first try, and works a second later. */
export const flaky = 12;
/** Slow ones show the most. */
export const place = fc.constantFrom(0, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
export const draft: fc.Arbitrary<Draft> = fc.record({
  what: fc.oneof(
    { weight: 5, arbitrary: fc.constant('bind' as const) },
    { weight: 3, arbitrary: fc.constantFrom('provision' as const, 'update' as const) },
    { weight: 3, arbitrary: fc.constantFrom('unbind' as const, 'unbind' as const, 'deprovision' as const) },
    { weight: 3, arbitrary: fc.constantFrom('fetch', 'fetch binding', 'poll', 'poll binding' as const) },
  ),
  broker: fc.constantFrom(0 as const, 1 as const),
  id: often('i', 'j'),
  binding: often('b', 'c'),
  same: fc.integer({ min: 0, max: 9 }).map((chance) => chance < 8),
  plan: place,
  size: fc.constantFrom(undefined, undefined, 1, 1, 2, 99),
  app: often('a', 'd'),
  later: fc.boolean(),
});

export interface Catalog {
  readonly services: readonly {
    readonly id: string;
    readonly name: string;
    readonly plans: readonly { readonly id: string; readonly name: string }[];
  }[];
}

/** The plans that requests name, by place. */
export function plansOf({ services }: Catalog): readonly Plan[] {
  const plan = (offering: string, name: string, more: Partial<Plan> = {}): Plan => {
    const service = services.find((one) => one.name === offering);
    const found = service?.plans.find((one) => one.name === name);
    if (!service || !found) throw new Error(`There is no plan ${offering}/${name}.`);
    const ids = { service_id: service.id, plan_id: found.id };
    return { ...ids, known: true, sized: true, slow: false, updateable: true, makes: true, ...more };
  };
  const sound = plan('trial-failing', 'sound');
  return [
    plan('faults', 'quick'),
    plan('faults', 'slow', { slow: true }),
    plan('trial-timing', 'quick'),
    sound,
    ...(['provision', 'update', 'bind'] as const).map((kind) => plan('trial-failing', kind, { fails: kind })),
    ...(['unbind', 'deprovision'] as const).map((kind) => plan('trial-failing', kind, { failsFirst: kind })),
    plan('echo', 'large', { sized: false, updateable: false, makes: false }),
    { ...sound, service_id: offeringId, known: false },
    { ...sound, plan_id: 'nothing', known: false },
    plan('trial-timing', 'crash'),
  ];
}
