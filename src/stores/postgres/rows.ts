import type { Json, JsonObject } from '../../broker/json.ts';
import type {
  InstanceMetadata,
  Operation,
  OperationFailure,
  Origin,
  ServiceBinding,
  ServiceInstance,
} from '../../broker/records.ts';
import { reviveOperation } from '../confidential.ts';
import { join, raw, sql, type Sql } from './sql.ts';

/** A row as pg gives it. Several records may share one: the columns of each have a prefix. */
export type Row = Readonly<Record<string, unknown>>;

/** Column name to value; what is not named keeps its value or default. */
export type Columns = Readonly<Record<string, Sql>>;

const INSTANCE =
  'id version offering_id plan_id revision organization_guid space_guid context maintenance_version metadata ' +
  'ready confidential created_at updated_at';
const BINDING =
  'instance_id id app_guid route predecessor_id context ready expires_at renew_before confidential created_at';
const OPERATION =
  'id kind instance_id binding_id offering_id plan_id state attempt failures holder follows note failure origin ' +
  'confidential created_at finished_at deadline';

/** The select lists for `readInstance`, `readBinding` and `readOperation` with the same prefix. */
export const selectInstance = (table: string, prefix: string): Sql => select(INSTANCE, table, prefix);
export const selectBinding = (table: string, prefix: string): Sql => select(BINDING, table, prefix);
export const selectOperation = (table: string, prefix: string): Sql => select(OPERATION, table, prefix);

/** Undefined when an outer join found none. */
export function readInstance(row: Row, prefix: string): ServiceInstance | undefined {
  const read = reader(row, prefix);
  if (row[`${prefix}id`] === null) return undefined;
  return {
    id: read('id'),
    version: read('version'),
    offeringId: read('offering_id'),
    planId: read('plan_id'),
    revision: read('revision'),
    ...present({
      organizationGuid: read<string | undefined>('organization_guid'),
      spaceGuid: read<string | undefined>('space_guid'),
      maintenanceVersion: read<string | undefined>('maintenance_version'),
      metadata: read<InstanceMetadata | undefined>('metadata'),
    }),
    context: read('context'),
    ready: read('ready'),
    confidential: JSON.parse(read('confidential')) as ServiceInstance['confidential'],
    createdAt: read('created_at'),
    updatedAt: read('updated_at'),
  };
}

export function readBinding(row: Row, prefix: string): ServiceBinding | undefined {
  const read = reader(row, prefix);
  if (row[`${prefix}id`] === null) return undefined;
  return {
    instanceId: read('instance_id'),
    id: read('id'),
    ...present({
      appGuid: read<string | undefined>('app_guid'),
      route: read<string | undefined>('route'),
      predecessorId: read<string | undefined>('predecessor_id'),
      expiresAt: read<Date | undefined>('expires_at'),
      renewBefore: read<Date | undefined>('renew_before'),
    }),
    context: read('context'),
    ready: read('ready'),
    confidential: JSON.parse(read('confidential')) as ServiceBinding['confidential'],
    createdAt: read('created_at'),
  };
}

export function readOperation(row: Row, prefix: string): Operation | undefined {
  const read = reader(row, prefix);
  if (row[`${prefix}id`] === null) return undefined;
  return reviveOperation({
    id: read('id'),
    kind: read('kind'),
    instanceId: read('instance_id'),
    offeringId: read('offering_id'),
    planId: read('plan_id'),
    state: read('state'),
    attempt: read('attempt'),
    failures: read('failures'),
    ...present({
      bindingId: read<string | undefined>('binding_id'),
      holder: read<string | undefined>('holder'),
      follows: read<string | undefined>('follows'),
      note: read<string | undefined>('note'),
      failure: read<OperationFailure | undefined>('failure'),
      finishedAt: read<Date | undefined>('finished_at'),
    }),
    origin: read<Origin>('origin'),
    confidential: JSON.parse(read('confidential')) as Operation['confidential'],
    createdAt: read('created_at'),
    deadline: read('deadline'),
  });
}

/** All that a put of an instance writes, but for id, version, open operation and times. */
export function instanceColumns(instance: ServiceInstance): Columns {
  return {
    offering_id: sql`${instance.offeringId}::text`,
    plan_id: sql`${instance.planId}::text`,
    revision: sql`${instance.revision}::text`,
    organization_guid: sql`${instance.organizationGuid}::text`,
    space_guid: sql`${instance.spaceGuid}::text`,
    context: json(instance.context),
    maintenance_version: sql`${instance.maintenanceVersion}::text`,
    metadata: json(instance.metadata as JsonObject | undefined),
    ready: sql`${instance.ready}::boolean`,
    confidential: sql`${JSON.stringify(instance.confidential)}::text`,
  };
}

/** All that a put of a binding writes, but for its ids, open operation and time. */
export function bindingColumns(binding: ServiceBinding): Columns {
  return {
    app_guid: sql`${binding.appGuid}::text`,
    route: sql`${binding.route}::text`,
    predecessor_id: sql`${binding.predecessorId}::text`,
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

export function names(columns: Columns): Sql {
  return raw(Object.keys(columns).join(', '));
}

export function valuesOf(columns: Columns): Sql {
  return join(Object.values(columns), ', ');
}

export function assignments(columns: Columns): Sql {
  return join(
    Object.entries(columns).map(([name, value]) => sql`${raw(name)} = ${value}`),
    ', ',
  );
}

function select(columns: string, table: string, prefix: string): Sql {
  return raw(
    columns
      .split(' ')
      .map((name) => `${table}.${name} as ${prefix}${name}`)
      .join(', '),
  );
}

/** The schema knows the types; here SQL's null becomes undefined. */
function reader(row: Row, prefix: string): <Value>(name: string) => Value {
  return <Value>(name: string) => (row[prefix + name] ?? undefined) as Value;
}

/** Without the members that are undefined. */
function present<Rec extends object>(record: Rec): Partial<Rec> {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined),
  ) as Partial<Rec>;
}
