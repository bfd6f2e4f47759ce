import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbedded } from '../../src/database/embedded.ts';
import { openTestDatabase, openWholeDatabase } from '../support/database.ts';
import { aTestPooler, whyNoPooler } from '../support/pooler.ts';
import { openStatementGate } from './statement-gate.ts';

/** A database that can go away and come back. */
export interface Fragile {
  /** For brokers, in a schema of their own. */
  readonly url: string;
  readonly schema: string;
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** Asks it, beside the brokers. */
  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

/** The ways in which databases go away, as clauses, and a database for each. */
export const outages: readonly (readonly [how: string, open: (scratch: string) => Promise<Fragile>])[] = [
  ['is shut down', openStoppable],
  ['takes no connections', openClosable],
  ['cannot be reached', openUnreachable],
  ...(whyNoPooler() === undefined ? [['is behind a pooler that is killed', openPooled] as const] : []),
];

/** A Postgres of its own. */
async function openStoppable(scratch: string): Promise<Fragile> {
  const dataDir = join(scratch, 'postgres');
  mkdirSync(dataDir);
  // Run by root, the database has another user, who must get in.
  for (const directory of [scratch, dataDir]) chmodSync(directory, 0o755);
  const start = () => startEmbedded({ dataDir, note: () => undefined });
  let running = await start();
  return {
    url: running.url,
    schema: 'public',
    goAway: () => running.stop(),
    comeBack: async () => void (running = await start()),
    query: (text) => ask(running.url, text),
    close: () => running.stop(),
  };
}

/** As an operator shuts one for maintenance. */
async function openClosable(): Promise<Fragile> {
  const database = await openWholeDatabase();
  const { url, name, beside } = database;
  const allow = (yes: boolean) => beside.query(`alter database ${name} allow_connections ${yes}`);
  return {
    url,
    schema: 'public',
    async goAway() {
      await allow(false);
      await beside.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
    },
    comeBack: async () => void (await allow(true)),
    query: (text) => ask(url, text),
    close: () => database.close(),
  };
}

/** With a session for each connection, as without a pooler. */
async function openPooled(): Promise<Fragile> {
  const database = await openWholeDatabase();
  const pooler = await aTestPooler(database.url, {
    pool_mode: 'session',
    default_pool_size: 50,
    ignore_startup_parameters: 'options',
  });
  return {
    url: pooler.url,
    schema: 'public',
    goAway: () => pooler.kill(),
    comeBack: () => pooler.start(),
    query: (text) => ask(database.url, text),
    async close() {
      await pooler.kill();
      await database.close();
    },
  };
}

async function openUnreachable(): Promise<Fragile> {
  const database = await openTestDatabase();
  const gate = await openStatementGate(database.config);
  return {
    url: gate.url,
    schema: database.schema,
    goAway: async () => gate.shut(),
    comeBack: async () => gate.open(),
    query: async (text) => (await database.pool.query<Record<string, unknown>>(text)).rows,
    async close() {
      await gate.close();
      await database.close();
    },
  };
}

async function ask(url: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client(url);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
