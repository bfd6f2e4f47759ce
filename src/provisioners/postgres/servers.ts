import type { Pool, PoolConfig } from 'pg';
import { openClient, openPool } from '../../postgres/connections.ts';
import { type Session, withSession } from './session.ts';

/** A server on which databases are made. */
export interface Server {
  /** The administrator's address. It holds the password: never log it. */
  readonly url: string;
  readonly ssl?: PoolConfig['ssl'];
  /** Where applications find the server, when that is not where the administrator does. */
  readonly host?: string;
  readonly port?: number;
}

/** How an administrator gets at a server. */
export interface Access {
  /** The administrator's own database. */
  readonly outside: <Result>(use: (session: Session) => Promise<Result>) => Promise<Result>;
  readonly inside: <Result>(database: string, use: (session: Session) => Promise<Result>) => Promise<Result>;
}

export interface Servers {
  /** For work, that ends when the signal says so. */
  forWork(server: Server, signal: AbortSignal): Access;
  /** For short looks; they never wait behind work. */
  forLooks(server: Server, signal: AbortSignal): Access;
  close(): Promise<void>;
}

/** Milliseconds. */
interface Patience {
  readonly connect: number;
  readonly statement: number;
  readonly lock: number;
  /** The most connections to the administrator's own database. */
  readonly max: number;
}

const patienceOfWork: Patience = { connect: 30_000, statement: 60_000, lock: 10_000, max: 4 };
const patienceOfLooks: Patience = { connect: 4000, statement: 4000, lock: 1000, max: 2 };

/** Keeps a few connections to each server that is in use; those into an instance's database end with their use. */
export function createServers(): Servers {
  const pools = new Map<string, Pool>();

  function poolOf(kind: string, server: Server, patience: Patience): Pool {
    const name = `${kind} ${server.url}`;
    const known = pools.get(name);
    if (known) return known;
    const pool = poolTo(server, patience);
    pools.set(name, pool);
    return pool;
  }
  const access = (kind: string, patience: Patience) => (server: Server, signal: AbortSignal) => ({
    outside: <Result>(use: (session: Session) => Promise<Result>) =>
      withSession(poolOf(kind, server, patience), signal, use),
    inside: <Result>(database: string, use: (session: Session) => Promise<Result>) =>
      once(poolTo(server, { ...patience, max: 1 }, database), signal, use),
  });
  return {
    forWork: access('work', patienceOfWork),
    forLooks: access('looks', patienceOfLooks),
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.end()));
    },
  };
}

export interface Address {
  /** Or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  /** As every client can do it: none of them has the certificate of an authority that the administrator may have. */
  readonly sslmode: 'require' | 'prefer';
}

/** Where applications find it, and whether they must encrypt as the administrator does. */
export function addressOf({ url, host, port, ssl }: Server): Address {
  const client = openClient({ connectionString: url });
  const sslmode = (ssl ?? client.ssl) ? 'require' : 'prefer';
  return { host: host ?? client.host, port: port ?? client.port, sslmode };
}

async function once<Result>(
  pool: Pool,
  signal: AbortSignal,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  try {
    return await withSession(pool, signal, use);
  } finally {
    await pool.end();
  }
}

function poolTo(server: Server, patience: Patience, database?: string): Pool {
  // The parts of the address, since the database in it would win over the one that is wanted.
  const given = openClient({ connectionString: server.url });
  return openPool({
    host: given.host,
    port: given.port,
    database: database ?? given.database,
    user: given.user,
    password: given.password || undefined,
    ssl: server.ssl ?? given.ssl,
    application_name: 'purveyor databases',
    connectionTimeoutMillis: patience.connect,
    keepAlive: true,
    max: patience.max,
    options: optionsFor(patience),
  });
}

/** The administrator must never take for Postgres's own what somebody has put into their database. */
function optionsFor({ statement, lock }: Patience): string {
  return `-c search_path=pg_catalog -c statement_timeout=${statement} -c lock_timeout=${lock}`;
}
