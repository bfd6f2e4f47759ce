/** What is asked of quotas, how people are told that one is used up, and what operators see of them. */
import type { QuotaScope, ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import {
  type InstanceOwner,
  type OwnerMember,
  ownerOf,
  type QuotaClaim,
  type QuotaCount,
  type QuotaEntry,
  type QuotaShortage,
} from '../listing.ts';
import { platformOf } from '../key.ts';
import { declaredOfferings } from '../on-sale.ts';
import type { ServiceInstance } from '../records.ts';

/**
 * What an instance of this plan takes of its quotas. Of whom a platform says nothing nobody can be counted, so a quota of
 * organizations does not limit what has none.
 * @param before as it is now, when it is changed to this plan
 */
export function quotaClaims(
  plan: ServicePlan,
  instance: ServiceInstance,
  before?: ServiceInstance,
): readonly QuotaClaim[] {
  const owner = ownerOf(instance);
  const within = platformOf(instance.id).platform;
  const { cost } = plan.operating;
  return (plan.quotas ?? []).flatMap((quota): readonly QuotaClaim[] => {
    const own = ownerIn(owner, quota.per);
    if (quota.per !== 'total' && !own) return [];
    const isNew = !before || (quota.of === 'plan' && before.planId !== plan.id);
    const held = isNew ? 0 : (before.place?.cost ?? 0);
    if (!isNew && cost <= held) return [];
    const planId = quota.of === 'plan' ? plan.id : undefined;
    return [
      {
        quota,
        offeringId: plan.offeringId,
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
  const what = of === 'plan' ? `the plan '${name}' of '${offeringName}'` : `'${offeringName}'`;
  const whose = per === 'total' ? 'The quota' : `The quota of the ${per} '${claim.name ?? ''}'`;
  const counted = by === 'instances' ? `${limit} instance${limit === 1 ? '' : 's'}` : `a cost of ${limit}`;
  const wanted = by === 'instances' ? '' : `, and this one costs ${claim.cost}`;
  return `${whose} for ${what} is ${counted}: ${used} ${by === 'instances' && used !== 1 ? 'are' : 'is'} in use${wanted}.`;
}

const mostOwners = 100;

/** Every quota of the catalog; that of an offering once, and not for each of its plans. */
export async function listQuotas(core: BrokerContext): Promise<readonly QuotaEntry[]> {
  const all = declaredOfferings(core).flatMap(({ plans }) =>
    plans.flatMap((plan, index) => {
      const quotas = (plan.quotas ?? []).filter(({ of }) => of === 'plan' || index === 0);
      return quotas.map((quota) => ({ quota, plan }));
    }),
  );
  const entries: QuotaEntry[] = [];
  for (const { quota, plan } of all) {
    const own = quota.of === 'plan' ? plan : undefined;
    const count = { offeringId: plan.offeringId, planId: own?.id };
    const uses = await core.store.listUses(count, quota.per, mostOwners);
    entries.push({ quota, offering: plan.offeringName, plan: own?.name, uses });
  }
  return entries;
}
