// What signs the certificates of instances.
import type { Pool } from 'pg';
import { queryThrough } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';
import type { KeyRing } from '../../stores/keyring.ts';
import { openConfidential, sealConfidential } from '../../stores/confidential.ts';
import type { Authorities, Authority } from '../../broker/nodes.ts';

/** @param keys what gives the ring as it is now: under it lies what is confidential */
export function postgresAuthorities(pool: Pool, keys: () => KeyRing): Authorities {
  const query = queryThrough(pool);
  return {
    async list() {
      const rows = await query(sql`
        select generation, confidential from authorities order by length(generation), generation`);
      return rows.map((row) => {
        const { certificate, key } = openConfidential(keys(), {
          ...placeOf(String(row['generation'])),
          confidential: String(row['confidential']),
        }) as Pick<Authority, 'certificate' | 'key'>;
        return { generation: Number(row['generation']), certificate, key };
      });
    },
    async add({ generation, certificate, key }) {
      const place = placeOf(String(generation));
      const confidential = sealConfidential(keys(), place, { certificate, key });
      await query(sql`
        insert into authorities (generation, confidential) values (${String(generation)}, ${confidential})
        on conflict (generation) do nothing`);
    },
  };
}

function placeOf(generation: string) {
  return { table: 'authorities', ids: [generation] } as const;
}
