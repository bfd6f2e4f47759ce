// What is written of records, column by column.
import type { Json } from '../../broker/json.ts';
import { ownerOf, type InstanceOwner } from '../../broker/listing.ts';
import type { Operation, ServiceBinding, ServiceInstance } from '../../broker/records.ts';
import { columnSet } from '../../postgres/column-set.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

/** All that a put of an instance writes, but for id, version, open operation and times. */
export const instanceColumns = columnSet<ServiceInstance, InstanceOwner>(
  {
    key: ['text', ({ key }) => key],
    lost_node: ['text', ({ lost }) => lost?.node],
    lost_at: ['timestamptz', ({ lost }) => lost?.at],
    lost_key: ['text', ({ lost }) => lost?.key],
    offering_id: ['text', ({ offeringId }) => offeringId],
    plan_id: ['text', ({ planId }) => planId],
    revision: ['text', ({ revision }) => revision],
    organization_guid: ['text', ({ organizationGuid }) => organizationGuid],
    space_guid: ['text', ({ spaceGuid }) => spaceGuid],
    context: ['json', ({ context }) => jsonText(context)],
    maintenance_version: ['text', ({ maintenanceVersion }) => maintenanceVersion],
    former_plans: ['json', ({ formerPlans }) => jsonText(formerPlans)],
    metadata: ['json', ({ metadata }) => jsonText(metadata)],
    node: ['text', ({ place }) => place?.node],
    cost: ['numeric', ({ place }) => place?.cost],
    // By what lists are asked for; whatever is longer, or no text of Postgres, was never meant to be.
    platform: ['text', (_, owner) => cut(owner.platform)],
    organization: ['text', (_, owner) => cut(owner.organization)],
    space: ['text', (_, owner) => cut(owner.space)],
    stopped: ['boolean', ({ stopped }) => stopped ?? false],
    stopped_units: ['json', ({ stoppedUnits }) => jsonText(stoppedUnits)],
    check_every: ['integer', ({ checkEvery }) => checkEvery],
    parent: ['text', ({ parent }) => parent],
    ready: ['boolean', ({ ready }) => ready],
    confidential: ['text', ({ confidential }) => jsonText(confidential)],
  },
  ownerOf,
);

/** The same for a row that is there, with a comma after it. Only a deletion writes until when it is kept. */
export function instanceAssignments(instance: ServiceInstance): Sql {
  const { keptUntil } = instance;
  const kept = keptUntil ? sql`kept_until = ${keptUntil}::timestamptz,` : sql``;
  return sql`${instanceColumns.assignments(instance)}, ${kept} updated_at = now(),`;
}

/** All that a put of a binding writes, but for its ids, open operation and time. */
export const bindingColumns = columnSet<ServiceBinding>({
  key: ['text', ({ key }) => key],
  app_guid: ['text', ({ appGuid }) => appGuid],
  route: ['text', ({ route }) => route],
  predecessor_id: ['text', ({ predecessorId }) => predecessorId],
  dependent: ['text', ({ dependent }) => dependent],
  context: ['json', ({ context }) => jsonText(context)],
  ready: ['boolean', ({ ready }) => ready],
  expires_at: ['timestamptz', ({ expiresAt }) => expiresAt],
  renew_before: ['timestamptz', ({ renewBefore }) => renewBefore],
  confidential: ['text', ({ confidential }) => jsonText(confidential)],
});

/** All that an opening writes of an operation, but for its node, cost and times. What has ended is held by nobody. */
export const operationColumns = columnSet<Operation>({
  id: ['text', ({ id }) => id],
  kind: ['text', ({ kind }) => kind],
  action: ['text', ({ action }) => action],
  instance_id: ['text', ({ instanceId }) => instanceId],
  binding_id: ['text', ({ bindingId }) => bindingId],
  offering_id: ['text', ({ offeringId }) => offeringId],
  plan_id: ['text', ({ planId }) => planId],
  state: ['text', ({ state }) => state],
  attempt: ['integer', ({ attempt }) => attempt],
  failures: ['integer', ({ failures }) => failures],
  holder: ['text', ({ state, holder }) => (state === 'in progress' ? holder : undefined)],
  follows: ['text', ({ follows }) => follows],
  note: ['text', (operation) => storableText(operation.note)],
  untold: ['boolean', ({ untold }) => untold ?? false],
  failure: ['json', ({ failure }) => jsonText(failure)],
  origin: ['json', ({ origin }) => jsonText(origin)],
  carrier: ['json', ({ carrier }) => jsonText(carrier)],
  confidential: ['text', ({ state, confidential }) => jsonText(state === 'in progress' ? confidential : {})],
});

export function jsonText(value: object | Json | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** A program's output may hold what a text of Postgres cannot. */
export function storableText(text: string | undefined): string | undefined {
  return text?.replaceAll('\u0000', '');
}

const longestOwner = 200;

function cut(text: string | undefined): string | undefined {
  if (!text?.isWellFormed()) return undefined;
  const storable = text.replaceAll('\u0000', '');
  return storable.length <= longestOwner ? storable : Array.from(storable).slice(0, longestOwner).join('');
}
