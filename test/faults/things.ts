import type { TestDatabase } from '../support/database.ts';

interface Asked {
  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** What the provisioner `faulty` has made: `<instance>` and `<instance>/<binding>`, for each record there is. */
export async function thingsIn(database: Pick<TestDatabase, 'pool'> | Asked): Promise<readonly string[]> {
  const rows = 'pool' in database ? (await database.pool.query(made)).rows : await database.query(made);
  return rows.map((row) => String((row as { name: unknown }).name)).toSorted();
}

const made = `select instance_id || coalesce('/' || binding_id, '') as name from trial_records
  where part ~ '^(instance|binding)'`;
