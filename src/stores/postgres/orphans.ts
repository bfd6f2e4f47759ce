// Things that provisioners have found and nobody knows, on the database's clock.
import type { Pool } from 'pg';
import { certainAfter, type Orphans, type Suspect, type Scope } from '../../broker/orphans.ts';
import type { Resource } from '../../broker/provisioner.ts';
import { auditInsertion } from './audit/write.ts';
import { queryThrough, type Query, type QueryRow } from '../../postgres/query.ts';
import { sql, type Sql } from '../../postgres/sql.ts';

export function postgresOrphans(pool: Pool): Orphans {
  const query = queryThrough(pool);
  return {
    look: (where, found) => look(query, where, found),
    async isNobodys({ node = '' }, { instanceId, key }) {
      const rows = await query(sql`
        select from (select ${instanceId}::text as instance_id, ${key}::text as key) f where ${owned(node)}`);
      return rows.length === 0;
    },
    async list() {
      const rows = await query(sql`
        select provisioner, node, name, instance_id, key, first_seen_at, ${FINAL} as final, condemned
        from orphan_suspects order by provisioner, node, name`);
      return rows.map(readSuspect);
    },
    async approveRemoval({ provisioner, node = '' }, name, audit) {
      const rows = await query(sql`
        with approved as (
          update orphan_suspects set condemned = true
          where provisioner = ${provisioner} and node = ${node} and name = ${name} and ${FINAL} returning name
        ) ${audit ? sql`, audited as (${auditInsertion(audit, sql`approved`)})` : sql``}
        select name from approved`);
      return rows.length > 0;
    },
  };
}

const FINAL = sql`(last_seen_at - first_seen_at >= ${certainAfter} * interval '1 millisecond')`;

async function look(
  query: Query,
  { provisioner, node = '' }: Scope,
  found: readonly Resource[],
): Promise<readonly Resource[]> {
  const rows = await query(sql`
    with found as (
      select distinct on (name) name, instance_id, key from unnest(
        ${found.map(({ name }) => name)}::text[], ${found.map(({ instanceId }) => instanceId)}::text[],
        ${found.map(({ key }) => key)}::text[]) as f (name, instance_id, key)
    ), nobodys as (
      select * from found f where not ${owned(node)}
    ), forgotten as (
      delete from orphan_suspects where provisioner = ${provisioner} and node = ${node}
        and name not in (select name from nobodys)
    ), suspected as (
      insert into orphan_suspects as s (provisioner, node, name, instance_id, key)
      select ${provisioner}, ${node}, name, instance_id, key from nobodys order by name
      on conflict (provisioner, node, name) do update set last_seen_at = now(),
        instance_id = excluded.instance_id, key = excluded.key,
        -- Another thing under an old name is not what was approved for removal.
        first_seen_at = case when ${SAME} then s.first_seen_at else now() end,
        condemned = s.condemned and ${SAME}
      returning name, instance_id, key, condemned
    )
    select name, instance_id, key from suspected where condemned order by name`);
  return rows.map(readThing);
}

/**
 * Is there an instance that may stand for the thing there? A key is of one life of an id: where there is one, the id says
 * nothing. Those whose key was not recorded, which `instanceKey` makes of the id, are of broker 0.1.0, and few.
 */
function owned(node: string): Sql {
  const there = thereAt(node);
  return sql`case
    when f.key is null then exists (select from service_instances i where i.id = f.instance_id and ${there})
    else exists (select from service_instances i where i.key = f.key and ${there})
      or f.key in (select 'p' || left(encode(sha256(convert_to(i.id, 'UTF8')), 'hex'), 20)
        from service_instances i where i.key is null and ${there})
    end`;
}

/** What was lost stands for nothing, wherever something of it comes to light. */
function thereAt(node: string): Sql {
  return sql`case when i.node is null then i.lost_node is null else ${node} in ('', i.node) end`;
}

const SAME = sql`(s.instance_id is not distinct from excluded.instance_id and s.key is not distinct from excluded.key)`;

function readSuspect(row: QueryRow): Suspect {
  return {
    provisioner: String(row['provisioner']),
    ...(row['node'] !== '' && { node: String(row['node']) }),
    resource: readThing(row),
    firstSeenAt: row['first_seen_at'] as Date,
    final: row['final'] === true,
    removalApproved: row['condemned'] === true,
  };
}

function readThing(row: QueryRow): Resource {
  const { name, instance_id: instanceId, key } = row;
  return {
    name: String(name),
    ...(typeof instanceId === 'string' && { instanceId }),
    ...(typeof key === 'string' && { key }),
  };
}
