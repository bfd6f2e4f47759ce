// The ports of nodes. Who seeks one draws it; who seeks several, or draws only such as are taken, takes turns with the
// others of that node, so that none is taken by halves.
import type { Pool } from 'pg';
import { portQuarantine, portRest, type Ports } from '../../broker/nodes.ts';
import { fromNow } from './lease.ts';
import { outOfTurn, takingTurns } from '../../postgres/serialized.ts';
import { queryThrough, type Query } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';
import { noNames, type StatementNames } from '../../postgres/statement-names.ts';

export function postgresPorts(pool: Pool, names: StatementNames = noNames): Ports {
  const query = queryThrough(pool, names);
  const inTurn = takingTurns(pool, names);
  return {
    async take(node, instanceId, names) {
      const [name, ...others] = names;
      if (name !== undefined && others.length === 0) {
        const drawn = await draw(query, node, instanceId, name);
        if (drawn !== undefined) return { [name]: drawn };
      }
      const taken = await inTurn(turnsAt(node), (query) => take(query, node, instanceId, names));
      return names.every((name) => taken.has(name)) ? Object.fromEntries(taken) : undefined;
    },
    async replace(node, instanceId, name) {
      const taken = await inTurn(turnsAt(node), async (query) => {
        await rest(query, node, instanceId, [name]);
        return take(query, node, instanceId, [name]);
      });
      return taken.get(name);
    },
    async release(node, instanceId) {
      await query(sql`
        update node_ports set instance_id = null, name = null, free_at = ${fromNow(portRest)}
        where node = ${node} and instance_id = ${instanceId}`);
    },
  };
}

function turnsAt(node: string): string {
  return `ports of ${node}`;
}

/** The number that the instance has already, or one of a few that is free; undefined when none of them is. */
async function draw(
  query: Query,
  node: string,
  instanceId: string,
  name: string,
): Promise<number | undefined> {
  const rows = await outOfTurn(
    query,
    turnsAt(node),
    (turn) => sql`
    with had as (
      select port from node_ports where node = ${node} and instance_id = ${instanceId} and name = ${name}
    ), turn as (${turn}
    ), drawn as (
      select first_port + floor(random() * (last_port - first_port + 1))::integer as port
      from nodes, generate_series(1, 8) where nodes.name = ${node} and not exists (select from had)
    ), taken as (
      insert into node_ports (node, port, instance_id, name)
      select ${node}, port, ${instanceId}, ${name} from turn, drawn
      where not exists (select from node_ports used
        where used.node = ${node} and used.port = drawn.port and (used.instance_id is not null or used.free_at > now()))
      limit 1
      on conflict (node, port) do update
        set instance_id = excluded.instance_id, name = excluded.name, free_at = null
        where node_ports.instance_id is null and node_ports.free_at <= now()
      returning port
    )
    select port from had union all select port from taken`,
  );
  const [row] = rows;
  return row && Number(row['port']);
}

/** The numbers by name: for all names, or for those alone that the instance had already. */
async function take(
  query: Query,
  node: string,
  instanceId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await query(sql`
    with had as (
      select name, port from node_ports where node = ${node} and instance_id = ${instanceId} and name = any(${names})
    ), wanted as (
      select name, row_number() over () as place
      from (select distinct unnest(${names}::text[]) as name) all_names where name not in (select name from had)
    ), found as (
      select port from nodes, generate_series(first_port, last_port) port
      where nodes.name = ${node} and port not in (
        select port from node_ports where node = ${node} and (instance_id is not null or free_at > now()))
      order by random() limit (select count(*) from wanted)
    ), numbered as (select port, row_number() over () as place from found
    ), taken as (
      insert into node_ports (node, port, instance_id, name)
      select ${node}, port, ${instanceId}, name from wanted join numbered using (place)
      where (select count(*) from found) = (select count(*) from wanted)
      on conflict (node, port) do update
        set instance_id = excluded.instance_id, name = excluded.name, free_at = null
        where node_ports.instance_id is null
      returning name, port
    )
    select name, port from had union all select name, port from taken`);
  return new Map(rows.map((row) => [String(row['name']), Number(row['port'])]));
}

/** A stranger has it. */
async function rest(query: Query, node: string, instanceId: string, names: readonly string[]): Promise<void> {
  await query(sql`
    update node_ports set instance_id = null, name = null, free_at = ${fromNow(portQuarantine)}
    where node = ${node} and instance_id = ${instanceId} and name = any(${names})`);
}
