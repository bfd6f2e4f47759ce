// A Postgres as it is shipped, filled with so many instances, and brokers as `npm start` runs them.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { startEmbedded } from '../../src/database/embedded.ts';
import { openPool } from '../../src/postgres/connections.ts';
import { readKeys } from '../../src/stores/keyring.ts';
import { freePort, login, startBroker, stop, type Running } from '../bench/programs.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { writeOfferings } from './offerings.ts';
import type { Asker } from './tour.ts';
import { fillWorld } from './world.ts';

export interface Place {
  readonly count: number;
  readonly url: string;
  readonly pool: Pool;
  readonly keys: string;
  /** Of its tables and indexes, as people read it. */
  readonly size: string;
  readonly filledMs: number;
  start(name: string): Promise<PlacedBroker>;
  close(): Promise<void>;
}

export interface PlacedBroker {
  readonly asker: Asker;
  /** Until its first answer. */
  readonly startMs: number;
  stop(): Promise<void>;
}

const operatorPassword = 'an-operator-of-scale';

export async function openPlace(count: number): Promise<Place> {
  const scratch = scratchDirectory('scale');
  const dataDir = join(scratch, 'database');
  mkdirSync(dataDir);
  for (const directory of [scratch, dataDir]) chmodSync(directory, 0o755);
  const { url, stop: stopDatabase } = await startEmbedded({ dataDir, note: () => undefined });
  const keys = `scale:${randomBytes(32).toString('base64')}`;
  const env = {
    DATABASE_URL: url,
    CATALOG_DIR: writeOfferings(scratch),
    ENCRYPTION_KEYS: keys,
    OPERATOR_PASSWORD: operatorPassword,
    ALLOW_UNISOLATED: 'true',
  };
  const running = new Set<Running>();
  async function start(name: string): Promise<PlacedBroker> {
    const own = { DATA_DIR: join(scratch, name), NODE_NAME: name, NODE_DIR: join(scratch, name, 'node') };
    const broker = await startBroker(await freePort(), { ...env, ...own });
    running.add(broker);
    return {
      asker: askerOf(broker),
      startMs: broker.startMs,
      async stop() {
        running.delete(broker);
        await stop(broker);
      },
    };
  }
  // It makes the tables, and writes down the plans.
  await (await start('first')).stop();
  const begun = performance.now();
  const size = await fill(url, count, keys);
  const pool = openPool({ connectionString: url });
  return {
    count,
    url,
    pool,
    keys,
    size,
    filledMs: performance.now() - begun,
    start,
    async close() {
      await Promise.all([...running].map(stop));
      await pool.end();
      await stopDatabase();
    },
  };
}

async function fill(url: string, count: number, keys: string): Promise<string> {
  // Nobody loses anything by it: who fills a world begins anew.
  const pool = openPool({ connectionString: url, options: '-c synchronous_commit=off' });
  await fillWorld(pool, count, readKeys(keys));
  const { rows } = await pool.query<{ size: string }>(
    'select pg_size_pretty(pg_database_size(current_database())) as size',
  );
  // What is still to be written would be written while others are measured.
  await pool.query('checkpoint');
  await pool.end();
  return rows[0]?.size ?? '';
}

function askerOf({ port }: Running): Asker {
  return {
    url: `http://127.0.0.1:${port}`,
    logins: { platform: login, operator: `operator:${operatorPassword}` },
  };
}
