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

export interface WholeDatabase {
  readonly url: string;
  readonly name: string;
  /** Of the same server, outside of it. */
  readonly beside: Pool;
  close(): Promise<void>;
}

/** A database of its own on the test run's Postgres, empty. */
export async function openWholeDatabase(): Promise<WholeDatabase> {
  const test = await openTestDatabase();
  const { pool: beside, config } = test;
  const name = `whole_${randomUUID().replaceAll('-', '')}`;
  await beside.query(`create database ${name}`);
  return {
    url: String(config.connectionString).replace(/\/[^/?]*(?=\?|$)/, `/${name}`),
    name,
    beside,
    async close() {
      await beside.query(`drop database ${name} (force)`);
      await test.close();
    },
  };
}
