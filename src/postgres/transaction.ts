import type { Pool, PoolClient } from 'pg';
import { isSessionLost, isUndone, stepAside } from './trouble.ts';

/** In a row, before the failure is the answer. */
const tries = 3;

/**
 * Runs the work in one transaction, which ends with it: all of it is done when this gives a result, else nothing. A
 * session that is lost before the commit has changed nothing, nor has a transaction that the server ended because others
 * were in its way (a deadlock, a serialization failure): then the work is done again from its beginning, in another
 * one. Lost at the commit itself, only the server knows, and the error is thrown.
 * @param begin how it begins: other statements may follow in the same message
 */
export async function inTransaction<Result>(
  pool: Pick<Pool, 'connect'>,
  work: (client: PoolClient) => Promise<Result>,
  begin = 'begin',
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    let client: PoolClient | undefined;
    let isCommitting = false;
    try {
      client = await pool.connect();
      await client.query(begin);
      const result = await work(client);
      isCommitting = true;
      await client.query('commit');
      client.release();
      return result;
    } catch (error) {
      // The transaction ends with its connection, which may be the very thing that broke.
      client?.release(true);
      const again = client && !isCommitting ? isSessionLost(error) : isUndone(error);
      if (!again || attempt === tries) throw error;
      await stepAside(error, attempt);
    }
  }
}
