import type { Pool, PoolClient } from 'pg';
import { Refusal } from '../../broker/errors.ts';
import { isObject } from '../../broker/json.ts';

/**
 * Runs the work in one transaction, alone among those of the same instance.
 * @throws Refusal unavailable when the database cannot be reached, not-found when the instance is gone
 */
export async function alone<Result>(
  pool: Pick<Pool, 'connect'>,
  instanceId: string,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  return translating(async () => {
    const client = await pool.connect();
    // A connection that breaks fails its statement; with nobody to tell it would end the process as well.
    const ignore = () => undefined;
    client.on('error', ignore);
    try {
      await client.query('begin');
      await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [lockSpace, instanceId]);
      const result = await work(client);
      await client.query('commit');
      client.off('error', ignore).release();
      return result;
    } catch (error) {
      // The transaction ends with its connection, which may be the very thing that broke.
      client.release(true);
      throw error;
    }
  });
}

/** Any number; it is the same for all brokers. */
const lockSpace = 1_953_722_229;

/** What the server says of our SQL is a mistake of ours; everything else means that it cannot be reached now. */
export async function translating<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const state = sqlState(error);
    if (state === foreignKeyViolation) throw new Refusal('not-found', 'There is no such service instance.');
    if (state !== undefined && !/^(08|53|57)/.test(state)) throw error;
    const refusal = new Refusal(
      'unavailable',
      'The service broker cannot reach its database at the moment. Try again later.',
    );
    refusal.cause = error;
    throw refusal;
  }
}

const foreignKeyViolation = '23503';

function sqlState(error: unknown): string | undefined {
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
