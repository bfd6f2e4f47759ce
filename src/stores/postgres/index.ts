// Remembers in Postgres (13 and later): every method is one statement, but for those that take turns or go in parts, and Postgres' clock is everybody's.
import type { ClientConfig, Pool } from 'pg';
import type { AuditEntry } from '../../broker/audit.ts';
import type { ServicePlan } from '../../broker/catalog.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Opening, Store } from '../../broker/store.ts';
import { cancel } from './by-hand/cancel.ts';
import { mark } from './by-hand/mark.ts';
import { listBindings } from './by-hand/list-bindings.ts';
import { purge } from './by-hand/purge.ts';
import { postgresAudit } from './audit/trail.ts';
import { auditInsertion } from './audit/write.ts';
import { postgresBackups } from './backups/books.ts';
import { claimCheck, findSeen, nextCheck, saveSeen } from './unit-checks.ts';
import {
  expired,
  keptEnough,
  findBinding,
  findInstance,
  lastOperation,
  leftBinding,
  nextDue,
} from './find.ts';
import { claim, holdBack, postpone, release, renew } from './lease.ts';
import { bindings, countDrifted, history, list, listOperations } from './list.ts';
import { inGroups } from '../../postgres/in-groups.ts';
import { listen } from '../../postgres/listen.ts';
import { mayShare, open } from './open.ts';
import { holdsRoom, placeThrough } from './place.ts';
import { listUses } from './quotas/uses.ts';
import { together } from '../../postgres/together.ts';
import { queryThrough, type Query } from '../../postgres/query.ts';
import { json } from './rows.ts';
import { noNames, statementNames, type StatementNames } from '../../postgres/statement-names.ts';
import { settle, tell } from './settle.ts';
import { join, sql } from '../../postgres/sql.ts';
import { timeline } from './timeline.ts';

export interface PostgresStoreOptions {
  /** For the connection that hears hints; the pool's own settings by default. */
  readonly listener?: ClientConfig;
  /** What brokers tell each other hints on; those that share a database share it. */
  readonly channel?: string;
  /** Keeps statements that come often prepared in the sessions; true by default. */
  readonly prepares?: boolean;
  /**
   * Connections with `pipeline`, for what a request looks up, and for writes of the same moment; by default they go as
   * everything else does.
   */
  readonly pipelined?: Pool | undefined;
  /** Told of connections that broke while nobody waited for them. */
  readonly onTrouble?: (doing: string, detail: string) => void;
}

/**
 * The tables are those that `migrate` makes, found through the connection's search_path. The pool stays the
 * caller's, who ends it.
 */
