// A real Postgres of our own, for a broker that was given no database: `npm start` is enough to have a durable one.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chooseDatabaseAccount, chooseMaker, isNobody, type IsTenant } from './account.ts';
import { attach, detach, urlOf, type Attachment } from './attach.ts';
import { findBinaries } from './binaries.ts';
import { createCluster, NAME, readMajorVersion, readPassword } from './cluster.ts';
import { codeOf } from '../system/error-code.ts';
import { openHome } from './home.ts';
import { superviseAttached } from './supervise.ts';
import type { ClusterPlace } from './launch.ts';
import { makeLifeline } from './lifeline.ts';

export interface EmbeddedOptions {
  /** The database is kept in `<dataDir>/postgres`. */
  readonly dataDir: string;
  /** The bin folder of a Postgres to use instead of the npm package's. */
  readonly binDir?: string | undefined;
  /** A PATH on which a Postgres is looked for last. */
  readonly path?: string | undefined;
  /** Where a broker run by root keeps what the database user cannot reach in `dataDir`; /var/lib by default. */
  readonly shelter?: string | undefined;
  /** Can instances run as this user? The database then never does; nobody is one of them in any case. */
  readonly isTenant?: IsTenant | undefined;
  /** Told what an operator should know, in sentences. */
  readonly note: (message: string) => void;
}

export interface Embedded {
  /** For `pg` and for psql. It holds the password. The role owns the whole cluster. */
  readonly url: string;
  /** Lets go of the server. The last one to let go waits until it is down; connections that are open then break. */
  readonly stop: () => Promise<void>;
}

const SLOW_MS = 5_000;

/**
 * Starts the embedded Postgres, or joins it where another broker runs it on the same data directory. It lives as
 * long as anyone uses it (see lifeline.ts) and goes down cleanly after, also when its users were killed. If it dies
 * while we use it (out of memory, an operator), it is started again at the same address.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const ahead = preparing.get(options.dataDir);
  preparing.delete(options.dataDir);
  const place = await (ahead ?? prepare(options));
  const first = await attachAloud(place, options.note);
  if (first.joined) options.note('Joined the embedded database that another process runs.');
  await createDatabase(first).catch((error: unknown) => {
    detach(first);
    throw error;
  });
  const { stop } = superviseAttached(place, first, options.note);
  return { url: urlOf(first.endpoint, place.password, NAME), stop };
}

/** By the data directory: what `startEmbedded` goes on with. */
const preparing = new Map<string, Promise<ClusterPlace>>();

/**
 * Begins to make a cluster where there is none yet, beside whatever else a first start does. What goes wrong is told by
 * `startEmbedded`.
 * @returns as soon as the program that makes it runs, or nothing is to be made
 */
export async function prepareAhead(options: EmbeddedOptions): Promise<void> {
  if (existsSync(join(options.dataDir, 'postgres', 'cluster'))) return;
  const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>();
  const place = prepare(options, onBegun);
  preparing.set(options.dataDir, place);
  await Promise.race([begun, place]).catch(() => undefined);
}

async function prepare(
  { dataDir, note, shelter = '/var/lib', isTenant: isOthers = () => false, ...choice }: EmbeddedOptions,
  onBegun?: () => void,
): Promise<ClusterPlace> {
  // The server is watched by a shell at a named pipe.
  if (process.platform === 'win32')
    throw new Error('There is no embedded database on Windows: set DATABASE_URL.');
  const isTenant = (uid: number) => isNobody(uid) || isOthers(uid);
  const account = chooseDatabaseAccount(resolve(dataDir, 'postgres', 'cluster'), isTenant);
  const home = await openHome(dataDir, account, { isTenant, shelter, note });
  const major = readMajorVersion(home);
  const binDir = await findBinaries({ ...choice, home, account, major, note });
  if (!major) await createCluster(home, binDir, { account, maker: chooseMaker(account, isTenant) }, onBegun);
  await makeLifeline(join(home, 'lifeline'), account);
  return { home, binDir, account, password: readPassword(home) };
}

/** A long start (recovery after a crash, a slow disk) must not look like a hanging one. */
async function attachAloud(place: ClusterPlace, note: (message: string) => void): Promise<Attachment> {
  const message = `The embedded database is still starting; its log is ${join(place.home, 'server.log')}.`;
  const slow = setTimeout(note, SLOW_MS, message);
  return attach(place).finally(() => clearTimeout(slow));
}

async function createDatabase({ watch }: Attachment): Promise<void> {
  const { rowCount } = await watch.query('select from pg_database where datname = $1', [NAME]);
  if (rowCount) return;
  await watch.query(`create database ${NAME}`).catch((error: unknown) => {
    // Another broker that started at the same moment created it.
    if (!['42P04', '23505'].includes(codeOf(error))) throw error;
  });
}
