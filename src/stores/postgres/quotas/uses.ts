import type { QuotaScope } from '../../../broker/policies.ts';
import { defaultPlatform } from '../../../broker/key.ts';
import {
  countedOver,
  type OwnerMember,
  type OwnerUse,
  type QuotaClaim,
  type QuotaCount,
  type QuotaOwner,
  type QuotaUse,
} from '../../../broker/listing.ts';
import type { Query } from '../../../postgres/query.ts';
import { join, sql, type Sql } from '../../../postgres/sql.ts';
import { hasGuid } from '../list.ts';

/** What is in use of each, in the order of the claims: for each one look by an index, no further than its limit needs. */
export function quotaUses(claims: readonly QuotaClaim[], others: Sql): Sql {
  return sql`json_build_array(${join(
    claims.map(({ quota: { instances = 0, cost }, ...count }) => {
      const enough = cost === undefined ? instances + countedOver : undefined;
      return sql`(select ${use(sql`cost`)} from (select ${taken} as cost ${usedIn(count)} and ${others} limit ${enough}::bigint) own)`;
    }),
    ', ',
  )})`;
}

export function readUses(value: unknown): readonly QuotaUse[] {
  return ((value ?? []) as readonly Record<keyof QuotaUse, unknown>[]).map(({ instances, cost }) => ({
    instances: Number(instances),
    cost: Number(cost),
  }));
}

const taken = sql`greatest(i.cost, o.cost)`;
const use = (cost: Sql) => sql`json_build_object('instances', count(*), 'cost', coalesce(sum(${cost}), 0))`;

/** Also of a plan that an open update goes to: when it has succeeded, the instance is of it. */
function usedIn({ offeringId, planId, owner }: QuotaCount): Sql {
  const wanted = [
    offeringId === undefined ? sql`true` : sql`${offeringBeside(owner)} = ${offeringId}`,
    ...(planId === undefined
      ? []
      : [sql`(i.plan_id = ${planId} or (o.kind = 'update' and o.plan_id = ${planId}))`]),
    ...(owner ? [isOf[owner.by](owner.is), ...isWithin(owner)] : []),
  ];
  // By its state, so that nobody goes through what has ended.
  return sql`from service_instances i left join operations o on o.id = i.operation_id and o.state = 'in progress'
    where ${join(wanted, ' and ')}`;
}

/**
 * A platform's are in an index by their offering. Others have few beside all that an offering may have, so it is not
 * looked up in the offering's own index too, of which everything would be read.
 */
function offeringBeside(owner?: QuotaOwner): Sql {
  return owner === undefined || owner.by === 'platform' ? sql`i.offering_id` : sql`(i.offering_id || '')`;
}

function isWithin({ within }: QuotaOwner): readonly Sql[] {
  return within === undefined ? [] : [sql`${platform} = ${within}`];
}

/** As the core reads it from an id. The pattern is most of what a count costs, so it is asked only where it may fit. */
const platform = sql`case when i.id like '%::%' and i.id ~ '^[a-z0-9][a-z0-9-]{0,39}::'
  then split_part(i.id, '::', 1) else ${defaultPlatform}::text end`;

/** Names are cut as they are in their columns. */
const isOf = {
  platform: (is) => sql`i.platform = left(${is}::text, 200)`,
  organization: (is) => sql`i.organization = left(${is}::text, 200)`,
  organizationGuid: (is) => hasGuid(sql`i.organization_guid`, is),
  space: (is) => sql`i.space = left(${is}::text, 200)`,
  spaceGuid: (is) => hasGuid(sql`i.space_guid`, is),
} satisfies Record<OwnerMember, (is: string) => Sql>;

/** Those who use most first. @param holding which instances count */
export async function listUses(
  query: Query,
  count: QuotaCount,
  per: QuotaScope,
  limit: number,
  holding: Sql,
): Promise<readonly OwnerUse[]> {
  const { owner, name } = ownerColumnsOf[per];
  const rows = await query(sql`
    select ${owner} as owner, ${per === 'total' ? sql`null::text` : platform} as within, max(${name}) as name,
      ${use(taken)} as used ${usedIn(count)} and ${holding}
    group by 1, 2 order by count(*) desc, 1 limit ${limit}`);
  return rows.map((row) => ({
    ...(readUses([row['used']])[0] as QuotaUse),
    owner: (row['owner'] as string | null) ?? undefined,
    name: (row['name'] as string | null) ?? undefined,
    within: (row['within'] as string | null) ?? undefined,
  }));
}

const ownerColumnsOf = {
  total: { owner: sql`null::text`, name: sql`null::text` },
  platform: { owner: sql`i.platform`, name: sql`i.platform` },
  organization: { owner: sql`coalesce(i.organization_guid, i.organization)`, name: sql`i.organization` },
  space: { owner: sql`coalesce(i.space_guid, i.space)`, name: sql`i.space` },
} satisfies Record<QuotaScope, Record<'owner' | 'name', Sql>>;
