import { ownerOf } from '../../broker/listing.ts';
import type { QuotaScope } from '../../broker/policies.ts';
import { platformOf } from '../../broker/key.ts';
import type { OwnerMember, OwnerUse, QuotaCount, QuotaOwner, QuotaUse } from '../../broker/listing.ts';
import type { ServiceInstance } from '../../broker/records.ts';
import type { Row, Tables } from './tables.ts';

type Holder = Row<ServiceInstance>;

/** @param holders the instances that hold room, with what each costs */
export function quotaUse(
  tables: Tables,
  holders: readonly Holder[],
  { offeringId, planId, owner }: QuotaCount,
  costOf: (one: Holder) => number,
): QuotaUse {
  const counted = holders.filter(({ record, operationId = '' }) => {
    const operation = tables.operations.get(operationId)?.operation;
    const goesTo = operation?.kind === 'update' ? operation.planId : undefined;
    return (
      (offeringId === undefined || record.offeringId === offeringId) &&
      (planId === undefined || record.planId === planId || goesTo === planId) &&
      (!owner || isOf(record, owner))
    );
  });
  return { instances: counted.length, cost: counted.reduce((sum, one) => sum + costOf(one), 0) };
}

function isOf(record: ServiceInstance, { by, is, within }: QuotaOwner): boolean {
  return ownerOf(record)[by] === is && (within === undefined || platformOf(record.id).platform === within);
}

/** Those who use most first. */
export function listUses(
  tables: Tables,
  holders: readonly Holder[],
  count: QuotaCount,
  { per, limit }: { readonly per: QuotaScope; readonly limit: number },
  costOf: (one: Holder) => number,
): readonly OwnerUse[] {
  const owners = Map.groupBy(holders, ({ record }) =>
    JSON.stringify([ownerIn(record, per)[0], withinOf(record, per)]),
  );
  const uses = [...owners.values()].map((own): OwnerUse => {
    const [owner] = own[0] ? ownerIn(own[0].record, per) : [];
    const name = own.map(({ record }) => ownerIn(record, per)[1]).find((one) => one !== undefined);
    const within = own[0] && withinOf(own[0].record, per);
    return { owner, name, within, ...quotaUse(tables, own, count, costOf) };
  });
  return uses
    .filter(({ instances }) => instances > 0)
    .toSorted((a, b) => b.instances - a.instances || ((a.owner ?? '') < (b.owner ?? '') ? -1 : 1))
    .slice(0, limit);
}

function withinOf({ id }: ServiceInstance, per: QuotaScope): string | undefined {
  return per === 'total' ? undefined : platformOf(id).platform;
}

/** By id, or else by name; and the name. */
function ownerIn(
  record: ServiceInstance,
  per: QuotaScope,
): readonly [owner: string | undefined, name: string | undefined] {
  const owner = ownerOf(record);
  const of = (...members: readonly OwnerMember[]) =>
    members.map((member) => owner[member]).find((one) => one !== undefined);
  switch (per) {
    case 'total':
      return [undefined, undefined];
    case 'platform':
      return [owner.platform, owner.platform];
    case 'organization':
      return [of('organizationGuid', 'organization'), owner.organization];
    case 'space':
      return [of('spaceGuid', 'space'), owner.space];
  }
}
