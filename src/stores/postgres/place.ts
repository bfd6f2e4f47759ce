import type { Pool } from 'pg';
import { staleAfter, type Demand } from '../../broker/nodes.ts';
import type { Opening, Placement } from '../../broker/store.ts';
import { decidePlace, placedOpening, placementOf, type Supplier, type Supply } from '../placement.ts';
import { takingTurns } from '../../postgres/serialized.ts';
import { open } from './open.ts';
import { quotaUses, readUses } from './quotas/uses.ts';
import type { Query } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';
import type { StatementNames } from '../../postgres/statement-names.ts';

/** Those who place take turns, so that each sees what the one before it has taken. */
export function placeThrough(
  pool: Pool,
  channel: string,
  names: StatementNames,
): (opening: Opening, demand: Demand) => Promise<Placement> {
  const inTurn = takingTurns(pool, names);
  return (opening, demand) =>
    inTurn('placement', async (query) => {
      const decided = decidePlace(opening, demand, await supplyFor(query, opening, demand));
      if ('short' in decided) return decided;
      const placed = placedOpening(opening, demand, decided.node);
      const written = await open(query, channel, placed, demand.room?.cost);
      return written ? placementOf(placed) : 'stale';
    });
}

/** Only what is asked for is counted, and instances of an offering no further than there may be. */
async function supplyFor(
  query: Query,
  { operation }: Opening,
  { maxInstances, quotas = [], room }: Demand,
): Promise<Supply> {
  const others = sql`i.id <> ${operation.instanceId} and ${holdsRoom}`;
  const instances = sql`(
    select count(*) from (select from service_instances i
      where offering_id = ${operation.offeringId} and ${others} limit ${maxInstances ?? 0}) i)::integer`;
  const nodes = sql`(select json_agg(n) from (
    select name, executables, isolation, allows_unisolated as "allowsUnisolated", capacity, draining,
      ${stale} as stale, used - coalesce((
        select room_taken(i.ready, i.operation_id, i.cost) from service_instances i
        where i.id = ${operation.instanceId} and i.node = nodes.name), 0) as used from nodes) n)`;
  const [row] = await query(sql`
    select ${maxInstances === undefined ? sql`0` : instances} as instances,
      ${quotaUses(quotas, others)} as uses, ${room ? nodes : sql`null::json`} as nodes`);
  return {
    instances: Number(row?.['instances']),
    uses: readUses(row?.['uses']),
    nodes: (row?.['nodes'] as readonly Supplier[] | null) ?? [],
  };
}

/** A create that failed holds nothing. */
export const holdsRoom = sql`(i.ready or i.operation_id is not null)`;

/** Nobody speaks for it any more; on the clock as it is, and not as it was before the turn came. */
export const stale = sql`(nodes.holder = ''
  or nodes.beat_at < clock_timestamp() - ${staleAfter} * interval '1 millisecond')`;
