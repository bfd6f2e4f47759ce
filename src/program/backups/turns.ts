// Which instances are due to be backed up, and which backups have had their time, as the database has it, on its clock.
import type { Pool } from 'pg';
import { queryThrough } from '../../postgres/query.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

/** How often instances of a plan are backed up. */
export interface PlanTurns {
  readonly planId: string;
  /** Milliseconds. */
  readonly every: number;
}

/** An instance that is due. */
export interface Turn extends PlanTurns {
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

const ms = (value: number) => sql`${value} * interval '1 millisecond'`;

export type BackupTurns = ReturnType<typeof backupTurns>;

export function backupTurns(pool: Pool) {
  const query = queryThrough(pool);
  const ids = async (statement: Sql) => (await query(statement)).map(({ id }) => String(id));
  return {
    /** Takes the turn that is due longest, for a while in which nobody else has it. */
    async claim(plans: readonly PlanTurns[], leaseMs: number): Promise<Turn | undefined> {
      const [row] = await query(sql`
        with plans as (
          select * from unnest(${plans.map(({ planId }) => planId)}::text[],
            ${plans.map(({ every }) => every)}::float8[]) as p (plan_id, every)
        ), due as (
          select i.id, p.plan_id, p.every, coalesce(t.last_at, i.created_at) + p.every * interval '1 millisecond' as due_at
          from service_instances i join plans p using (plan_id) left join backup_turns t on t.instance_id = i.id
          where i.ready and coalesce(t.last_at, i.created_at) + p.every * interval '1 millisecond' <= now()
            and coalesce(t.taken_until <= now(), true)
          order by due_at limit 1
        ), taken as (
          insert into backup_turns (instance_id, taken_until) select id, now() + ${ms(leaseMs)} from due
          on conflict (instance_id) do update set taken_until = excluded.taken_until
            where coalesce(backup_turns.taken_until <= now(), true)
          returning instance_id
        )
        select d.id, d.plan_id, d.every, d.due_at::text as due_at from due d join taken t on t.instance_id = d.id`);
      if (!row) return undefined;
      const { id, plan_id: planId, every, due_at: dueAt } = row;
      return { instanceId: String(id), planId: String(planId), every: Number(every), dueAt: String(dueAt) };
    },
    /** It was asked for, or cannot be: the next one is due at the next time that lies ahead. */
    async pass({ instanceId, dueAt, every }: Turn): Promise<void> {
      await query(sql`
        update backup_turns set taken_until = null, last_at = ${dueAt}::timestamptz
          + floor(extract(epoch from now() - ${dueAt}::timestamptz) * 1000 / ${every}) * ${ms(every)}
        where instance_id = ${instanceId} and coalesce(last_at < ${dueAt}::timestamptz, true)`);
    },
    /** Those that were made by themselves and have had their time. */
    expired: ({ planId, count, time }: PlanKeeping) =>
      ids(sql`
        select id from (
          select id, instance_id, created_at,
            row_number() over (partition by instance_id order by created_at desc, id desc) as place
          from backups where plan_id = ${planId} and protocol = 'broker' and not removing
        ) made
        where place > ${count ?? null}::bigint or (created_at < now() - ${time ?? null}::float8 * interval '1 millisecond'
          and (place > 1 or not exists (select from service_instances i where i.id = made.instance_id)))
        order by created_at limit ${batch}`),
    /** Those whose removal somebody has begun. */
    leftRemoving: () => ids(sql`select id from backups where removing order by id limit ${batch}`),
  };
}
