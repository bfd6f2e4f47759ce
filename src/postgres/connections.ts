/** The one place where connections to Postgres are made, so that none of them is ever without a listener. */
import { Client, type ClientConfig, Pool, type PoolConfig } from 'pg';

/**
 * A pool whose connections are listened to from birth to death. A connection that breaks says so to whoever waits for
 * its statement, and by `error`, for which nobody listens at moments: pg-pool takes its own listener off before the
 * borrower has the connection in hand, and the end of the session can come in the very bytes that made it ready.
 * Unheard, such an event ends the process.
 * @param onTrouble is told of connections that broke while nobody had them
 */
export function openPool(config: PoolConfig, onTrouble: (error: Error) => void = ignore): Pool {
  // pg-pool makes each connection with `new`; what a function returns takes the place of the new object.
  const pool = new Pool({ ...config, Client: heardClient as unknown as PoolConfig['Client'] });
  pool.on('error', onTrouble);
  return pool;
}

/** A single connection, not connected yet; the listener stays with it, whatever becomes of it. */
export function openClient(config: ClientConfig): Client {
  return new Client(config).on('error', ignore);
}

/** With `new` before it, since that is how a pool calls it. */
function heardClient(config: ClientConfig): Client {
  return openClient(config);
}

/** Whoever waits for a statement hears of it there. */
function ignore(): void {}
