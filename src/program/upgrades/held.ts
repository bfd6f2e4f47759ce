// What the broker that carries a run on writes; nothing of it counts when another one has taken the run over.
import type { Pool } from 'pg';
import type { UpgradeItem, UpgradeItemState, UpgradeRun } from '../../broker/offices/upgrades.ts';
import { queryThrough, type Query } from '../../postgres/query.ts';
import { sql, type Sql } from '../../postgres/sql.ts';
import { readItem, skipping } from './stored.ts';

/** How an instance of a run is from now on. */
export interface ItemChange {
  readonly state: UpgradeItemState;
  readonly operationId?: string | undefined;
  readonly reason?: string | undefined;
  /** Milliseconds until one that waits is asked for again. */
  readonly dueMs?: number | undefined;
}

export type HeldUpgrades = ReturnType<typeof heldUpgrades>;

/** @param holder the broker */
export function heldUpgrades(pool: Pool, holder: string) {
  const query = queryThrough(pool);
  return {
    ...heldRuns(query, holder),
    ...heldItems(query, holder),
    async prune(olderThanMs: number): Promise<void> {
      await query(sql`
        delete from upgrade_runs where id in (
          select id from upgrade_runs where finished_at < ${after(-olderThanMs)} limit 10 for update skip locked)`);
    },
  };
}

const after = (ms: number) => sql`now() + ${ms} * interval '1 millisecond'`;

function oursOf(holder: string): (id: string) => Sql {
  return (id) => sql`id = ${id} and holder = ${holder} and finished_at is null`;
}

function heldRuns(query: Query, holder: string) {
  const ours = oursOf(holder);
  const change = async (id: string, assignments: Sql, also: Sql = sql`true`): Promise<boolean> =>
    (await query(sql`update upgrade_runs set ${assignments} where ${ours(id)} and ${also} returning id`))
      .length > 0;

  return {
    /** Takes up a run that is due; gives its id. */
    async claim(leaseMs: number): Promise<string | undefined> {
      const [row] = await query(sql`
        update upgrade_runs set holder = ${holder}, due_at = ${after(leaseMs)}
        where id = (select id from upgrade_runs where finished_at is null and due_at <= now()
          order by due_at limit 1 for update skip locked)
        returning id`);
      return row && String(row['id']);
    },
    /** Milliseconds until one is due; undefined when there is none. */
    async nextDue(): Promise<number | undefined> {
      const [row] = await query(sql`
        select extract(epoch from min(due_at) - now()) * 1000 as ms from upgrade_runs where finished_at is null`);
      return row?.['ms'] === null ? undefined : Math.max(0, Number(row?.['ms']));
    },
    renew: (id: string, leaseMs: number) => change(id, sql`due_at = ${after(leaseMs)}`),
    /** Lets go of it until then; of one that is paused and waits for nothing, until somebody resumes or cancels it. */
    release: (id: string, pauseMs: number) =>
      change(
        id,
        sql`holder = null, due_at = case when state = 'paused' and not exists (
          select from upgrade_items where run_id = ${id} and state = 'started')
          then now() + interval '1 day' else ${after(pauseMs)} end`,
      ),
    watch: (id: string) => change(id, sql`watched_from = now()`, sql`watched_from is null`),
    pass: (id: string) => change(id, sql`passed = true`, sql`state = 'running'`),
    pause: (id: string, reason: string) =>
      change(id, sql`state = 'paused', reason = ${reason}`, sql`state = 'running'`),
    /** Only as it was when that was decided. */
    async end({ id, state }: UpgradeRun, end: 'succeeded' | 'failed' | 'cancelled'): Promise<boolean> {
      const rows = await query(sql`
        with ended as (
          update upgrade_runs set state = ${end}, finished_at = now(), holder = null
          where ${ours(id)} and state = ${state} returning id
        ), left_out as (${skipping(sql`select id from ended`)})
        select id from ended`);
      return rows.length > 0;
    },
  };
}

function heldItems(query: Query, holder: string) {
  const ours = oursOf(holder);
  return {
    /** Those that were begun and have not ended. */
    async started(id: string): Promise<readonly UpgradeItem[]> {
      const rows = await query(sql`
        select position, instance_id, state, operation_id, reason from upgrade_items
        where run_id = ${id} and state = 'started' order by position`);
      return rows.map(readItem);
    },
    /** Begins the next ones, before anything is asked for; none when the run is not to go on. */
    async begin(id: string, count: number, most: number): Promise<readonly UpgradeItem[]> {
      const rows = await query(sql`
        with run as (
          update upgrade_runs set holder = holder where ${ours(id)} and state = 'running' returning id
        ), next as (
          select position from upgrade_items
          where run_id = ${id} and state = 'waiting' and position <= ${most} and due_at <= now()
          order by position limit ${count}
        )
        update upgrade_items i set state = 'started', operation_id = null, reason = null from run
        where i.run_id = run.id and i.position in (select position from next) and i.state = 'waiting'
        returning i.position, i.instance_id, i.state, i.operation_id, i.reason`);
      return rows.map(readItem).toSorted((a, b) => a.position - b.position);
    },
    async change(id: string, position: number, { state, operationId, reason, dueMs = 0 }: ItemChange) {
      await query(sql`
        update upgrade_items set state = ${state}, operation_id = coalesce(${operationId}, operation_id),
          reason = ${reason}, due_at = ${after(dueMs)}
        where run_id = ${id} and position = ${position} and state = 'started'`);
    },
  };
}
