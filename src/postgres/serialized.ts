import type { Pool } from 'pg';
import { persistently, queryOn, type Query } from './query.ts';
import { sql } from './sql.ts';
import { inTransaction } from './transaction.ts';

/** Milliseconds that a broker may be silent in its turn before the others go on without it. */
const longestSilence = 10_000;

/**
 * Runs work in a transaction, one after the other among all brokers that take turns at the same thing: what it
 * reads stays true until it has written.
 */
export type InTurn = <Result>(at: string, work: (query: Query) => Promise<Result>) => Promise<Result>;

export function takingTurns(pool: Pool): InTurn {
  // In this process they wait here, so that they do not take all connections from those who need no turn.
  let last: Promise<unknown> = Promise.resolve();
  return function inTurn(at, work) {
    const turn = last.then(() => persistently(() => run(pool, at, work)));
    last = turn.catch(() => undefined);
    return turn;
  };
}

async function run<Result>(pool: Pool, at: string, work: (query: Query) => Promise<Result>): Promise<Result> {
  return inTransaction(pool, async (client) => {
    const query = queryOn(client);
    await query(sql`
      select set_config('idle_in_transaction_session_timeout', ${String(longestSilence)}, true),
        pg_advisory_xact_lock(hashtextextended(${`purveyor ${at}`}, 0))`);
    return work(query);
  });
}
