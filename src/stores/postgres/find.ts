import type { FoundBinding, FoundInstance, Operation, ServiceBinding } from '../../broker/records.ts';
import type { OperationQuery } from '../../broker/store.ts';
import type { Query } from './query.ts';
import {
  readBinding,
  readInstance,
  readOperation,
  selectBinding,
  selectInstance,
  selectOperation,
  type Row,
} from './rows.ts';
import { sql } from './sql.ts';

// Each of these is one statement, so that all parts of an answer are of the same moment.

const INSTANCE = sql`${selectInstance('i', 'i_')}, ${selectOperation('o', 'o_')}, exists (
    select from service_bindings busy where busy.instance_id = i.id and busy.operation_id is not null
  ) as bindings_busy`;

export async function findInstance(query: Query, instanceId: string): Promise<FoundInstance | undefined> {
  const [row] = await query(sql`
    select ${INSTANCE}
    from service_instances i left join operations o on o.id = i.operation_id
    where i.id = ${instanceId}`);
  return row && readFound(row);
}

export async function findBinding(
  query: Query,
  instanceId: string,
  bindingId: string,
): Promise<FoundBinding> {
  const [row] = await query(sql`
    select ${INSTANCE}, ${selectBinding('b', 'b_')}, ${selectOperation('p', 'p_')}
    from service_instances i
      left join operations o on o.id = i.operation_id
      left join service_bindings b on b.instance_id = i.id and b.id = ${bindingId}
      left join operations p on p.id = b.operation_id
    where i.id = ${instanceId}`);
  if (!row) return {};
  const [found, binding, operation] = [readFound(row), readBinding(row, 'b_'), readOperation(row, 'p_')];
  return { ...(found && { found }), ...(binding && { binding }), ...(operation && { operation }) };
}

function readFound(row: Row): FoundInstance | undefined {
  const instance = readInstance(row, 'i_');
  const operation = readOperation(row, 'o_');
  return (
    instance && { instance, ...(operation && { operation }), bindingsBusy: row['bindings_busy'] === true }
  );
}

export async function lastOperation(
  query: Query,
  { instanceId, bindingId, operationId }: OperationQuery,
): Promise<{ operation?: Operation; exists: boolean }> {
  const [row = {}] = await query(sql`
    select ${selectOperation('o', 'o_')}, ${existence(instanceId, bindingId)} as present
    from (values (true)) one left join lateral (
      select * from operations
      where instance_id = ${instanceId} and binding_id is not distinct from ${bindingId}::text
      order by id = ${operationId ?? ''} desc, created_at desc, seq desc
      limit 1
    ) o on true`);
  const operation = readOperation(row, 'o_');
  return { ...(operation && { operation }), exists: row['present'] === true };
}

function existence(instanceId: string, bindingId: string | undefined) {
  return bindingId === undefined
    ? sql`exists (select from service_instances where id = ${instanceId})`
    : sql`exists (select from service_bindings where instance_id = ${instanceId} and id = ${bindingId})`;
}

export async function leftBinding(query: Query, instanceId: string): Promise<ServiceBinding | undefined> {
  const [row] = await query(sql`
    select ${selectBinding('b', 'b_')} from service_bindings b where b.instance_id = ${instanceId}
    order by b.created_at, b.id limit 1`);
  return row && readBinding(row, 'b_');
}

/** A binding whose time is over, and which can be unbound now. */
const EXPIRING = sql`service_bindings b join service_instances i on i.id = b.instance_id
    where b.expires_at is not null and b.ready and b.operation_id is null and i.ready and i.operation_id is null`;

export async function expired(query: Query, limit: number): Promise<readonly ServiceBinding[]> {
  const rows = await query(sql`
    select ${selectBinding('b', 'b_')} from ${EXPIRING} and b.expires_at <= now()
    order by b.expires_at limit ${limit}`);
  return rows.flatMap((row) => readBinding(row, 'b_') ?? []);
}

export async function nextDue(query: Query): Promise<number | undefined> {
  const [row] = await query(sql`
    select ceil(extract(epoch from least(
      (select min(due_at) from operations where state = 'in progress'),
      (select b.expires_at from ${EXPIRING} order by b.expires_at limit 1)
    ) - now()) * 1000)::float8 as ms`);
  const ms = row?.['ms'];
  return typeof ms === 'number' ? Math.max(0, ms) : undefined;
}
