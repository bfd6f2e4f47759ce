import type { Pool, PoolClient } from 'pg';
import { Refusal } from '../../broker/errors.ts';
import { render, type Sql } from './sql.ts';

/** What a statement gave, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs one statement and gives its rows. */
export type Query = (statement: Sql) => Promise<readonly Row[]>;

const TRIES = 5;
const DEADLOCK_DETECTED = '40P01';
const SERIALIZATION_FAILURE = '40001';

/**
 * One statement, one round trip; not prepared by name, since poolers between us and Postgres may not keep names.
 * Throws Refusal 'unavailable' (with the cause) when the database cannot be reached.
 */
export function queryThrough(pool: Pool): Query {
  const query = queryOn(pool);
  return (statement) => persistently(() => query(statement));
}

/** As part of a transaction, which fails as a whole. */
export function queryOn(client: Pool | PoolClient): Query {
  return async function query(statement) {
    const { rows } = await client.query<Row>(render(statement));
    return rows;
  };
}

/** Tries again what failed because others did something at the same time; what fails otherwise is translated. */
export async function persistently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const again = [DEADLOCK_DETECTED, SERIALIZATION_FAILURE].includes(codeOf(error));
      if (!again || attempt === TRIES) throw translated(error);
    }
  }
}

/** The SQLSTATE of Postgres or the code of the operating system; empty when there is none. */
export function codeOf(error: unknown): string {
  return textIn(error, 'code');
}

/** The error as the core knows it: Refusal 'unavailable' when it says that the database cannot be reached. */
export function translated(error: unknown): unknown {
  if (!isConnectionTrouble(error)) return error;
  const refusal = new Refusal(
    'unavailable',
    'The service broker cannot reach its database at the moment. Try again later.',
  );
  refusal.cause = error;
  return refusal;
}

// Class 08, the server out of room or of connections, going down, coming up, read-only as after a failover, or closed
// to us (55000); below, what the operating system says.
const TROUBLE_STATES = /^(08...|53...|57P0[1-5]|25006|55000)$/;
const TROUBLE_CODES =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|ENOENT)$/;
// pg gives these no code.
const TROUBLE_WORDS =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client (was closed|has encountered a connection error) and is not queryable)/;

function isConnectionTrouble(error: unknown): boolean {
  const code = codeOf(error);
  return (
    TROUBLE_STATES.test(code) || TROUBLE_CODES.test(code) || TROUBLE_WORDS.test(textIn(error, 'message'))
  );
}

function textIn(error: unknown, name: 'code' | 'message'): string {
  if (typeof error !== 'object' || error === null) return '';
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}
