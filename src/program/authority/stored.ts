// What signs the certificates of instances.
import type { Pool } from 'pg';
import { queryThrough } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';
import { auditInsertion } from '../../stores/postgres/audit/write.ts';
import type { KeyRing } from '../../stores/keyring.ts';
import { openConfidential, sealConfidential } from '../../stores/confidential.ts';
import type { Authorities, Authority } from '../../broker/nodes.ts';

/** @param keys what gives the ring as it is now: under it lies what is confidential */
export function postgresAuthorities(pool: Pool, keys: () => KeyRing): Authorities {
  const query = queryThrough(pool);
  const seal = ({ generation, certificate, key, signsFrom }: Authority) =>
    sealConfidential(keys(), placeOf(String(generation)), { certificate, key, signsFrom });
  const read = async () =>
    (
      await query(sql`
        select generation, confidential from authorities order by length(generation), generation`)
    ).map((row) => {
      const [generation, confidential] = [String(row['generation']), String(row['confidential'])];
      const opened = openConfidential(keys(), { ...placeOf(generation), confidential });
      return { confidential, authority: authorityOf(Number(generation), opened as StoredAuthority) };
    });
  return {
    list: async () => (await read()).map(({ authority }) => authority),
    async add(authority, audit) {
      const rows = await query(sql`
        with added as (
          insert into authorities (generation, confidential)
          values (${String(authority.generation)}, ${seal(authority)})
          on conflict (generation) do nothing returning generation
        ) ${audit ? sql`, audited as (${auditInsertion(audit, sql`added`)})` : sql``}
        select generation from added`);
      return rows.length > 0;
    },
    async schedule(authority, signsFrom, audit) {
      const was = (await read()).find(({ authority: one }) => one.generation === authority.generation);
      if (was?.authority.signsFrom?.getTime() !== authority.signsFrom?.getTime()) return false;
      // What another one has written meanwhile, by another time or another key, is not overwritten.
      const rows = await query(sql`
        with scheduled as (
          update authorities set confidential = ${seal({ ...authority, signsFrom })}
          where generation = ${String(authority.generation)} and confidential = ${was?.confidential}
          returning generation
        ), audited as (${auditInsertion(audit, sql`scheduled`)})
        select generation from scheduled`);
      return rows.length > 0;
    },
  };
}

interface StoredAuthority extends Pick<Authority, 'certificate' | 'key'> {
  /** ISO 8601. */
  readonly signsFrom?: string;
}

function authorityOf(generation: number, { certificate, key, signsFrom }: StoredAuthority): Authority {
  return {
    generation,
    certificate,
    key,
    signsFrom: signsFrom === undefined ? undefined : new Date(signsFrom),
  };
}

function placeOf(generation: string) {
  return { table: 'authorities', ids: [generation] } as const;
}
