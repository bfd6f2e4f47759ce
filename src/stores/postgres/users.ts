// The users that instances run as: who seeks a free number takes turns with all others.
import type { Pool } from 'pg';
import type { Users } from '../../broker/nodes.ts';
import { queryThrough } from '../../postgres/query.ts';
import { takingTurns } from '../../postgres/serialized.ts';
import { sql } from '../../postgres/sql.ts';

export function postgresUsers(pool: Pool): Users {
  const inTurn = takingTurns(pool);
  return {
    take: (node, owner, { first, last }, busy = []) =>
      inTurn('users of nodes', async (query) => {
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
      }),
    async find(node, owner) {
      return numberIn(
        await queryThrough(pool)(sql`select uid from node_users where node = ${node} and owner = ${owner}`),
      );
    },
    async release(node, owner) {
      await queryThrough(pool)(sql`
        update node_users set owner = null, free_since = now() where node = ${node} and owner = ${owner}`);
    },
  };
}

function numberIn([row]: readonly Readonly<Record<string, unknown>>[]): number | undefined {
  return row && Number(row['uid']);
}
