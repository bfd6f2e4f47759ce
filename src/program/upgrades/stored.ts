// Runs of upgrades as the database has them, on its clock.
import type { Pool } from 'pg';
import type { AuditEntry } from '../../broker/audit.ts';
import { Refusal } from '../../broker/errors.ts';
import type {
  NewUpgradeRun,
  UpgradeItem,
  UpgradeItemsQuery,
  UpgradeItemState,
  UpgradeRun,
  UpgradeRunState,
} from '../../broker/offices/upgrades.ts';
import { queryThrough, type Query, type QueryRow } from '../../postgres/query.ts';
import { join, sql, type Sql } from '../../postgres/sql.ts';
import { auditInsertion } from '../../stores/postgres/audit/write.ts';
import { codeOf } from '../../system/error-code.ts';

const UNIQUE_VIOLATION = '23505';

/** What operators change of runs. */
export type StoredUpgrades = ReturnType<typeof storedUpgrades>;

export function storedUpgrades(pool: Pool) {
  const query = queryThrough(pool);
  const found = async (where: Sql) => (await query(sql`${selection} ${where}`)).map(readRun);

  return {
    /** @throws Refusal conflict when an instance is in another run that has not ended */
    async add({ id, instanceIds, audit, ...run }: NewUpgradeRun): Promise<void> {
      try {
        await query(sql`
          with added as (
            insert into upgrade_runs (id, state, filter, canaries, at_once, stop_after, watch_ms, approval, origin)
            values (${id}, 'running', ${JSON.stringify(run.filter)}::json, ${run.canaries}, ${run.atOnce},
              ${run.stopAfter}, ${run.watchMs}, ${run.approval}, ${JSON.stringify(run.origin)}::json)
            returning id
          ), items as (
            insert into upgrade_items (run_id, position, instance_id, state)
            select added.id, i.position, i.instance_id, 'waiting'
            from added, unnest(${instanceIds}::text[]) with ordinality as i (instance_id, position)
          ), audited as (${auditInsertion(audit, sql`added`)})
          select id from added`);
      } catch (error) {
        if (codeOf(error) !== UNIQUE_VIOLATION) throw error;
        throw inAnotherRun(
          await query(sql`
            select run_id, instance_id from upgrade_items
            where instance_id = any(${instanceIds}::text[]) and state in ('waiting', 'started') limit 1`),
        );
      }
    },
    list: (limit: number) => found(sql`order by r.created_at desc, r.id desc limit ${limit}`),
    find: async (id: string): Promise<UpgradeRun | undefined> => (await found(sql`where r.id = ${id}`))[0],
    async items({ runId, state, after = 0, limit }: UpgradeItemsQuery): Promise<readonly UpgradeItem[]> {
      const only = state === undefined ? sql`` : sql`and state = ${state}`;
      const rows = await query(sql`
        select position, instance_id, state, operation_id, reason from upgrade_items
        where run_id = ${runId} and position > ${after} ${only} order by position limit ${limit}`);
      return rows.map(readItem);
    },
    ...changesOf(query),
  };
}

function changesOf(query: Query) {
  /** Changes a run together with its entry in the audit trail; false when there is no such run in such a state. */
  async function change(update: Sql, audit: AuditEntry, more: Sql = sql``): Promise<boolean> {
    const rows = await query(sql`
      with changed as (${update} returning id) ${more}, audited as (${auditInsertion(audit, sql`changed`)})
      select id from changed`);
    return rows.length > 0;
  }

  return {
    pause: (id: string, audit: AuditEntry) =>
      change(
        sql`update upgrade_runs set state = 'paused', reason = null where id = ${id} and state = 'running'`,
        audit,
      ),
    resume: (id: string, audit: AuditEntry) =>
      change(
        sql`update upgrade_runs set state = 'running', reason = null, due_at = now(),
          passed = passed or not exists (select from upgrade_items i where i.run_id = ${id}
            and i.position <= canaries and i.state in ('waiting', 'started')),
          forgiven = (select count(*) from upgrade_items i where i.run_id = ${id} and i.state = 'failed')
        where id = ${id} and state = 'paused'`,
        audit,
      ),
    cancel: (id: string, audit: AuditEntry) =>
      change(
        sql`update upgrade_runs set state = 'cancelling', reason = null, due_at = now()
        where id = ${id} and state in ('running', 'paused')`,
        audit,
        sql`, left_out as (${skipping(sql`select id from changed`)})`,
      ),
  };
}

/** Those whose turn has not come yet. @param ids of runs */
export function skipping(ids: Sql): Sql {
  return sql`
    update upgrade_items set state = 'skipped', reason = 'The run was cancelled before.'
    where run_id in (${ids}) and state = 'waiting'`;
}

const states: readonly UpgradeItemState[] = ['waiting', 'started', 'succeeded', 'failed', 'skipped'];
const counted = states.map((state) => sql`count(*) filter (where i.state = ${state})`);

const selection = sql`
  select r.*, extract(epoch from now() - r.watched_from) * 1000 as watched, c.*
  from upgrade_runs r cross join lateral (
    select array[${join(counted, ', ')}]::integer[] as counts,
      count(*) filter (where i.state = 'waiting' and i.position <= r.canaries)::integer as canaries_waiting,
      count(*) filter (where i.state = 'started' and i.position <= r.canaries)::integer as canaries_started
    from upgrade_items i where i.run_id = r.id) c`;

function readRun(row: QueryRow): UpgradeRun {
  const text = (name: string) => (row[name] as string | null) ?? undefined;
  const [waiting = 0, started = 0, succeeded = 0, failed = 0, skipped = 0] = row['counts'] as number[];
  return {
    id: String(row['id']),
    state: row['state'] as UpgradeRunState,
    reason: text('reason'),
    filter: row['filter'] as UpgradeRun['filter'],
    canaries: Number(row['canaries']),
    atOnce: Number(row['at_once']),
    stopAfter: Number(row['stop_after']),
    watchMs: Number(row['watch_ms']),
    approval: row['approval'] === true,
    passed: row['passed'] === true,
    watchedMs: row['watched'] === null ? undefined : Number(row['watched']),
    forgiven: Number(row['forgiven']),
    counts: { waiting, started, succeeded, failed, skipped },
    canaryCounts: { waiting: Number(row['canaries_waiting']), started: Number(row['canaries_started']) },
    origin: row['origin'] as UpgradeRun['origin'],
    holder: text('holder'),
    createdAt: row['created_at'] as Date,
    finishedAt: (row['finished_at'] as Date | null) ?? undefined,
  };
}

export function readItem(row: QueryRow): UpgradeItem {
  const text = (name: string) => (row[name] as string | null) ?? undefined;
  return {
    position: Number(row['position']),
    instanceId: String(row['instance_id']),
    state: row['state'] as UpgradeItemState,
    operationId: text('operation_id'),
    reason: text('reason'),
  };
}

function inAnotherRun([row]: readonly QueryRow[]): Refusal {
  const which = row ? ` '${String(row['run_id'])}' has '${String(row['instance_id'])}' still to do.` : '';
  return new Refusal('conflict', `An instance can be in one run of upgrades at a time.${which}`);
}
