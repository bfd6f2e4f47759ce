import type { Json, JsonObject } from '../../broker/json.ts';
import type {
  InstanceMetadata,
  Operation,
  OperationFailure,
  ServiceBinding,
  ServiceInstance,
} from '../../broker/records.ts';
import { parseConfidential, reviveOperation } from '../operation-rows.ts';
import { lossColumns, ownerColumns, readLoss } from './loss-and-owner.ts';
import { join, raw, sql, type Sql } from '../../postgres/sql.ts';

// Records are read as one JSON value each, `to_json(row)`: few columns are planned and read much faster than sixty.

interface InstanceRow {
  readonly id: string;
  readonly version: number;
  readonly key: string | null;
  readonly offering_id: string;
  readonly plan_id: string;
  readonly revision: string;
  readonly organization_guid: string | null;
  readonly space_guid: string | null;
  readonly context: JsonObject;
  readonly maintenance_version: string | null;
  readonly former_plans: readonly string[] | null;
  readonly metadata: InstanceMetadata | null;
  readonly node: string | null;
  readonly cost: number | null;
  readonly stopped: boolean;
  readonly stopped_units: readonly string[] | null;
  readonly check_every: number | null;
  readonly parent: string | null;
  readonly protected_from: string | null;
  readonly kept_until: string | null;
  readonly ready: boolean;
  readonly confidential: string;
  readonly created_at: string;
  readonly updated_at: string;
}

interface BindingRow {
  readonly instance_id: string;
  readonly id: string;
  readonly key: string | null;
  readonly app_guid: string | null;
  readonly route: string | null;
  readonly predecessor_id: string | null;
  readonly dependent: string | null;
  readonly context: JsonObject;
  readonly ready: boolean;
  readonly expires_at: string | null;
  readonly renew_before: string | null;
  readonly confidential: string;
  readonly created_at: string;
}

interface OperationRow extends Pick<Operation, 'id' | 'kind' | 'state' | 'attempt' | 'failures' | 'origin'> {
  readonly action: string | null;
  readonly instance_id: string;
  readonly binding_id: string | null;
  readonly offering_id: string;
  readonly plan_id: string;
  readonly trouble: string | null;
  readonly holder: string | null;
  readonly node: string | null;
  readonly follows: string | null;
  readonly note: string | null;
  readonly untold: boolean;
  readonly failure: OperationFailure | null;
  readonly cancelled: OperationFailure | null;
  readonly carrier: Readonly<Record<string, string>> | null;
  readonly confidential: string;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly deadline: string;
}

