import { randomUUID } from 'node:crypto';
import type { ClientConfig, Pool } from 'pg';
import { openPool } from '../../src/postgres/connections.ts';

export interface TestDatabase {
  readonly pool: Pool;
  /** For connections beside the pool, in the same schema. */
  readonly config: ClientConfig;
  readonly schema: string;
  close(): Promise<void>;
}

/** A schema of its own on the test run's Postgres, empty; one for each test file. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const connectionString = process.env['PURVEYOR_TEST_DATABASE'];
  if (!connectionString) throw new Error('No test database: is the global set-up of jest in use?');
  const schema = `test_${randomUUID().replaceAll('-', '')}`;
  const config = { connectionString, options: `-c search_path=${schema}` };
  const pool = openPool(config);
  await pool.query(`create schema ${schema}`);
  return {
    pool,
    config,
    schema,
    async close() {
      await pool.query(`drop schema ${schema} cascade`);
      await pool.end();
    },
  };
}
