import type { Operation } from '../../broker/records.ts';
import type { Listed, ListedBinding, ListQuery, PlanRevision } from '../../broker/store.ts';
import type { Seen } from '../../broker/units.ts';
import type { Query, QueryRow } from '../../postgres/query.ts';
import { readBinding, readInstance, readOperation } from './rows.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

export async function list(
  query: Query,
  { after, limit, instanceId, node, offeringId, driftedFrom }: ListQuery,
): Promise<readonly Listed[]> {
  const rows = await query(sql`
    select to_json(i) as instance, c.seen,
      (select to_json(o) from operations o where o.id = i.operation_id) as operation,
      -- A bind that failed gave nothing to anybody.
      (select count(*) from service_bindings b
        where b.instance_id = i.id and (b.ready or b.operation_id is not null))::integer as bindings
    from service_instances i left join instance_checks c on c.instance_id = i.id
    where ${after === undefined ? sql`true` : sql`i.id > ${after}`}
      and ${instanceId === undefined ? sql`true` : sql`i.id = ${instanceId}`}
      and ${node === undefined ? sql`true` : sql`i.node = ${node}`}
      and ${offeringId === undefined ? sql`true` : sql`i.offering_id = ${offeringId}`}
      and ${driftedFrom === undefined ? sql`true` : drifted(driftedFrom)}
    order by i.id limit ${limit}`);
  return rows.flatMap(readListed);
}

export async function bindings(query: Query, instanceId: string): Promise<readonly ListedBinding[]> {
  const rows = await query(sql`
    select to_json(b) as binding,
      (select to_json(o) from operations o where o.id = b.operation_id) as operation
    from service_bindings b where b.instance_id = ${instanceId} order by b.created_at, b.id`);
  return rows.flatMap((row) => {
    const binding = readBinding(row['binding']);
    const operation = readOperation(row['operation']);
    return binding
      ? [{ binding: discreet(binding), ...(operation && { operation: discreet(operation) }) }]
      : [];
  });
}

export async function countDrifted(query: Query, plans: readonly PlanRevision[]): Promise<number> {
  const [row] = await query(
    sql`select count(*)::integer as count from service_instances i where ${drifted(plans)}`,
  );
  return Number(row?.['count'] ?? 0);
}

/** Of a plan that is none of these nobody knows a newer revision. */
function drifted(plans: readonly PlanRevision[]): Sql {
  return sql`exists (
    select from unnest(${plans.map(({ offeringId }) => offeringId)}::text[], ${plans.map(({ id }) => id)}::text[],
      ${plans.map(({ revision }) => revision)}::text[]) as now (offering_id, plan_id, revision)
    where now.offering_id = i.offering_id and now.plan_id = i.plan_id and now.revision <> i.revision)`;
}

function readListed(row: QueryRow): readonly Listed[] {
  const instance = readInstance(row['instance']);
  const operation = readOperation(row['operation']);
  const seen = row['seen'] as Seen | null;
  if (!instance) return [];
  return [
    {
      instance,
      ...(operation && { operation: discreet(operation) }),
      bindings: Number(row['bindings']),
      ...(seen && { seen }),
    },
  ];
}

function discreet<Rec extends { readonly confidential: unknown }>(record: Rec): Omit<Rec, 'confidential'> {
  const { confidential: _hidden, ...rest } = record;
  return rest;
}

export async function history(
  query: Query,
  instanceId: string,
  limit: number,
): Promise<readonly Operation[]> {
  const rows = await query(sql`
    select to_json(o) as operation from operations o where instance_id = ${instanceId}
    order by seq desc limit ${limit}`);
  return rows.flatMap((row) => readOperation(row['operation']) ?? []);
}
