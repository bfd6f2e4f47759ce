import type { Json, JsonObject } from '../../broker/json.ts';
import type {
  InstanceMetadata,
  Loss,
  Operation,
  OperationFailure,
  ServiceBinding,
  ServiceInstance,
} from '../../broker/records.ts';
import { parseConfidential, reviveOperation } from '../operation-rows.ts';
import { jsonText, storableText } from './written.ts';
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

interface LossRow {
  readonly lost_node: string | null;
  readonly lost_at: string | null;
  readonly lost_key: string | null;
}

/** @param value of a row at least the columns of the loss, or null where there is none */
export function readLoss(value: unknown): Loss | null {
  if (value === null) return null;
  const { lost_node: node, lost_at: at, lost_key: key } = value as LossRow;
  if (node === null || at === null) return null;
  return { node, at: new Date(at), key: key ?? undefined };
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

export function json(value: Json | undefined): Sql {
  return sql`${jsonText(value)}::json`;
}

/** May quote the output of a program, which may hold what a text of Postgres cannot. */
export function note(text: string | undefined): Sql {
  return sql`${storableText(text)}::text`;
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