export function postgresStore(pool: Pool, options: PostgresStoreOptions = {}): Store {
  const { listener = pool.options, channel = 'purveyor', onTrouble = () => undefined } = options;
  const names = namesFor(options);
  const query = queryThrough(pool, names);
  const { read, writer } = sharing(query, pool, options, names);
  // Without a listener, a connection that breaks in the pool would end the process.
  pool.on('error', (error) => onTrouble('keeping connections to the database', String(error)));
  return {
    findInstance: (instanceId) => findInstance(read, instanceId),
    findBinding: (instanceId, bindingId) => findBinding(read, instanceId, bindingId),
    open: (opening) => open(writer(opening), channel, opening),
    place: placeThrough(pool, channel, names),
    claim: (holder, leaseMs, node) => claim(query, holder, leaseMs, node),
    renew: (held, leaseMs) => renew(query, held, leaseMs),
    postpone: (held, pause) => postpone(query, channel, held, pause),
    settle: (held, settlement) => settle(query, held, settlement),
    purge: (what, failure, audit) => purge(query, channel, what, failure, audit),
    mark: (what, audit) => mark(query, what, audit),
    cancel: (operationId, failure, audit) => cancel(query, channel, operationId, failure, audit),
    holdBack: (cancelledId, leaseMs) => holdBack(query, cancelledId, leaseMs),
    release: (cancelledId) => release(query, channel, cancelledId),
    lastOperation: (asked) => lastOperation(read, asked),
    tell: (operationId) => tell(query, operationId),
    leftBinding: (instanceId) => leftBinding(query, instanceId),
    bindings: (instanceId) => bindings(query, instanceId),
    expired: (limit) => expired(query, limit),
    keptEnough: (limit) => keptEnough(query, limit),
    nextDue: (node) => nextDue(query, node),
    prune: (olderThanMs) => prune(query, olderThanMs),
    timeline: (operationId) => timeline(query, operationId),
    history: (instanceId, limit) => history(query, instanceId, limit),
    listUses: (count, per, limit) => listUses(query, count, per, limit, holdsRoom),
    list: (asked) => list(query, asked),
    listOperations: (asked) => listOperations(query, asked),
    listBindings: (asked) => listBindings(query, asked),
    countDrifted: (plans) => countDrifted(query, plans),
    claimUnitCheck: (node) => claimCheck(query, node),
    nextUnitCheck: (node) => nextCheck(query, node),
    saveSeen: (instanceId, seen, dueMs) => saveSeen(query, instanceId, seen, dueMs),
    findSeen: (instanceId) => findSeen(query, instanceId),
    saveRevisions: (plans, audit) => saveRevisions(query, plans, audit),
    findRevision: (revision) => findRevision(query, revision),
    audit: postgresAudit(query),
    backups: postgresBackups(query),
    listen: (onHint) => listen({ config: listener, channel, onTrouble }, onHint),
    async ping() {
      await query(sql`select 1`);
    },
  };
}

/** What looks up briefly, and what writes an opening. */
function sharing(
  query: Query,
  pool: Pool,
  { pipelined }: PostgresStoreOptions,
  names: StatementNames,
): { readonly read: Query; readonly writer: (opening: Opening) => Query } {
  if (!pipelined) return { read: query, writer: () => query };
  const groups = inGroups(pipelined, pool);
  return {
    read: queryThrough(together(pipelined), names),
    writer: (opening) =>
      mayShare(opening) ? queryThrough(groups.of(opening.operation.instanceId), names) : query,
  };
}

function namesFor({ prepares = true, onTrouble }: PostgresStoreOptions): StatementNames {
  if (!prepares) return noNames;
  return statementNames(() =>
    onTrouble?.(
      'keeping statements prepared',
      'something between the broker and the database, such as a pooler, keeps none; each is planned anew from now on',
    ),
  );
}

/** Operations that are removed at once: one transaction for very many would hold rows, and then write, for long. */
const pruned = 5000;

async function prune(query: Query, olderThanMs: number): Promise<number> {
  for (let total = 0; ;) {
    const [row] = await query(sql`
      with pruned as (
        delete from operations where ctid = any(array(
          select ctid from operations where finished_at < now() - ${olderThanMs} * interval '1 millisecond'
          order by finished_at limit ${pruned} for update skip locked))
        returning 1
      )
      select count(*)::integer as count from pruned`);
    const count = Number(row?.['count'] ?? 0);
    total += count;
    if (count < pruned) return total;
  }
}

async function saveRevisions(
  query: Query,
  plans: readonly ServicePlan[],
  audit: AuditEntry | undefined,
): Promise<void> {
  if (plans.length === 0) return;
  // In one order everywhere, so that brokers which start together do not wait for each other in a circle.
  const rows = plans
    .toSorted((a, b) => (a.revision < b.revision ? -1 : 1))
    .map((plan) => sql`(${plan.revision}, ${plan.offeringId}, ${plan.id}, ${json(plan.definition)})`);
  await query(sql`
    with saved as (
      insert into plan_revisions (revision, offering_id, plan_id, definition) values ${join(rows, ', ')}
      on conflict (revision) do nothing returning revision
    ) ${audit ? sql`, audited as (${auditInsertion(audit, sql`saved`)})` : sql``}
    select count(*) from saved`);
}

async function findRevision(query: Query, revision: string): Promise<JsonObject | undefined> {
  const [row] = await query(sql`select definition from plan_revisions where revision = ${revision}`);
  return row?.['definition'] as JsonObject | undefined;
}