/** @param value `to_json` of a row, or null where there is none. */
export function readInstance(value: unknown): ServiceInstance | undefined {
  const row = value as InstanceRow | null;
  if (row === null) return undefined;
  return {
    id: row.id,
    version: row.version,
    offeringId: row.offering_id,
    planId: row.plan_id,
    revision: row.revision,
    ...present({
      key: row.key,
      lost: readLoss(row),
      organizationGuid: row.organization_guid,
      spaceGuid: row.space_guid,
      maintenanceVersion: row.maintenance_version,
      formerPlans: row.former_plans,
      metadata: row.metadata,
      place: row.node === null || row.cost === null ? null : { node: row.node, cost: row.cost },
      stopped: row.stopped || null,
      stoppedUnits: row.stopped_units,
      checkEvery: row.check_every,
      parent: row.parent,
      protectedFrom: dateOf(row.protected_from),
      keptUntil: dateOf(row.kept_until),
    }),
    context: row.context,
    ready: row.ready,
    confidential: parseConfidential<ServiceInstance['confidential']>(row.confidential),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

export function readBinding(value: unknown): ServiceBinding | undefined {
  const row = value as BindingRow | null;
  if (row === null) return undefined;
  return {
    instanceId: row.instance_id,
    id: row.id,
    ...present({
      key: row.key,
      appGuid: row.app_guid,
      route: row.route,
      predecessorId: row.predecessor_id,
      dependent: row.dependent,
      expiresAt: dateOf(row.expires_at),
      renewBefore: dateOf(row.renew_before),
    }),
    context: row.context,
    ready: row.ready,
    confidential: parseConfidential<ServiceBinding['confidential']>(row.confidential),
    createdAt: new Date(row.created_at),
  };
}

export function readOperation(value: unknown): Operation | undefined {
  const row = value as OperationRow | null;
  if (row === null) return undefined;
  return reviveOperation({
    id: row.id,
    kind: row.kind,
    instanceId: row.instance_id,
    offeringId: row.offering_id,
    planId: row.plan_id,
    state: row.state,
    attempt: row.attempt,
    failures: row.failures,
    ...present({
      action: row.action,
      bindingId: row.binding_id,
      holder: row.holder,
      node: row.node,
      follows: row.follows,
      note: row.note,
      untold: row.untold || null,
      trouble: row.trouble,
      failure: row.failure,
      cancelled: row.cancelled,
      carrier: row.carrier,
      finishedAt: dateOf(row.finished_at),
    }),
    origin: row.origin,
    confidential: parseConfidential<Operation['confidential']>(row.confidential),
    createdAt: new Date(row.created_at),
    deadline: new Date(row.deadline),
  });
}

/** Here SQL's nulls end: without the members that have none but them. */
function present<Rec extends object>(record: Rec): { [Name in keyof Rec]?: NonNullable<Rec[Name]> } {
  const members = Object.entries(record).filter(([, value]) => value !== null);
  return Object.fromEntries(members) as { [Name in keyof Rec]?: NonNullable<Rec[Name]> };
}

function dateOf(value: string | null): Date | null {
  return value === null ? null : new Date(value);
}

/** Column name to value; a column that is not named keeps its value or default. */
export type Columns = Readonly<Record<string, Sql>>;

/** All that a put of an instance writes, but for id, version, open operation and times. */
export function instanceColumns(instance: ServiceInstance): Columns {
  return {
    key: sql`${instance.key}::text`,
    ...lossColumns(instance.lost),
    offering_id: sql`${instance.offeringId}::text`,
    plan_id: sql`${instance.planId}::text`,
    revision: sql`${instance.revision}::text`,
    organization_guid: sql`${instance.organizationGuid}::text`,
    space_guid: sql`${instance.spaceGuid}::text`,
    context: json(instance.context),
    maintenance_version: sql`${instance.maintenanceVersion}::text`,
    former_plans: json(instance.formerPlans),
    metadata: json(instance.metadata as JsonObject | undefined),
    node: sql`${instance.place?.node}::text`,
    cost: sql`${instance.place?.cost}::numeric`,
    ...ownerColumns(instance),
    stopped: sql`${instance.stopped ?? false}::boolean`,
    stopped_units: json(instance.stoppedUnits),
    check_every: sql`${instance.checkEvery}::integer`,
    parent: sql`${instance.parent}::text`,
    ready: sql`${instance.ready}::boolean`,
    confidential: sql`${JSON.stringify(instance.confidential)}::text`,
  };
}

/** All that a put of a binding writes, but for its ids, open operation and time. */
export function bindingColumns(binding: ServiceBinding): Columns {
  return {
    key: sql`${binding.key}::text`,
    app_guid: sql`${binding.appGuid}::text`,
    route: sql`${binding.route}::text`,
    predecessor_id: sql`${binding.predecessorId}::text`,
    dependent: sql`${binding.dependent}::text`,
    context: json(binding.context),
    ready: sql`${binding.ready}::boolean`,
    expires_at: sql`${binding.expiresAt}::timestamptz`,
    renew_before: sql`${binding.renewBefore}::timestamptz`,
    confidential: sql`${JSON.stringify(binding.confidential)}::text`,
  };
}

export function json(value: Json | undefined): Sql {
  return sql`${value === undefined ? undefined : JSON.stringify(value)}::json`;
}

/** May quote the output of a program, which may hold what a text of Postgres cannot. */
export function note(text: string | undefined): Sql {
  return sql`${text?.replaceAll('\u0000', '')}::text`;
}

export function names(columns: Columns): Sql {
  return raw(Object.keys(columns).join(', '));
}

export function columnsOf(columns: Columns): Sql {
  return join(Object.values(columns), ', ');
}

export function assignments(columns: Columns): Sql {
  return join(
    Object.entries(columns).map(([name, value]) => sql`${raw(name)} = ${value}`),
    ', ',
  );
}
