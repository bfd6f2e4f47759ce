import type { BindingsPage, BindingsQuery } from '../../../broker/listing.ts';
import type { BindingState } from '../../../broker/state.ts';
import type { Query, QueryRow } from '../../../postgres/query.ts';
import { join, sql, type Sql } from '../../../postgres/sql.ts';
import { readIdsMark, writeIdsMark } from '../../page-mark.ts';
import { fromNow } from '../lease.ts';
import { discreet } from '../list.ts';
import { readBinding, readOperation } from '../rows.ts';

/** The primary key of bindings gives them in their order. */
export async function listBindings(query: Query, asked: BindingsQuery): Promise<BindingsPage> {
  const rows = await query(sql`
    select to_json(b) as binding, i.offering_id, i.plan_id,
      (select to_json(o) from operations o where o.id = b.operation_id) as operation
    from service_bindings b join service_instances i on i.id = b.instance_id
    where ${join([sql`true`, ...conditions(asked)], ' and ')}
    order by b.instance_id, b.id limit ${asked.limit}`);
  const bindings = rows.flatMap(readOfInstance);
  const last = rows.length === asked.limit ? bindings.at(-1)?.binding : undefined;
  return { bindings, next: last && writeIdsMark(last.instanceId, last.id) };
}

function conditions(asked: BindingsQuery): readonly Sql[] {
  const { after, instanceId, node, offeringId, planIds, platform, organization, space } = asked;
  const { appGuid, state, olderThan, youngerThan } = asked;
  const [instance, binding] = after === undefined ? [] : readIdsMark(after);
  const all = [
    instance !== undefined && sql`(b.instance_id, b.id) > (${instance}::text, ${binding}::text)`,
    // It follows, but only so the indexes of instances are entered there.
    instance !== undefined && sql`i.id >= ${instance}`,
    instanceId !== undefined && sql`b.instance_id = ${instanceId}`,
    node !== undefined && sql`i.node = ${node}`,
    offeringId !== undefined && sql`i.offering_id = ${offeringId}`,
    planIds && sql`i.plan_id = any(${planIds}::text[])`,
    platform !== undefined && sql`i.platform = ${platform}`,
    organization !== undefined && sql`i.organization = ${organization}`,
    space !== undefined && sql`i.space = ${space}`,
    appGuid !== undefined &&
      sql`(left(b.app_guid, 200) = left(${appGuid}::text, 200) and b.app_guid = ${appGuid})`,
    state !== undefined && inState[state],
    olderThan !== undefined && sql`b.created_at <= ${fromNow(-olderThan)}`,
    youngerThan !== undefined && sql`b.created_at >= ${fromNow(-youngerThan)}`,
  ];
  return all.filter((one) => one !== false && one !== undefined);
}

/** As `describeBindingState` says it. */
const inState: Readonly<Record<BindingState, Sql>> = {
  binding: open(sql`o.kind <> 'unbind'`),
  unbinding: open(sql`o.kind = 'unbind'`),
  failed: sql`(not b.ready and b.operation_id is null)`,
  bound: sql`(b.ready and b.operation_id is null and (b.expires_at is null or b.expires_at > now()))`,
  expired: sql`(b.ready and b.operation_id is null and b.expires_at <= now())`,
};

function open(kind: Sql): Sql {
  return sql`(b.operation_id is not null and exists (
    select from operations o where o.id = b.operation_id and o.state = 'in progress' and ${kind}))`;
}

function readOfInstance(row: QueryRow): BindingsPage['bindings'] {
  const binding = readBinding(row['binding']);
  const operation = readOperation(row['operation']);
  if (!binding) return [];
  const instance = {
    id: binding.instanceId,
    offeringId: String(row['offering_id']),
    planId: String(row['plan_id']),
  };
  return [{ binding: discreet(binding), instance, ...(operation && { operation: discreet(operation) }) }];
}
