import type { Pool } from 'pg';
import { openPool } from '../../postgres/connections.ts';
import { queryThrough } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';
import { readConfig, type Config } from '../../program/config.ts';
import { findDatabase } from '../../program/opening/open-database.ts';
import { presentKeys } from '../../program/opening/secrets.ts';
import { untilAvailable } from '../../program/opening/until-available.ts';
import { shippedMigrations } from '../../program/shipped.ts';
import { openState } from '../../program/state/file.ts';
import { loadState } from '../../program/state/load.ts';
import { saveState } from '../../program/state/save.ts';
import { originOfHere } from '../origin-of-here.ts';
import { printFor } from '../output/print.ts';
import { tellProgress } from '../platform/show.ts';

/** Milliseconds that a database which is away is waited for. */
const patience = 20_000;

/** Gives the exit code. */
export async function save(file: string, json?: true): Promise<number> {
  const { rows: records, ...saved } = await withDatabase(readConfig(), (pool) =>
    saveState(pool, shippedMigrations(), file, createProgress('saved')),
  );
  const keys = saved.keys.map((id) => `'${id}'`).join(', ');
  printFor(
    json,
    { file, records, ...saved },
    `Saved ${records} records in ${file}. Secrets in it lie encrypted${keys && ` under ${keys}`}: it is of no use ` +
      'without the encryption keys (ENCRYPTION_KEYS, or the file encryption-keys in DATA_DIR), so keep them too, ' +
      'elsewhere. What instances hold is not in it.',
  );
  return 0;
}

/** Gives the exit code. */
export async function load(
  file: string,
  { replace, json }: { readonly replace: boolean; readonly json?: true | undefined },
): Promise<number> {
  const config = readConfig();
  // Before a database is made for it.
  const keys = presentKeys(config);
  const state = await openState(file);
  const loading = { keys, replace, origin: originOfHere(), sets: shippedMigrations() };
  const unreadable = await withDatabase(config, (pool) =>
    loadState(pool, state, { ...loading, onProgress: createProgress('loaded') }),
  );
  const { rows: records } = state.sum;
  const { at } = state.heading;
  const rest =
    unreadable > 0 ? ` ${unreadable} of them cannot be read with the encryption keys of here.` : '';
  printFor(
    json,
    { file, records, at, unreadable },
    `Loaded ${records} records, as they were at ${at}.${rest}`,
  );
  return 0;
}

/** One connection, which may take its time. */
async function withDatabase<Result>(config: Config, work: (pool: Pool) => Promise<Result>): Promise<Result> {
  const note = (message: string) => console.error(message);
  const database = await findDatabase({ config, note, hide: () => undefined });
  const pool = openPool({ ...database.pool, application_name: 'purveyor state', keepAlive: true, max: 1 });
  try {
    const onWait = (reason: string) => note(`The database cannot be reached yet, waiting for it: ${reason}`);
    await untilAvailable({ onWait, signal: AbortSignal.timeout(patience) }, () =>
      queryThrough(pool)(sql`select 1`),
    );
    return await work(pool);
  } finally {
    await pool.end();
    await database.stop();
  }
}

/** Tells how far it is, at most once a second. */
function createProgress(done: string): (rows: number) => void {
  let told = performance.now();
  return (rows) => {
    if (performance.now() - told < 1000) return;
    told = performance.now();
    tellProgress(`${rows} records ${done}.`);
  };
}
