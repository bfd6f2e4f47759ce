import type { Operation } from '../../broker/records.ts';
import type {
  ListQuery,
  OperationsPage,
  OperationsQuery,
  PlanRevision,
  Listed,
  ListedBinding,
} from '../../broker/listing.ts';

import type { StateWord } from '../../broker/state.ts';
import type { Seen } from '../../broker/units.ts';
import type { Query, QueryRow } from '../../postgres/query.ts';
import { readPageMark, writePageMark } from '../page-mark.ts';
import { readBinding, readInstance, readOperation } from './rows.ts';
import { join, sql, type Sql } from '../../postgres/sql.ts';
import { fromNow } from './lease.ts';

export async function list(query: Query, asked: ListQuery): Promise<readonly Listed[]> {
  const rows = await query(sql`
    select to_json(i) as instance, (select c.seen from instance_checks c where c.instance_id = i.id) as seen,
      (select to_json(o) from operations o where o.id = i.operation_id) as operation,
      -- A bind that failed gave nothing to anybody.
      (select count(*) from service_bindings b
        where b.instance_id = i.id and (b.ready or b.operation_id is not null))::integer as bindings
    from (${await page(query, asked)}) i order by i.id`);
  return rows.flatMap(readListed);
}

/** The instances alone, so that what belongs to each is looked up only for those that are shown. */
async function page(query: Query, { driftedFrom, limit, ...filters }: ListQuery): Promise<Sql> {
  const old = driftedFrom && (await outdated(query, driftedFrom));
  const wanted = [...conditions(filters), ...(old ? [sql`i.revision = any(${old}::text[])`] : [])];
  return sql`select * from service_instances i where ${join([sql`true`, ...wanted], ' and ')}
    order by i.id limit ${limit}`;
}

/** Those that are asked for, each of which has an index. */
function conditions(asked: Omit<ListQuery, 'driftedFrom' | 'limit'>): readonly Sql[] {
  const { after, instanceId, node, offeringId, planIds, platform, organization, organizationGuid } = asked;
  const { space, spaceGuid, state, olderThan, youngerThan } = asked;
  const all = [
    after !== undefined && sql`i.id > ${after}`,
    instanceId !== undefined && sql`i.id = ${instanceId}`,
    node !== undefined && sql`i.node = ${node}`,
    offeringId !== undefined && sql`i.offering_id = ${offeringId}`,
    planIds && sql`i.plan_id = any(${planIds}::text[])`,
    platform !== undefined && sql`i.platform = ${platform}`,
    organization !== undefined && sql`i.organization = ${organization}`,
    organizationGuid !== undefined && hasGuid(sql`i.organization_guid`, organizationGuid),
    space !== undefined && sql`i.space = ${space}`,
    spaceGuid !== undefined && hasGuid(sql`i.space_guid`, spaceGuid),
    state !== undefined && inState(state),
    olderThan !== undefined && sql`i.created_at <= ${fromNow(-olderThan)}`,
    youngerThan !== undefined && sql`i.created_at >= ${fromNow(-youngerThan)}`,
  ];
  return all.filter((one) => one !== false && one !== undefined);
}

/** As the index has it. */
export function hasGuid(column: Sql, value: string): Sql {
  return sql`(left(${column}, 200) = left(${value}::text, 200) and ${column} = ${value})`;
}

/** As `describeState` says it. */
function inState(state: StateWord): Sql {
  switch (state) {
    case 'absent':
      return sql`false`;
    case 'ready':
      return sql`(i.ready and i.operation_id is null and i.kept_until is null)`;
    case 'deleted':
      return sql`(i.kept_until is not null and i.operation_id is null)`;
    case 'failed':
      return sql`(not i.ready and i.operation_id is null and i.lost_node is null)`;
    case 'lost':
      return sql`(not i.ready and i.operation_id is null and i.lost_node is not null)`;
    default:
      return sql`i.id in (select o.instance_id from operations o
        where o.state = 'in progress' and o.binding_id is null and o.kind = ${kindIn[state]})`;
  }
}

const kindIn = {
  provisioning: 'provision',
  updating: 'update',
  deprovisioning: 'deprovision',
  starting: 'start',
  stopping: 'stop',
  restarting: 'restart',
  'backing-up': 'backup',
  restoring: 'restore',
  acting: 'action',
  adopting: 'adopt',
} as const;

/**
 * The revisions of these plans that instances have and that are not the current one; of a plan that is none of these
 * nobody knows a newer one. Each revision is met once, however many instances have it: a revision is of one plan.
 */
async function outdated(query: Query, plans: readonly PlanRevision[]): Promise<readonly string[]> {
  const rows = await query(sql`
    with recursive present as (
      (select offering_id, plan_id, revision from service_instances order by revision limit 1)
      union all
      select following.* from present, lateral (
        select i.offering_id, i.plan_id, i.revision from service_instances i where i.revision > present.revision
        order by i.revision limit 1) following
    )
    select r.revision from present r where ${drifted(plans, sql`r`)}`);
  return rows.map((row) => String(row['revision']));
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
  const old = await outdated(query, plans);
  if (old.length === 0) return 0;
  const [row] = await query(
    sql`select count(*)::integer as count from service_instances where revision = any(${old}::text[])`,
  );
  return Number(row?.['count'] ?? 0);
}

function drifted(plans: readonly PlanRevision[], of: Sql): Sql {
  return sql`exists (
    select from unnest(${plans.map(({ offeringId }) => offeringId)}::text[], ${plans.map(({ id }) => id)}::text[],
      ${plans.map(({ revision }) => revision)}::text[]) as now (offering_id, plan_id, revision)
    where now.offering_id = ${of}.offering_id and now.plan_id = ${of}.plan_id and now.revision <> ${of}.revision)`;
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

export function discreet<Rec extends { readonly confidential: unknown }>(
  record: Rec,
): Omit<Rec, 'confidential'> {
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

/** Their order is that of time and, where that is the same, of opening. */
export async function listOperations(query: Query, asked: OperationsQuery): Promise<OperationsPage> {
  const { after, limit, state, kind, operationId, instanceId, offeringId, olderThan, youngerThan } = asked;
  const [at, seq] = after === undefined ? [] : readPageMark(after, 'number');
  const all = [
    sql`true`,
    at !== undefined && sql`(o.created_at, o.seq) < (${at}::timestamptz, ${seq}::bigint)`,
    state !== undefined && ofState(state),
    kind !== undefined && sql`o.kind = ${kind}`,
    operationId !== undefined && sql`o.id = ${operationId}`,
    instanceId !== undefined && sql`o.instance_id = ${instanceId}`,
    offeringId !== undefined && sql`o.offering_id = ${offeringId}`,
    olderThan !== undefined && sql`o.created_at <= ${fromNow(-olderThan)}`,
    youngerThan !== undefined && sql`o.created_at >= ${fromNow(-youngerThan)}`,
  ];
  const wanted = all.filter((one) => one !== false);
  const rows = await query(sql`
    select to_json(o) as operation, to_json(o.created_at)#>>'{}' as at, o.seq from operations o
    where ${join(wanted, ' and ')} order by o.created_at desc, o.seq desc limit ${limit}`);
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return {
    operations: rows.flatMap((row) => readOperation(row['operation']) ?? []),
    next: last && writePageMark([String(last['at']), Number(last['seq'])]),
  };
}

/** Written out, so that the indexes of these are found by any plan. */
function ofState(state: Operation['state']): Sql {
  return state === 'failed'
    ? sql`o.state = 'failed'`
    : state === 'succeeded'
      ? sql`o.state = 'succeeded'`
      : sql`o.state = 'in progress'`;
}
