/** What is asked of quotas, how people are told that one is used up, and what operators see of them. */
import type { ServicePlan } from '../catalog.ts';
import type { Quota, QuotaAmounts, QuotaException, QuotaScope } from '../policies.ts';
import type { BrokerContext } from '../context.ts';
import {
  countedOver,
  type InstanceOwner,
  type OwnerMember,
  type OwnerUse,
  ownerOf,
  type QuotaClaim,
  type QuotaCount,
  type QuotaEntry,
  type QuotaRule,
  type QuotaShortage,
} from '../listing.ts';
import { platformOf } from '../key.ts';
import { declaredOfferings } from '../on-sale.ts';
import type { ServiceInstance } from '../records.ts';

/** All that limit instances of a plan. What is said beside the offering files takes the place of the same in them. */
export function quotasOf({ quotas }: Pick<BrokerContext, 'quotas'>, plan: ServicePlan): readonly Quota[] {
  const said = (quotas?.() ?? []).filter((rule) => isOn(rule, plan));
  const own = (plan.quotas ?? []).filter(
    ({ of, per }) => !said.some((rule) => rule.of === of && rule.per === per),
  );
  return [...own, ...said];
}

function isOn({ offering, plan }: QuotaRule, { offeringName, name }: ServicePlan): boolean {
  return (offering === undefined || offering === offeringName) && (plan === undefined || plan === name);
}

/**
 * What an instance of this plan takes of its quotas. Of whom a platform says nothing nobody can be counted, so a quota of
 * organizations does not limit what has none.
 * @param limits what limits it, and what it costs: nothing where it is of no node
 * @param before as it is now, when it is changed to this plan
 */
export function quotaClaims(
  plan: ServicePlan,
  { quotas, cost }: { readonly quotas: readonly Quota[]; readonly cost: number },
  instance: ServiceInstance,
  before?: ServiceInstance,
): readonly QuotaClaim[] {
  const owner = ownerOf(instance);
  const within = platformOf(instance.id).platform;
  return quotas.flatMap((said): readonly QuotaClaim[] => {
    const own = ownerIn(owner, said.per);
    if (said.per !== 'total' && !own) return [];
    const exception = own && exceptionFor(said, { owner: own.is, name: own.name, within });
    const quota = { ...said, ...amountsOf(exception ?? said) };
    const isNew = !before || (quota.of === 'plan' && before.planId !== plan.id);
    const held = isNew ? 0 : (before.place?.cost ?? 0);
    if (!isNew && cost <= held) return [];
    const planId = quota.of === 'plan' ? plan.id : undefined;
    return [
      {
        quota,
        offeringId: quota.of === 'all' ? undefined : plan.offeringId,
        planId,
        owner: own && { ...own, within },
        isNew,
        cost,
        held,
        name: own?.name,
      },
    ];
  });
}

function exceptionFor(
  { exceptions = [] }: Quota,
  { owner, name, within }: Pick<OwnerUse, 'owner' | 'name' | 'within'>,
): QuotaException | undefined {
  return exceptions.find(
    ({ is, platform }) => (is === owner || is === name) && (platform === undefined || platform === within),
  );
}

function amountsOf({ instances, cost }: QuotaAmounts): QuotaAmounts {
  return { instances, cost };
}

function ownerIn(
  { platform, organization, organizationGuid, space, spaceGuid }: InstanceOwner,
  per: QuotaScope,
): (NonNullable<QuotaCount['owner']> & { readonly name: string }) | undefined {
  const named = (by: OwnerMember, is: string | undefined, name = is) =>
    is === undefined || name === undefined ? undefined : { by, is, name };
  switch (per) {
    case 'total':
      return undefined;
    case 'platform':
      return named('platform', platform);
    case 'organization':
      return named('organizationGuid', organizationGuid, organization) ?? named('organization', organization);
    case 'space':
      return named('spaceGuid', spaceGuid, space) ?? named('space', space);
  }
}

/** For who was refused: the limit, whose it is, and how much of it is used. */
export function quotaSentence(
  { offeringName, name }: Pick<ServicePlan, 'offeringName' | 'name'>,
  { claim, by, limit, used }: QuotaShortage,
): string {
  const { per, of } = claim.quota;
  const what = {
    plan: `the plan '${name}' of '${offeringName}'`,
    offering: `'${offeringName}'`,
    all: 'all services',
  }[of];
  const whose = per === 'total' ? 'The quota' : `The quota of the ${per} '${claim.name ?? ''}'`;
  const counted = by === 'instances' ? `${limit} instance${limit === 1 ? '' : 's'}` : `a cost of ${limit}`;
  const wanted = by === 'instances' ? '' : `, and this one costs ${claim.cost}`;
  const atLeast = by === 'instances' && used >= limit + countedOver ? 'at least ' : '';
  return `${whose} for ${what} is ${counted}: ${atLeast}${used} ${by === 'instances' && used !== 1 ? 'are' : 'is'} in use${wanted}.`;
}

const mostOwners = 100;

/** Every quota that there is; that of an offering once, and not for each of its plans. */
export async function listQuotas(core: BrokerContext): Promise<readonly QuotaEntry[]> {
  const plans = declaredOfferings(core).flatMap((one) => one.plans);
  const limiting = plans.flatMap((plan, index) => {
    // The plans of an offering stand beside each other.
    const isFirst = plans[index - 1]?.offeringId !== plan.offeringId;
    const isShown = { plan: true, offering: isFirst, all: index === 0 };
    return quotasOf(core, plan)
      .filter(({ of }) => isShown[of])
      .map((quota) => ({ quota, plan }));
  });
  const entries: QuotaEntry[] = [];
  for (const { quota, plan } of limiting) {
    const [offering, own] = [quota.of === 'all' ? undefined : plan, quota.of === 'plan' ? plan : undefined];
    const count = { offeringId: offering?.offeringId, planId: own?.id };
    const uses = await core.store.listUses(count, quota.per, mostOwners);
    const told = uses.map((use) => ({ ...use, exception: exceptionFor(quota, use) }));
    entries.push({ quota, offering: offering?.offeringName, plan: own?.name, uses: told });
  }
  const idle = (core.quotas?.() ?? []).filter((rule) => !plans.some((plan) => isOn(rule, plan)));
  return [
    ...entries,
    ...idle.map((quota) => ({ quota, offering: quota.offering, plan: quota.plan, uses: [] })),
  ];
}
