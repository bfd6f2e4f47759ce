import { escapeLiteral, type Pool } from 'pg';
import { codeOf } from '../system/error-code.ts';
import { persistently, queryOn, type Query, type QueryRow } from './query.ts';
import { sql, type Sql } from './sql.ts';
import { noNames, type StatementNames } from './statement-names.ts';
import { inTransaction } from './transaction.ts';

/** Milliseconds that a broker may be silent in its turn before the others go on without it. */
const longestSilence = 10_000;

/**
 * Runs work in a transaction, one after the other among all brokers that take turns at the same thing: what it
 * reads stays true until it has written.
 */
export type InTurn = <Result>(at: string, work: (query: Query) => Promise<Result>) => Promise<Result>;

export function takingTurns(pool: Pool, names: StatementNames = noNames): InTurn {
  // In this process they wait here, so that they do not take all connections from those who need no turn.
  let last: Promise<unknown> = Promise.resolve();
  return function inTurn(at, work) {
    const once = (known: StatementNames) => persistently(() => run(pool, at, known, work));
    const turn = last.then(() =>
      once(names).catch((error: unknown) => {
        if (!names.haveFailed(error)) throw error;
        return once(noNames);
      }),
    );
    last = turn.catch(() => undefined);
    return turn;
  };
}

async function run<Result>(
  pool: Pool,
  at: string,
  names: StatementNames,
  work: (query: Query) => Promise<Result>,
): Promise<Result> {
  const begin = `begin; set local idle_in_transaction_session_timeout = ${longestSilence};
    select pg_advisory_xact_lock(hashtextextended(${escapeLiteral(nameOf(at))}, 0))`;
  return inTransaction(pool, (client) => work(queryOn(client, names)), begin);
}

/**
 * Runs a statement that takes no turn: it waits for the end of the present one, whoever has the next one sees what it has
 * written, and others like it do not wait for each other.
 * @param statement has this part, which must be read before anything is written
 * @returns no rows when somebody has written just the same meanwhile
 */
export async function outOfTurn(
  query: Query,
  at: string,
  statement: (turn: Sql) => Sql,
): Promise<readonly QueryRow[]> {
  try {
    return await query(statement(sql`select pg_advisory_xact_lock_shared(${keyOf(at)})`));
  } catch (error) {
    if (codeOf(error) === UNIQUE_VIOLATION) return [];
    throw error;
  }
}

const UNIQUE_VIOLATION = '23505';

function keyOf(at: string): Sql {
  return sql`hashtextextended(${nameOf(at)}, 0)`;
}

function nameOf(at: string): string {
  return `purveyor ${at}`;
}
