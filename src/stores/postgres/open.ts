import type { ServiceBinding, ServiceInstance } from '../../broker/records.ts';
import { recordIn, type Change, type Opening } from '../../broker/store.ts';
import { cancelledBy } from '../cancelled-by.ts';
import { auditEnding, auditInsertion } from './audit/write.ts';
import { isWatched, lookAtOnce } from './unit-checks.ts';
import { cancellable, unhindered } from './exclusion.ts';
import { stillHeld } from './lease.ts';
import { type Query } from '../../postgres/query.ts';
import { codeOf } from '../../system/error-code.ts';
import { json } from './rows.ts';
import { bindingColumns, instanceAssignments, instanceColumns, operationColumns } from './written.ts';
import { join, sql, type Sql } from '../../postgres/sql.ts';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
const INSTANCES = sql`service_instances`;
const BINDINGS = sql`service_bindings`;

/**
 * An opening is one statement, however much it writes: a chain of parts of which each does nothing unless the one
 * before it found its row. All that may fail to match comes before the first write that would have to be undone,
 * and the rows are locked in the order operation, instance, binding, as everywhere in this store.
 * @param cost what the instance will take of its node when the operation has succeeded
 */
export async function open(query: Query, channel: string, opening: Opening, cost?: number): Promise<boolean> {
  try {
    const opened = await query(sql`with ${join(chain(opening, cost), ',\n')} ${result(opening, channel)}`);
    return opened.length > 0;
  } catch (error) {
    // Somebody opened an operation on the same thing, or removed the instance, while we looked.
    if ([UNIQUE_VIOLATION, FOREIGN_KEY_VIOLATION].includes(codeOf(error))) return false;
    throw error;
  }
}

/**
 * May it share a transaction with others? Not when it locks rows of two operations, or the row of a node, which counts
 * what it has: then two transactions could wait for each other, though each takes its instances in order.
 */
export function mayShare({ instance, cancels, onBehalfOf }: Opening): boolean {
  const { place } = 'keep' in instance ? instance.keep : recordIn(instance);
  return place?.node === undefined && cancels === undefined && onBehalfOf === undefined;
}

function chain(opening: Opening, cost: number | undefined): readonly Sql[] {
  const { cancels, instance } = opening;
  const own = 'keep' in instance ? bindingParts(opening, instance.keep) : [instancePart(opening, instance)];
  const parts = [...within(opening), ...own];
  const last = [opened(opening, cost), ...audited(opening), ...watched(opening)];
  if (cancels === undefined) return [...parts, ...last];
  const old = sql`old as (
    select due_at, holder from operations where id = ${cancels} and state = 'in progress'
      and ${cancellable(opening)} for update)`;
  const cancelled = sql`cancelled as (
    update operations set state = 'failed', failure = ${json({ ...cancelledBy(opening.operation.kind) })},
      finished_at = now(), holder = null, trouble = null, confidential = '{}'
    where id = ${cancels} and exists (select from changed) returning id)`;
  const end = { outcome: 'failed', reason: cancelledBy(opening.operation.kind).word } as const;
  const concluded = sql`concluded as (${auditEnding(sql`select id from cancelled`, end)})`;
  return [old, ...parts, cancelled, concluded, ...last];
}

/** The operation for whose sake it is cannot change hands, or end, before all is written. */
function within({ onBehalfOf: other }: Opening): readonly Sql[] {
  if (!other) return [];
  return [
    sql`within as (
    select from operations where ${stillHeld(other)} for share)`,
  ];
}

/** The first things an opening asks: is there still what it cancels, and that for whose sake it is, and is it free? */
function wanted(opening: Opening): Sql {
  const { cancels, onBehalfOf: other } = opening;
  return join(
    [
      unhindered(opening),
      ...(cancels === undefined ? [] : [sql`exists (select from old)`]),
      ...(other ? [sql`exists (select from within)`] : []),
    ],
    ' and ',
  );
}

/** Nobody else has an open operation on the row. */
function free(table: Sql, { cancels }: Opening): Sql {
  return cancels === undefined ? sql`${table}.operation_id is null` : sql`${table}.operation_id = ${cancels}`;
}

/** What the row shall name as its open operation. */
function openOperation({ operation }: Opening): Sql {
  return sql`${operation.state === 'in progress' ? operation.id : undefined}::text`;
}

// Provision, update, deprovision: the version that was read arbitrates.

function instancePart(opening: Opening, change: Change<ServiceInstance>): Sql {
  if ('put' in change && change.put.version === 0) return insertion(opening, change.put);
  const { id, version } = 'put' in change ? change.put : change.remove;
  const deed =
    'put' in change
      ? sql`update service_instances set ${instanceAssignments(change.put)} version = version + 1,
          operation_id = ${openOperation(opening)}`
      : sql`delete from service_instances`;
  return sql`changed as (
    ${deed}
    where id = ${id} and version = ${version} and ${free(INSTANCES, opening)} and ${wanted(opening)}
    returning id, node)`;
}

function insertion(opening: Opening, instance: ServiceInstance): Sql {
  const { id, protectedFrom } = instance;
  return sql`changed as (
    insert into service_instances (id, version, operation_id, protected_from, ${instanceColumns.names})
    select ${id}::text, 1, ${openOperation(opening)}, ${protectedFrom}::timestamptz, ${instanceColumns.values(instance)}
    where ${wanted(opening)}
    on conflict (id) do nothing
    returning id, node)`;
}

