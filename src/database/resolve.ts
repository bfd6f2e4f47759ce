// The one place that decides which database the broker uses. After it, only `pg` is seen.
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { findBoundDatabase } from './bound-database.ts';
import { readConnection, type Connection } from './connection.ts';
import { startEmbedded, type EmbeddedOptions } from './embedded.ts';

export interface DatabaseChoice extends EmbeddedOptions {
  readonly databaseUrl?: string | undefined;
  /** VCAP_SERVICES, parsed. */
  readonly vcapServices?: unknown;
}

export interface Database {
  /** For `openPool({ ...pool, max })` and `openClient(pool)`. It holds the password: never log it. */
  readonly pool: Connection;
  /** Where it came from, in words fit for a log. */
  readonly origin: string;
  readonly embedded: boolean;
  /** Lets go of an embedded database, after the pool has ended; does nothing for one of somebody else. */
  readonly stop: () => Promise<void>;
}

/**
 * Finds the database: DATABASE_URL, else the Postgres bound in VCAP_SERVICES, else the embedded one, which is
 * started. Only the last is connected to here. Throws one sentence for the operator, never with a password in it.
 */
export async function resolveDatabase(choice: DatabaseChoice): Promise<Database> {
  if (choice.databaseUrl) {
    return external(readConnection(choice.databaseUrl, 'DATABASE_URL'), 'DATABASE_URL');
  }
  const bound = findBoundDatabase(choice.vcapServices);
  if (bound) {
    const source = `the bound service ${bound.name}`;
    return external(readConnection(bound.url, `The url of ${source}`, bound.ca), source);
  }
  const { url, stop } = await startEmbedded(choice);
  // A link, where the user that Postgres runs as could not enter: what is to be backed up is its target.
  const origin = `the embedded database in ${realpathSync(join(choice.dataDir, 'postgres'))}`;
  return { pool: readConnection(url, 'The embedded database'), origin, embedded: true, stop };
}

function external(pool: Connection, origin: string): Database {
  return { pool, origin, embedded: false, stop: async () => {} };
}
