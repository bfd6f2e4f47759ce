import { Client } from 'pg';
import type { TestDatabase } from '../support/database.ts';

/**
 * Stops brokers at a chosen statement: whoever writes the rows that it holds must wait until they are released. A
 * broker that is killed meanwhile leaves its statement behind, which Postgres still executes after the release.
 */
export interface Brake {
  /** What the statements say that wait for it, of one broker. */
  waiting(broker: string): Promise<readonly string[]>;
  /** Lets go; what its own statement has changed is as it was. */
  release(): Promise<void>;
  /** Lets go; what its own statement has changed stays so. */
  commit(): Promise<void>;
  /** Lets go when the statements that waited are thrown away: they are never executed. */
  discard(broker: string): Promise<void>;
}

/** @param statement that locks the rows, such as `select from t where id = $1 for update` */
export async function brake(
  { config, pool }: TestDatabase,
  statement: string,
  values: readonly unknown[],
): Promise<Brake> {
  const client = new Client(config);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const holder = rows[0]?.pid;
  await client.query('begin');
  await client.query(statement, [...values]);

  async function blocked(broker: string): Promise<readonly { pid: number; query: string }[]> {
    return (await pool.query<{ pid: number; query: string }>(BLOCKED, [holder, broker])).rows;
  }
  return {
    waiting: async (broker) => (await blocked(broker)).map(({ query }) => query),
    release: () => client.end(),
    async commit() {
      await client.query('commit');
      await client.end();
    },
    async discard(broker) {
      for (let left = await blocked(broker); left.length > 0; left = await blocked(broker)) {
        await pool.query('select pg_terminate_backend(pid) from unnest($1::integer[]) as pid', [
          left.map(({ pid }) => pid),
        ]);
      }
      await client.end();
    },
  };
}

// Also those that wait for one that waits.
const BLOCKED = `
  with recursive blocked as (
    select pid, query from pg_stat_activity where application_name = $2 and $1 = any (pg_blocking_pids(pid))
    union
    select a.pid, a.query from blocked b join pg_stat_activity a on b.pid = any (pg_blocking_pids(a.pid))
    where a.application_name = $2
  )
  select pid, query from blocked`;
