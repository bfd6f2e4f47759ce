import type { Pool, PoolClient } from 'pg';
import { Refusal } from '../../broker/errors.ts';
import { persistently } from '../../postgres/query.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import { codeOf } from '../../system/error-code.ts';

/**
 * Runs the work in one transaction, alone among those of the same instance.
 * @throws Refusal unavailable when the database cannot be reached, not-found when the instance is gone
 */
export async function alone<Result>(
  pool: Pick<Pool, 'connect'>,
  instanceId: string,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  return translating(() =>
    inTransaction(pool, async (client) => {
      await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [lockSpace, instanceId]);
      return work(client);
    }),
  );
}

/** Any number; it is the same for all brokers. */
const lockSpace = 1_953_722_229;

/** What the server says of our SQL is a mistake of ours, and so is all else but that it cannot be reached now. */
export async function translating<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await persistently(work);
  } catch (error) {
    if (codeOf(error) === foreignKeyViolation)
      throw new Refusal('not-found', 'There is no such service instance.');
    throw error;
  }
}

const foreignKeyViolation = '23503';
