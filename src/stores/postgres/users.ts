// The users that instances run as. A number that nobody has had is drawn; who draws none takes turns with all others.
import type { Pool } from 'pg';
import type { UserRange, Users } from '../../broker/nodes.ts';
import { queryThrough, type Query } from '../../postgres/query.ts';
import { outOfTurn, takingTurns } from '../../postgres/serialized.ts';
import { sql } from '../../postgres/sql.ts';
import { noNames, type StatementNames } from '../../postgres/statement-names.ts';

export function postgresUsers(pool: Pool, names: StatementNames = noNames): Users {
  const query = queryThrough(pool, names);
  const inTurn = takingTurns(pool, names);
  return {
    async take(node, owner, { first, last }, busy = []) {
      const drawn = await draw(query, node, owner, { first, last }, busy);
      if (drawn !== undefined) return drawn;
      return inTurn(turns, async (query) => {
        const rows = await query(sql`
          with had as (select uid from node_users where node = ${node} and owner = ${owner}
          ), taken as (
            insert into node_users (uid, node, owner)
            select number, ${node}, ${owner}
            from generate_series(${first}::bigint, ${last}::bigint) number left join node_users used on used.uid = number
            where used.owner is null and number <> all(${busy}::bigint[]) and not exists (select from had)
            order by used.free_since nulls first, random() limit 1
            on conflict (uid) do update set node = excluded.node, owner = excluded.owner, free_since = null
              where node_users.owner is null
            returning uid
          )
          select uid from had union all select uid from taken`);
        return numberIn(rows);
      });
    },
    async find(node, owner) {
      return numberIn(await query(sql`select uid from node_users where node = ${node} and owner = ${owner}`));
    },
    async release(node, owner) {
      await query(sql`
        update node_users set owner = null, free_since = now() where node = ${node} and owner = ${owner}`);
    },
  };
}

const turns = 'users of nodes';

/** The number that the instance has already, or one of a few that nobody has had; undefined when all of them were. */
async function draw(
  query: Query,
  node: string,
  owner: string,
  { first, last }: UserRange,
  busy: readonly number[],
): Promise<number | undefined> {
  const rows = await outOfTurn(
    query,
    turns,
    (turn) => sql`
    with had as (select uid from node_users where node = ${node} and owner = ${owner}
    ), turn as (${turn}
    ), drawn as (
      select ${first}::bigint + floor(random() * ${last - first + 1}::bigint)::bigint as number
      from generate_series(1, 8) where not exists (select from had)
    ), taken as (
      insert into node_users (uid, node, owner)
      select number, ${node}, ${owner} from turn, drawn
      where number <> all(${busy}::bigint[]) and not exists (select from node_users used where used.uid = number)
      limit 1
      on conflict (uid) do nothing
      returning uid
    )
    select uid from had union all select uid from taken`,
  );
  return numberIn(rows);
}

function numberIn([row]: readonly Readonly<Record<string, unknown>>[]): number | undefined {
  return row && Number(row['uid']);
}