// Bind, unbind: the instance must be ready and stay as it is meanwhile.

/**
 * One that goes on raises the instance's version, so that no decision overlooks it which was taken when no binding
 * was busy, and so does one by which another instance needs this one; any other that is over at once only keeps the
 * instance from changing until it is written.
 */
function bindingParts(opening: Opening, { id }: ServiceInstance): readonly Sql[] {
  const { operation, binding } = opening;
  const needed = binding && 'put' in binding && binding.put.dependent !== undefined;
  const going = operation.state === 'in progress' || needed;
  const kept = sql`kept as (
    select id, node from service_instances where id = ${id} and ready and operation_id is null and ${wanted(opening)}
    ${going ? sql`for no key update` : sql`for share`})`;
  if (!going) return [kept, sql`changed as (${bindingPart(opening)})`];
  const raised = sql`changed as (
    update service_instances set version = version + 1 where id = ${id} and exists (select from bound) returning id)`;
  return [kept, sql`bound as (${bindingPart(opening)})`, raised];
}

function bindingPart(opening: Opening): Sql {
  const { binding, operation } = opening;
  if (binding && 'put' in binding && operation.kind === 'bind') return newBinding(opening, binding.put);
  const same = sql`instance_id = ${operation.instanceId} and id = ${operation.bindingId}
      and ${free(BINDINGS, opening)} and exists (select from kept)`;
  if (!binding) {
    return sql`update service_bindings set operation_id = ${openOperation(opening)} where ${same} returning id`;
  }
  if ('remove' in binding) {
    return sql`delete from service_bindings where ${same} and ${asRead(binding.remove)} returning id`;
  }
  return sql`update service_bindings set ${bindingColumns.assignments(binding.put)},
    operation_id = ${openOperation(opening)} where ${same} and ${asRead(binding.put)} returning id`;
}

/** In place of a bind that failed, but never of a binding that somebody has been given. */
function newBinding(opening: Opening, binding: ServiceBinding): Sql {
  const { instanceId, id } = binding;
  return sql`
    insert into service_bindings (instance_id, id, operation_id, created_at, ${bindingColumns.names})
    select ${instanceId}::text, ${id}::text, ${openOperation(opening)}, now(), ${bindingColumns.values(binding)}
    from kept
    on conflict (instance_id, id) do update set (operation_id, created_at, ${bindingColumns.names})
      = (excluded.operation_id, excluded.created_at, ${bindingColumns.excluded})
      where not service_bindings.ready and ${free(BINDINGS, opening)}
    returning id`;
}

/** Not unbound and bound anew since it was read; JavaScript's dates have no microseconds. */
function asRead({ createdAt }: ServiceBinding): Sql {
  return sql`created_at < ${createdAt}::timestamptz + interval '2 milliseconds'`;
}

// Last in the chain: the operation itself.

/** Times are the database's own: brokers need not agree on theirs. */
function opened(opening: Opening, cost: number | undefined): Sql {
  const { operation, cancels } = opening;
  const going = operation.state === 'in progress';
  const span = operation.deadline.getTime() - operation.createdAt.getTime();
  return sql`opened as (
    insert into operations (node, cost, due_at, deadline, finished_at, ${operationColumns.names})
    select ${nodeOf(opening)}, ${going ? cost : undefined}::numeric, ${firstDue(opening)},
      now() + ${span} * interval '1 millisecond', ${going ? sql`null::timestamptz` : sql`now()`},
      ${operationColumns.values(operation)}
    from ${cancels === undefined ? sql`changed` : sql`cancelled`}
    returning due_at)`;
}

function audited({ audit }: Opening): readonly Sql[] {
  return audit ? [sql`audited as (${auditInsertion(audit, sql`opened`)})`] : [];
}

/** Only the node that an instance is on runs its operations, and those of its bindings. */
function nodeOf({ instance }: Opening): Sql {
  if ('keep' in instance) return sql`(select node from kept)`;
  return sql`${recordIn(instance).place?.node}::text`;
}

/** What is finished at once is looked at as when its operation had ended. */
function watched({ instance, operation }: Opening): readonly Sql[] {
  if (!('put' in instance) || operation.state === 'in progress' || !isWatched(instance.put)) return [];
  return [sql`watched as (${lookAtOnce})`];
}

/** One that follows another waits until that one's step has ended, or its lease. */
function firstDue({ operation, cancels, leaseMs }: Opening): Sql {
  if (operation.holder !== undefined) return sql`now() + ${leaseMs} * interval '1 millisecond'`;
  if (cancels === undefined || operation.follows !== cancels) return sql`now()`;
  return sql`coalesce((select due_at from old where holder is not null and due_at > now()), now())`;
}

/** NOTIFY makes commits wait for each other, so only that is told which somebody else must hear. */
function result({ operation, cancels }: Opening, channel: string): Sql {
  const due = operation.state === 'in progress' && operation.holder === undefined;
  return sql`select
    ${due ? sql`case when due_at <= now() then pg_notify(${channel}, 'due') end as due,` : sql``}
    ${cancels === undefined ? sql`` : sql`pg_notify(${channel}, ${`cancelled ${cancels}`}) as told,`}
    true as opened from opened`;
}
