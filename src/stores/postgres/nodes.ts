// Nodes as brokers tell of them, on the database's clock.
import { lostFailure } from '../../broker/state.ts';
import type { Pool } from 'pg';
import type { AuditEntry } from '../../broker/audit.ts';
import type { Isolation, Node, NodeProfile, Nodes, NodeState } from '../../broker/nodes.ts';
import { auditEnding, auditInsertion } from './audit/write.ts';
import { stale } from './place.ts';
import { persistently, queryOn, queryThrough, type Query } from '../../postgres/query.ts';
import { assignments, json, names, columnsOf, type Columns } from './rows.ts';
import { sql, type Sql } from '../../postgres/sql.ts';
import { inTransaction } from '../../postgres/transaction.ts';

export function postgresNodes(pool: Pool): Nodes {
  const query = queryThrough(pool);
  return {
    beat: (profile, holder, machine) => beat(query, profile, holder, machine),
    async leave(name, holder) {
      await query(sql`update nodes set holder = '' where name = ${name} and holder = ${holder}`);
    },
    drain: async (name, draining, audit) => {
      const rows = await query(sql`
        with drained as (update nodes set draining = ${draining}::boolean where name = ${name} returning name)
        ${audited(audit, sql`drained`)}
        select name from drained`);
      return rows.length > 0;
    },
    forget: (name, abandon = false, audit) =>
      abandon ? giveUp(pool, name, audit) : forget(query, name, false, audit),
    states: () => states(query),
    list: () => list(query),
  };
}

async function beat(query: Query, profile: NodeProfile, holder: string, machine: string): Promise<boolean> {
  const columns: Columns = {
    host: sql`${profile.host}::text`,
    url: sql`${profile.url}::text`,
    directory: sql`${profile.directory}::text`,
    first_port: sql`${profile.ports.first}::integer`,
    last_port: sql`${profile.ports.last}::integer`,
    capacity: sql`${profile.capacity}::numeric`,
    executables: sql`${JSON.stringify(profile.executables)}::json`,
    isolation: sql`${profile.isolation}::text`,
    allows_unisolated: sql`${profile.allowsUnisolated}::boolean`,
    accounts: sql`${profile.accounts ?? null}::text`,
    limits: sql`${profile.limits ?? null}::text`,
    holder: sql`${holder}::text`,
    machine: sql`${machine}::text`,
    beat_at: sql`now()`,
  };
  const rows = await query(sql`
    insert into nodes (name, ${names(columns)}) values (${profile.name}, ${columnsOf(columns)})
    on conflict (name) do update set ${assignments(columns)}
      where nodes.holder = ${holder} or nodes.machine = ${machine} or ${stale}
    returning name`);
  return rows.length > 0;
}

/** With the deed of another part, or not at all. */
function audited(audit: AuditEntry | undefined, deed: Sql): Sql {
  return audit ? sql`, audited as (${auditInsertion(audit, deed)})` : sql``;
}

/** First the instances are held: what somebody is just beginning with one of them would else not be seen, nor ended. */
function giveUp(pool: Pool, name: string, audit: AuditEntry | undefined): Promise<boolean> {
  return persistently(() =>
    inTransaction(pool, async (client) => {
      const query = queryOn(client);
      await query(sql`select from service_instances where node = ${name} order by id for update`);
      return forget(query, name, true, audit);
    }),
  );
}

/** What is remembered of it goes with it. */
async function forget(
  query: Query,
  name: string,
  abandon: boolean,
  audit: AuditEntry | undefined,
): Promise<boolean> {
  const rows = await query(sql`
    with forgotten as (
      delete from nodes where name = ${name} and ${stale}
        and (${abandon}::boolean or not exists (select from service_instances i where i.node = nodes.name))
      returning name
    ), ports as (delete from node_ports where node in (select name from forgotten)),
    users as (delete from node_users where node in (select name from forgotten)),
    suspects as (delete from orphan_suspects where node in (select name from forgotten)),
    ended as (
      update operations set state = 'failed', failure = ${json({ ...lostFailure })}, finished_at = now(), holder = null,
        trouble = null, confidential = '{}'
      where state = 'in progress' and node in (select name from forgotten) returning id
    ), concluded as (${auditEnding(sql`select id from ended`, { outcome: 'failed', reason: lostFailure.word })}), left_alone as (
      update service_instances set node = null, cost = null, ready = false, operation_id = null,
        lost_node = node, lost_at = now(), lost_key = key, version = version + 1, updated_at = now()
      where node in (select name from forgotten) returning id
    ), unbound as (delete from service_bindings where instance_id in (select id from left_alone)),
    unseen as (delete from instance_checks where instance_id in (select id from left_alone))
    ${audited(audit, sql`forgotten`)}
    select name from forgotten`);
  return rows.length > 0;
}

interface NodeRow {
  readonly name: string;
  readonly host: string;
  readonly url: string;
  readonly directory: string;
  readonly first_port: number;
  readonly last_port: number;
  readonly capacity: number;
  readonly executables: readonly string[];
  readonly isolation: Isolation;
  readonly allows_unisolated: boolean;
  readonly accounts: string | null;
  readonly limits: string | null;
  readonly draining: boolean;
  readonly beat_at: string;
  readonly stale: boolean;
}

interface UsedRow extends NodeRow {
  readonly used: number;
  readonly instances: number;
  readonly ports_busy: number;
}

async function states(query: Query): Promise<readonly NodeState[]> {
  const rows = await query(sql`
    select to_json(n) as node from (select nodes.*, ${stale} as stale from nodes) n order by n.name`);
  return rows.map((row) => readState(row['node'] as NodeRow));
}

async function list(query: Query): Promise<readonly Node[]> {
  // Said as a range, as which Postgres thinks of few.
  const taken = (first: Sql, last: Sql) =>
    sql`(select count(*) from node_ports p where p.node = nodes.name and p.port between ${first} and ${last}
      and p.instance_id is not null)`;
  const rows = await query(sql`
    select to_json(n) as node from (
      select nodes.*, ${stale} as stale, ports_taken
        -- Of a range that it has no more.
        - ${taken(sql`0`, sql`first_port - 1`)} - ${taken(sql`last_port + 1`, sql`65535`)}
        + (select count(*) from node_ports p where p.node = nodes.name and p.free_at > now()
          and p.port between first_port and last_port) as ports_busy
      from nodes
    ) n order by n.name`);
  return rows.map((row) => readNode(row['node'] as UsedRow));
}

function readNode(row: UsedRow): Node {
  const { used, instances, first_port: first, last_port: last } = row;
  return { ...readState(row), used, instances, portsFree: last - first + 1 - row.ports_busy };
}

function readState(row: NodeRow): NodeState {
  const { name, host, url, directory, capacity, executables, isolation, draining } = row;
  return {
    name,
    host,
    url,
    directory,
    ports: { first: row.first_port, last: row.last_port },
    capacity,
    executables,
    isolation,
    allowsUnisolated: row.allows_unisolated,
    accounts: row.accounts ?? undefined,
    limits: row.limits ?? undefined,
    draining,
    beatAt: new Date(row.beat_at),
    stale: row.stale,
  };
}
