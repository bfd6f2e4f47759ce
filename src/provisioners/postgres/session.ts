import type { Pool, PoolClient } from 'pg';

/** What a statement gave, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** One connection, while it is in our hands. */
export interface Session {
  ask(statement: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** One statement, or several in one transaction. */
  change(...statements: readonly string[]): Promise<void>;
}

/**
 * Lends a connection. When the signal says so, or something went wrong, the connection is closed, so that nothing of
 * it is left: no transaction, no lock.
 */
export async function withSession<Result>(
  pool: Pool,
  signal: AbortSignal,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const client = await connected(pool, signal);
  let isOurs = true;
  function letGo(isBroken: boolean): void {
    if (!isOurs) return;
    isOurs = false;
    signal.removeEventListener('abort', cut);
    client.release(isBroken);
  }
  const cut = () => letGo(true);
  signal.addEventListener('abort', cut, { once: true });
  try {
    const result = await use(sessionOn(client));
    letGo(false);
    return result;
  } catch (error) {
    letGo(true);
    throw error;
  }
}

function sessionOn(client: PoolClient): Session {
  return {
    ask: async (statement, values = []) => (await client.query<Row>(statement, [...values])).rows,
    async change(...statements) {
      // Sent as one, they are one transaction.
      if (statements.length > 0) await client.query(statements.join(';\n'));
    },
  };
}

function connected(pool: Pool, signal: AbortSignal): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error('The step was told to end.'));
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    pool
      .connect()
      .then((client) => {
        if (signal.aborted) client.release();
        else resolve(client);
      }, reject)
      .finally(() => signal.removeEventListener('abort', giveUp));
  });
}
