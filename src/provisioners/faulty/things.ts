import { createHash } from 'node:crypto';
import type { Resource, Work } from '../../broker/provisioner.ts';
import type { OperationKind, ServiceInstance } from '../../broker/records.ts';
import type { Query, QueryRow } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';

/** What `faulty` makes: a record for each instance and for each binding, which all brokers of a database share. */
export interface Things {
  makeInstance(work: Work): Promise<void>;
  makeBinding(work: Work): Promise<void>;
  removeBinding(work: Work): Promise<void>;
  removeInstance(work: Work): Promise<void>;
  /** All things, with the ids of the instances that they are for. */
  list(): Promise<readonly Resource[]>;
  purge(thing: Resource): Promise<void>;
  /** Letters and digits that stand for the instance, fit for host names. */
  nameOf(instance: ServiceInstance): string;
  /** How often this operation has been tried, with this try, at whichever broker. */
  countTry(kind: OperationKind, work: Work): Promise<number>;
  forgetTries(kind: OperationKind, work: Work): Promise<void>;
  /** Is this operation the first of its kind that asks, of its instance? */
  isFirst(kind: OperationKind, work: Work): Promise<boolean>;
}

/** Things in the table of records, which `query` reaches. */
export function thingsIn(query: Query): Things {
  return {
    async makeInstance({ instance, plan }) {
      await query(sql`
        insert into trial_records (thing, part, instance_id, instance_key, plan_id)
        values (${thingOf(instance)}, 'instance', ${instance.id}, ${instance.key}, ${plan.id})
        on conflict (thing, part) do update set plan_id = excluded.plan_id`);
    },
    async makeBinding({ instance, binding }) {
      await query(sql`
        insert into trial_records (thing, part, instance_id, instance_key, binding_id)
        values (${thingOf(instance)}, ${bindingPart(binding)}, ${instance.id}, ${instance.key}, ${binding?.id})
        on conflict (thing, part) do nothing`);
    },
    removeBinding: ({ instance, binding }) => remove(query, instance, bindingPart(binding)),
    async removeInstance({ instance }) {
      await query(sql`delete from trial_records where thing = ${thingOf(instance)}`);
    },
    list: async () => (await query(listed)).map(resourceOf),
    async purge({ name }) {
      await query(sql`delete from trial_records where ${prefix} || thing = ${name}`);
    },
    nameOf: (instance) => thingOf(instance).slice(0, 12),
    countTry: (kind, work) => countTry(query, kind, work),
    forgetTries: (kind, work) => remove(query, work.instance, triesPart(kind, work)),
    isFirst: (kind, work) => isFirst(query, kind, work),
  };
}

async function remove(query: Query, instance: ServiceInstance, part: string): Promise<void> {
  await query(sql`delete from trial_records where thing = ${thingOf(instance)} and part = ${part}`);
}

async function countTry(query: Query, kind: OperationKind, work: Work): Promise<number> {
  const { instance, operationId } = work;
  const [row] = await query(sql`
    insert into trial_records as r (thing, part, instance_id, instance_key, operation_id, tries)
    values (${thingOf(instance)}, ${triesPart(kind, work)}, ${instance.id}, ${instance.key}, ${operationId}, 1)
    on conflict (thing, part) do update set tries = r.tries + 1
    returning tries`);
  return Number(row?.['tries']);
}

async function isFirst(query: Query, kind: OperationKind, { instance, operationId }: Work): Promise<boolean> {
  // Also who finds one there locks it, and so sees what another broker has just written.
  const [row] = await query(sql`
    insert into trial_records as r (thing, part, instance_id, instance_key, operation_id)
    values (${thingOf(instance)}, ${`first-${kind}`}, ${instance.id}, ${instance.key}, ${operationId})
    on conflict (thing, part) do update set operation_id = r.operation_id
    returning operation_id`);
  return row?.['operation_id'] === operationId;
}

// Any of its records says whose it is.
const listed = sql`
  select thing, min(instance_id) as instance_id, min(instance_key) as instance_key
  from trial_records group by thing order by thing`;

const prefix = 'thing ';

function resourceOf({ thing, instance_id: id, instance_key: key }: QueryRow): Resource {
  return {
    name: `${prefix}${String(thing)}`,
    instanceId: String(id),
    key: typeof key === 'string' ? key : undefined,
  };
}

function bindingPart(binding: Work['binding']): string {
  return `binding-${shorten(binding?.key ?? binding?.id ?? '')}`;
}

function triesPart(kind: OperationKind, { operationId, binding }: Work): string {
  return `tries-${kind}-${shorten(`${operationId} ${binding?.id ?? ''}`)}`;
}

/** Of one life of the id; broker 0.1.0 went by the id alone. */
function thingOf({ id, key }: ServiceInstance): string {
  return shorten(key ?? id);
}

/** Ids are the platform's and may be of any length. */
function shorten(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}
