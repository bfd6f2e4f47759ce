import type { Pool, PoolClient } from 'pg';

/** Runs the work in one transaction, which ends with it: all of it is done when this gives a result, else nothing. */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  // A connection that breaks fails its statement; with nobody to tell it would end the process as well.
  const ignore = () => undefined;
  client.on('error', ignore);
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.off('error', ignore).release();
    return result;
  } catch (error) {
    // The transaction ends with its connection, which may be the very thing that broke.
    client.release(true);
    throw error;
  }
}
