/** Brief reads that are asked for at the same time go through one connection, without waiting for each other's answers. */
import type { Writable } from 'node:stream';
import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { isSessionLost } from './trouble.ts';

/** What runs statements, each by itself: a pool does, too. */
export interface Runner {
  query<Row extends QueryResultRow>(statement: QueryConfig): Promise<QueryResult<Row>>;
}

/**
 * For statements that only read, and briefly. What is asked within one turn of the event loop leaves in one system
 * call, and is answered by one session, one after the other. When nothing has come for a second, whoever asks next has
 * another connection; when one is lost, what was on its way is asked once more.
 * @param pool its connections have `pipeline`; usually one of them is in use
 */
export function together(pool: Pool): Runner {
  let current: Shared | undefined;

  function share(): Shared {
    if (current && (current.statements >= mostStatements || isStuck(current))) current = undefined;
    current ??= { client: pool.connect(), statements: 0, open: 0, movedAt: 0, failure: undefined };
    return current;
  }

  function leave(shared: Shared): void {
    if (shared === current) current = undefined;
    const back = (client: PoolClient) => client.release(shared.failure !== undefined);
    if (shared.open === 0) shared.client.then(back, () => undefined);
  }

  async function run<Row extends QueryResultRow>(statement: QueryConfig): Promise<QueryResult<Row>> {
    const shared = share();
    if (shared.open === 0) shared.movedAt = performance.now();
    shared.statements += 1;
    shared.open += 1;
    try {
      const client = await shared.client;
      gather(client);
      return await client.query<Row>(statement);
    } catch (error) {
      shared.failure = error;
      throw error;
    } finally {
      shared.open -= 1;
      shared.movedAt = performance.now();
      if (shared.open === 0 || shared.failure !== undefined) leave(shared);
    }
  }

  return {
    query: <Row extends QueryResultRow>(statement: QueryConfig) =>
      run<Row>(statement).catch((error: unknown) => {
        if (!isSessionLost(error)) throw error;
        return run<Row>(statement);
      }),
  };
}

/** A connection while anybody waits for an answer from it. */
interface Shared {
  readonly client: Promise<PoolClient>;
  statements: number;
  open: number;
  /** By the clock of `performance`: when it was last empty, or gave an answer. */
  movedAt: number;
  failure: unknown;
}

/** Under a load that never pauses, the pool must have it back at times: it ends those that are old. */
const mostStatements = 10_000;
const stuckAfterMs = 1_000;

function isStuck({ open, movedAt }: Shared): boolean {
  return open > 0 && performance.now() - movedAt > stuckAfterMs;
}

/**
 * Holds back what is written until all that is asked in this turn of the event loop is there; `pg` itself does so for one
 * statement.
 */
export function gather(client: PoolClient): void {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Writable } }).connection;
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}
