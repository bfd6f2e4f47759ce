// Which instances are due to be backed up, and which backups have had their time, as the database has it, on its clock.
import type { Pool } from 'pg';
import { type Query, queryThrough } from '../../postgres/query.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

/** How often instances of a plan are backed up. */
export interface PlanTurns {
  readonly offeringId: string;
  readonly planId: string;
  /** Milliseconds. */
  readonly every: number;
}

/** An instance that is due. */
export interface Turn extends Pick<PlanTurns, 'every'> {
  readonly instanceId: string;
  /** As the database writes it, to the microsecond. */
  readonly dueAt: string;
}

export interface PlanKeeping {
  readonly planId: string;
  readonly count?: number | undefined;
  /** Milliseconds. */
  readonly time?: number | undefined;
}

/** Backups that are named at once. */
const batch = 100;
/** Instances that are looked at for a turn of their own at once. */
const pageLength = 500;
/** Instances whose backups are looked at at once. */
const keepers = 50;

const ms = (value: number) => sql`${value} * interval '1 millisecond'`;
const every = sql`p.every * interval '1 millisecond'`;
/** What a turn shall say of its instance. */
const present = sql`case when i.ready then i.plan_id end, coalesce(t.last_at, i.created_at)`;

export type BackupTurns = ReturnType<typeof backupTurns>;

export function backupTurns(pool: Pool) {
  const query = queryThrough(pool);
  const ids = async (statement: Sql) => (await query(statement)).map(({ id }) => String(id));
  return {
    enter: (plan: PlanTurns, after?: string) => enter(query, plan, after),
    claim: (plans: readonly PlanTurns[], leaseMs: number) => claim(query, plans, leaseMs),
    /** It was asked for, or cannot be: the next one is due at the next time that lies ahead. */
    async pass({ instanceId, dueAt, every }: Turn): Promise<void> {
      const next = sql`${dueAt}::timestamptz
        + floor(extract(epoch from now() - ${dueAt}::timestamptz) * 1000 / ${every}) * ${ms(every)}`;
      await query(sql`
        update backup_turns set taken_until = null, last_at = ${next}, since = ${next}
        where instance_id = ${instanceId} and coalesce(last_at < ${dueAt}::timestamptz, true)`);
    },
    expired: (plans: readonly PlanKeeping[], after?: string) => expired(query, plans, after),
    /** Those whose removal somebody has begun. */
    leftRemoving: () => ids(sql`select id from backups where removing order by id limit ${batch}`),
  };
}

/**
 * Sees to it that the instances of a plan are found when they are due: a page of them, by id.
 * @param after the end of the page before
 * @returns the end of this page; undefined: there are no more
 */
async function enter(
  query: Query,
  { offeringId, planId }: PlanTurns,
  after = '',
): Promise<string | undefined> {
  const [row] = await query(sql`
    with page as (
      select id from service_instances
      where offering_id = ${offeringId} and plan_id = ${planId} and id > ${after} order by id limit ${pageLength}
    ), unseen as (
      select i.id, ${present} from page,
        lateral (select * from service_instances i where i.id = page.id limit 1) i
        left join lateral (select * from backup_turns t where t.instance_id = i.id limit 1) t on true
      where (t.plan_id, t.since) is distinct from (${present})
    ), entered as (
      insert into backup_turns (instance_id, plan_id, since) select u.* from unseen u,
        -- None that is removed meanwhile.
        lateral (select from service_instances i where i.id = u.id limit 1 for key share skip locked) there
      order by u.id
      on conflict (instance_id) do update set plan_id = excluded.plan_id, since = excluded.since
    )
    select max(id) as last from page having count(*) = ${pageLength}`);
  return row && String(row['last']);
}

/** Takes the turn that is due longest, for a while in which nobody else has it. */
async function claim(query: Query, plans: readonly PlanTurns[], leaseMs: number): Promise<Turn | undefined> {
  const [row] = await query(sql`
    with plans as (
      select * from unnest(${plans.map(({ planId }) => planId)}::text[],
        ${plans.map(({ every }) => every)}::float8[]) as p (plan_id, every)
    ), due as (
      select i.id, p.every, coalesce(first.last_at, i.created_at) + ${every} as due_at
      from plans p, lateral (
        select * from backup_turns t where t.plan_id = p.plan_id and t.since <= now() - ${every}
          and coalesce(t.taken_until <= now(), true)
          -- As it is now. Not joined: the first one that fits is sought in the order of the index.
          and (select i.ready and i.plan_id = t.plan_id and coalesce(t.last_at, i.created_at) <= now() - ${every}
            from service_instances i where i.id = t.instance_id)
        order by t.since limit 1) first join service_instances i on i.id = first.instance_id
      order by due_at limit 1
    ), taken as (
      update backup_turns t set taken_until = now() + ${ms(leaseMs)} from due
      where t.instance_id = due.id and coalesce(t.taken_until <= now(), true) returning t.instance_id
    )
    select d.id, d.every, d.due_at::text as due_at from due d join taken t on t.instance_id = d.id`);
  if (!row) return undefined;
  return { instanceId: String(row['id']), every: Number(row['every']), dueAt: String(row['due_at']) };
}

/**
 * Backups that were made by themselves and have had their time: those of a page of instances, by id.
 * @param after the end of the page before
 * @returns `next` the end of this page; undefined: there are no more
 */
async function expired(
  query: Query,
  plans: readonly PlanKeeping[],
  after = '',
): Promise<{ readonly ids: readonly string[]; readonly next?: string | undefined }> {
  const following = (id: Sql) =>
    sql`(select b.instance_id from backups b where b.instance_id > ${id} order by b.instance_id limit 1)`;
  const [row] = await query(sql`
    with recursive page (instance_id, number) as (
      select ${following(sql`${after}`)}, 1
      union all
      select ${following(sql`page.instance_id`)}, number + 1 from page
      where page.instance_id is not null and number < ${keepers}
    ), plans as (
      select * from unnest(${plans.map(({ planId }) => planId)}::text[],
        ${plans.map(({ count }) => count ?? null)}::bigint[], ${plans.map(({ time }) => time ?? null)}::float8[])
        as p (plan_id, count, time)
    ), made as (
      select own.* from page, lateral (
        select b.*, row_number() over (partition by plan_id order by created_at desc, id desc) as place from backups b
        where b.instance_id = page.instance_id and protocol = 'broker' and not removing) own
    )
    select (select instance_id from page where number = ${keepers}) as next, (
      select json_agg(m.id order by m.created_at) from made m join plans p using (plan_id)
      where m.place > p.count or (m.created_at < now() - p.time * interval '1 millisecond'
        and (m.place > 1 or not exists (select from service_instances i where i.id = m.instance_id)))) as ids`);
  return {
    ids: (row?.['ids'] ?? []) as readonly string[],
    next: (row?.['next'] ?? undefined) as string | undefined,
  };
}
