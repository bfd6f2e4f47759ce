import type { AuditEnd } from '../../broker/audit.ts';
import type { Operation, ServiceBinding, ServiceInstance } from '../../broker/records.ts';
import type { Change, LeasedOperation, Settlement } from '../../broker/store.ts';
import { backupInsertion } from './backups/books.ts';
import { auditEnding } from './audit/write.ts';
import { isWatched, lookAtOnce } from './unit-checks.ts';
import { stillHeld } from './lease.ts';
import { stepsToWrite } from '../operation-rows.ts';
import type { Query } from '../../postgres/query.ts';
import { json, note } from './rows.ts';
import { bindingColumns, instanceAssignments } from './written.ts';
import { sql, type Sql } from '../../postgres/sql.ts';
import { entries } from './timeline.ts';

/** One statement: the operation ends, and its rows are changed and let go, only if it is still ours. */
export async function settle(query: Query, held: LeasedOperation, settlement: Settlement): Promise<boolean> {
  const { operation } = held;
  const instance = instancePart(operation, settlement.instance);
  const after = instance ? sql`exists (select from changed)` : sql`exists (select from ended)`;
  const binding = bindingPart(operation, settlement.binding, after);
  const left = settlement.instance ?? { put: held.instance };
  const looked = instance && 'put' in left && isWatched(left.put);
  const steps = stepsToWrite(held, settlement);
  const rows = await query(sql`
    with ended as (
      update operations set state = ${settlement.failure ? 'failed' : 'succeeded'}, finished_at = now(),
        failure = ${json(settlement.failure && { ...settlement.failure })}, holder = null,
        trouble = ${note(settlement.left)},
        confidential = '{}'
      where ${stillHeld(operation)} returning id
    )
    ${instance ? sql`, changed as (${instance} returning id, node)` : sql``}
    ${binding ? sql`, bound as (${binding})` : sql``}
    ${looked ? sql`, watched as (${lookAtOnce})` : sql``}
    , concluded as (${auditEnding(sql`select id from ended`, endOf(settlement))})
    ${settlement.backup ? sql`, saved as (${backupInsertion(settlement.backup, sql`ended`)})` : sql``}
    ${steps.length > 0 ? sql`, noted as (${entries(steps, sql`ended`)})` : sql``}
    select true as settled from ended`);
  return rows.length > 0;
}

function endOf({ failure, left }: Settlement): AuditEnd {
  if (failure) return { outcome: 'failed', reason: failure.word };
  return { outcome: 'succeeded', result: left === undefined ? undefined : { left } };
}

/** Only the first who tells it writes. */
export async function tell(query: Query, operationId: string): Promise<void> {
  await query(
    sql`update operations set untold = false where id = ${operationId} and state = 'failed' and untold`,
  );
}

/** The open operation protects the row: no version is compared, but it is raised for those who read before. */
function instancePart(operation: Operation, change: Change<ServiceInstance> | undefined): Sql | undefined {
  if (!change && operation.bindingId !== undefined) return undefined;
  const own = sql`id = ${operation.instanceId} and exists (select from ended)`;
  if (change && 'remove' in change) return sql`delete from service_instances where ${own}`;
  const put = change ? instanceAssignments(change.put) : sql``;
  return sql`update service_instances set ${put} version = version + 1,
    operation_id = nullif(operation_id, ${operation.id}) where ${own}`;
}

function bindingPart(
  operation: Operation,
  change: Change<ServiceBinding> | undefined,
  after: Sql,
): Sql | undefined {
  const id = change ? ('put' in change ? change.put.id : change.remove.id) : operation.bindingId;
  if (id === undefined) return undefined;
  const own = sql`instance_id = ${operation.instanceId} and id = ${id} and ${after}`;
  if (change && 'remove' in change) return sql`delete from service_bindings where ${own}`;
  const put = change ? sql`${bindingColumns.assignments(change.put)}, ` : sql``;
  return sql`update service_bindings set ${put} operation_id = nullif(operation_id, ${operation.id}) where ${own}`;
}
