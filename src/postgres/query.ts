import type { Pool, PoolClient } from 'pg';
import { Refusal } from '../broker/errors.ts';
import { isAway, untilDone } from './trouble.ts';
import { renderSql, type Sql } from './sql.ts';
import type { Runner } from './together.ts';
import { noNames, type StatementNames } from './statement-names.ts';
import { traced } from './traced.ts';

/** What a statement gave, by column. */
export type QueryRow = Readonly<Record<string, unknown>>;

/** Runs one statement and gives its rows. */
export type Query = (statement: Sql) => Promise<readonly QueryRow[]>;

/**
 * One statement, one round trip. Throws Refusal 'unavailable' (with the cause) when the database cannot be reached.
 * @param names for statements that come often: Postgres then parses and plans them once in each session
 */
export function queryThrough(pool: Runner, names: StatementNames = noNames): Query {
  return (statement) => persistently(() => named(pool, statement, names));
}

async function named(pool: Runner, statement: Sql, names: StatementNames): Promise<readonly QueryRow[]> {
  const rendered = renderSql(statement);
  return traced(rendered.text, () => run(pool, rendered, names));
}

async function run(
  pool: Runner,
  rendered: ReturnType<typeof renderSql>,
  names: StatementNames,
): Promise<readonly QueryRow[]> {
  const name = names.of(rendered.text);
  if (name === undefined) return (await pool.query<QueryRow>(rendered)).rows;
  try {
    return (await pool.query<QueryRow>({ ...rendered, name })).rows;
  } catch (error) {
    if (!names.haveFailed(error)) throw error;
    return (await pool.query<QueryRow>(rendered)).rows;
  }
}

/**
 * As part of a transaction, which fails as a whole.
 * @param names for who does the whole transaction again where a name was lost
 */
export function queryOn(client: Pool | PoolClient, names: StatementNames = noNames): Query {
  return async function query(statement) {
    const rendered = renderSql(statement);
    const named = { ...rendered, name: names.of(rendered.text) };
    const { rows } = await traced(rendered.text, () => client.query<QueryRow>(named));
    return rows;
  };
}

/** Tries again what has changed nothing, and may do better at once; what fails otherwise is translated. */
export async function persistently<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await untilDone(work);
  } catch (error) {
    throw translated(error);
  }
}

/** The error as the core knows it: Refusal 'unavailable' when it says that the database cannot be reached. */
export function translated(error: unknown): unknown {
  if (!isAway(error)) return error;
  const refusal = new Refusal(
    'unavailable',
    'The service broker cannot reach its database at the moment. Try again later.',
  );
  refusal.cause = error;
  return refusal;
}
