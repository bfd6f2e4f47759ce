import {
  platformKinds,
  type FoundBinding,
  type FoundInstance,
  type ServiceBinding,
} from '../../broker/records.ts';
import type { ExpiredBinding, FoundOperation, OperationQuery } from '../../broker/store.ts';
import { runnableOn } from './lease.ts';
import type { Query, QueryRow } from '../../postgres/query.ts';
import { readBinding, readInstance, readLoss, readOperation } from './rows.ts';
import { sql } from '../../postgres/sql.ts';

// Each of these is one statement, so that all parts of an answer are of the same moment. What belongs to a row is
// looked up by subqueries rather than joins: they take less planning, and go by the primary key whatever Postgres
// believes of the tables' sizes.

const FOUND = sql`
  to_json(i) as instance,
  (select to_json(o) from operations o where o.id = i.operation_id) as operation,
  exists (
    select from service_bindings busy where busy.instance_id = i.id and busy.operation_id is not null
  ) as bindings_busy,
  -- A bind that failed holds nothing, and what was forgotten needs nothing.
  array(select n.dependent from service_bindings n
    where n.instance_id = i.id and n.dependent is not null and (n.ready or n.operation_id is not null)
      and exists (select from service_instances d where d.id = n.dependent)
  ) as needed_by,
  exists (
    select from operations u where u.instance_id = i.id and u.state = 'failed' and u.untold
  ) as has_untold`;

export async function findInstance(query: Query, instanceId: string): Promise<FoundInstance | undefined> {
  const [row] = await query(sql`select ${FOUND} from service_instances i where i.id = ${instanceId}`);
  return row && readFound(row);
}

export async function findBinding(
  query: Query,
  instanceId: string,
  bindingId: string,
): Promise<FoundBinding> {
  const [row] = await query(sql`
    select ${FOUND}, to_json(b) as binding,
      (select to_json(p) from operations p where p.id = b.operation_id) as binding_operation
    from service_instances i left join service_bindings b on b.instance_id = i.id and b.id = ${bindingId}
    where i.id = ${instanceId}`);
  if (!row) return {};
  const found = readFound(row);
  const binding = readBinding(row['binding']);
  const operation = readOperation(row['binding_operation']);
  return { ...(found && { found }), ...(binding && { binding }), ...(operation && { operation }) };
}

function readFound(row: QueryRow): FoundInstance | undefined {
  const instance = readInstance(row['instance']);
  const operation = readOperation(row['operation']);
  if (!instance) return undefined;
  const bindingsBusy = row['bindings_busy'] === true;
  const neededBy = new Set(row['needed_by'] as readonly string[]);
  return {
    instance,
    ...(operation && { operation }),
    bindingsBusy,
    hasUntold: row['has_untold'] === true || undefined,
    ...(neededBy.size > 0 && { neededBy: [...neededBy].toSorted() }),
  };
}

export async function lastOperation(
  query: Query,
  { instanceId, bindingId, operationId }: OperationQuery,
): Promise<FoundOperation> {
  const binding = bindingId === undefined ? sql`binding_id is null` : sql`binding_id = ${bindingId}`;
  const own = sql`from operations o where instance_id = ${instanceId} and ${binding}`;
  const [row] = await query(sql`
    select ${existence(instanceId, bindingId)} as present, now() as now,
      (select json_build_object('lost_node', i.lost_node, 'lost_at', i.lost_at, 'lost_key', i.lost_key)
        from service_instances i where i.id = ${instanceId}) as loss,
      coalesce(
      (select to_json(o) ${own} and id = ${operationId}::text),
      (select to_json(o) ${own} and kind = any(${platformKinds}::text[]) order by seq desc limit 1)
    ) as operation`);
  const operation = readOperation(row?.['operation'] ?? null);
  const lost = readLoss(row?.['loss'] ?? null);
  const endedMs = operation?.finishedAt && Number(row?.['now']) - operation.finishedAt.getTime();
  return {
    ...(operation && { operation }),
    ...(endedMs !== undefined && { endedMs }),
    exists: row?.['present'] === true,
    ...(lost && { lost }),
  };
}

function existence(instanceId: string, bindingId: string | undefined) {
  return bindingId === undefined
    ? sql`exists (select from service_instances where id = ${instanceId} and kept_until is null)`
    : sql`exists (select from service_bindings where instance_id = ${instanceId} and id = ${bindingId})`;
}

export async function leftBinding(query: Query, instanceId: string): Promise<ServiceBinding | undefined> {
  const [row] = await query(sql`
    select to_json(b) as binding from service_bindings b where b.instance_id = ${instanceId}
    order by b.created_at, b.id limit 1`);
  return row && readBinding(row['binding']);
}

export async function expired(query: Query, limit: number): Promise<readonly ExpiredBinding[]> {
  const rows = await query(sql`
    select b.instance_id, b.id, b.expires_at
    from service_bindings b join service_instances i on i.id = b.instance_id
    where b.expires_at <= now() and b.ready and b.operation_id is null and i.ready and i.operation_id is null
    order by b.expires_at limit ${limit}`);
  return rows.map((row) => ({
    instanceId: String(row['instance_id']),
    id: String(row['id']),
    expiresAt: row['expires_at'] as Date,
  }));
}

export async function keptEnough(query: Query, limit: number): Promise<readonly string[]> {
  const rows = await query(sql`
    select id from service_instances where kept_until <= now() and operation_id is null
      and (protected_from is null or protected_from > now())
    order by kept_until limit ${limit}`);
  return rows.map(({ id }) => String(id));
}

export async function nextDue(query: Query, node: string | undefined): Promise<number | undefined> {
  const [row] = await query(sql`
    select ceil(extract(epoch from min(due_at) - now()) * 1000)::float8 as ms
    from operations where state = 'in progress' and ${runnableOn(node)}`);
  const ms = row?.['ms'];
  return typeof ms === 'number' ? Math.max(0, ms) : undefined;
}
