import type { PoolClient } from 'pg';

/** All that is ever selected here. */
export interface Row {
  readonly instance_id?: string;
  readonly binding_id: string;
  readonly known_as?: string;
  readonly name?: string | null;
  readonly leaving?: boolean;
  readonly number: string;
  readonly doubtful?: boolean;
  readonly stakes: number;
}

/** Runs one statement of a transaction. */
export async function rows(
  client: PoolClient,
  text: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  return (await client.query<Row>(text, [...values])).rows;
}

// A binding whose app is named now belongs to it although it was told only by its host before. One that is leaving is
// not taken again, but found by those who ask for its removal once more.
export const findAppSql = `
  select binding_id, known_as, leaving_since is not null as leaving from tsuru_apps
  where instance_id = $1 and kind = $2 and (name = $3 or (host = $4 and ($3::text is null or name is null)))
  order by leaving_since nulls first, (name is not distinct from $3) desc
  limit 1`;

/** Binds that were never answered. */
export const dropExpired = 'delete from tsuru_stakes where instance_id = $1 and pending_until < now()';

/** Nobody has a stake in it any more. */
export const markLeaving = `
  update tsuru_apps set leaving_since = coalesce(leaving_since, now()) where instance_id = $1 and binding_id = $2`;
