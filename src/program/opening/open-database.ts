import type { Pool } from 'pg';
import { Refusal } from '../../broker/errors.ts';
import type { BrokerEvent } from '../../broker/events.ts';
import type { Store } from '../../broker/store.ts';
import type { Config } from '../config.ts';
import type { Connection } from '../../database/connection.ts';
import { resolveDatabase, type Database } from '../../database/resolve.ts';
import { openClient, openPool } from '../../postgres/connections.ts';
import { databaseReason } from '../../postgres/trouble.ts';
import { codeOf } from '../../system/error-code.ts';
import { postgresStore } from '../../stores/postgres/index.ts';
import { migrate } from '../../postgres/migrate.ts';
import { shippedMigrations } from '../shipped.ts';
import { embeddedOptions } from './begin-database.ts';
import { untilAvailable } from './until-available.ts';

export interface OpenDatabase {
  readonly pool: Pool;
  /** It keeps what is confidential as it is given it: seal it. */
  readonly store: Store;
  /** In words fit for a log. */
  readonly origin: string;
  /** How it is connected to; it holds the password. */
  readonly connection: Connection;
  /** Is its server this program's own? */
  readonly embedded: boolean;
  readonly close: () => Promise<void>;
}

export interface DatabaseOpening {
  readonly config: Config;
  readonly note: (message: string) => void;
  readonly observe: (event: BrokerEvent) => void;
  /** Is told what of the database is secret, before it is connected to. */
  readonly hide: (secrets: readonly string[]) => void;
  /** Ends the waiting for a database that is away. */
  readonly signal: AbortSignal;
}

/**
 * Finds the database, waits until it answers, however long, and brings its tables up to date.
 * @throws Error when it can never be used: wrong password, newer tables than this program's
 */
export async function openDatabase(opening: DatabaseOpening): Promise<OpenDatabase> {
  const database = await findDatabase(opening);
  const { pool, pipelined, store } = connect(database, opening);
  const close = async () => {
    await Promise.all([pool.end(), pipelined?.end()]);
    await database.stop();
  };
  try {
    await prepare(pool, store, opening);
  } catch (error) {
    await close();
    throw new Error(`The database cannot be used: ${whyNot(error)}`, { cause: error });
  }
  const { origin, embedded, pool: connection } = database;
  return { pool, store, origin, connection, embedded, close };
}

/** Of an embedded one, which nobody else knows of; where it lies is no secret. */
function passwordIn({ pool }: Database): readonly string[] {
  // Not what its type says: null where the address has none.
  const { password } = openClient(pool) as { readonly password?: string | null };
  return password ? [password] : [];
}

/** Our own sentences as they are; what others say without the names and addresses in it. */
function whyNot(error: unknown): string {
  const { cause, message } = error as Error;
  if (error instanceof Refusal) return `${message} (${databaseReason(cause)})`;
  return codeOf(error) === '' ? message : `${databaseReason(error)}.`;
}

/** Starts it when it is the embedded one; whether another one answers is not asked. */
export async function findDatabase({
  config,
  note,
  hide,
}: Pick<DatabaseOpening, 'config' | 'note' | 'hide'>): Promise<Database> {
  const { databaseUrl, vcapServices } = config;
  const database = await resolveDatabase({ databaseUrl, vcapServices, ...embeddedOptions(config, note) });
  hide(passwordIn(database));
  return database;
}

/** A database that hangs, or is gone without a word, must be noticed. */
const patience = { connectionTimeoutMillis: 5_000, query_timeout: 30_000, keepAlive: true };

/**
 * Seconds. Postgres plans again what a session keeps prepared when it has counted the rows of a table anew; where it
 * counts too rarely, a plan made for few rows ends with its session.
 */
const longestSession = 600;

/** Two are enough but for moments: three at most for `together`, and two for `inGroups`. */
const mostPipelined = 5;

function connect(
  database: Database,
  { config, observe }: DatabaseOpening,
): { pool: Pool; pipelined: Pool | undefined; store: Store } {
  const connection = {
    ...database.pool,
    ...patience,
    application_name: 'purveyor',
    maxLifetimeSeconds: longestSession,
  };
  const pool = openPool({ ...connection, max: config.databasePool });
  // What keeps no names may not take statements that do not wait for each other either.
  const pipelined = config.databasePrepare
    ? openPool({ ...connection, max: mostPipelined, pipeline: true })
    : undefined;
  const store = postgresStore(pool, {
    pipelined,
    listener: connection,
    prepares: config.databasePrepare,
    onTrouble: (doing, detail) => observe({ type: 'trouble', doing, detail }),
  });
  return { pool, pipelined, store };
}

async function prepare(pool: Pool, store: Store, { note, signal }: DatabaseOpening): Promise<void> {
  const onWait = (reason: string) => note(`The database cannot be reached yet, waiting for it: ${reason}`);
  const applied = await untilAvailable({ onWait, signal }, async () => {
    await store.ping();
    return migrate(pool, shippedMigrations());
  });
  if (applied.length > 0) note(`Changed the tables: ${applied.join(', ')}.`);
}
