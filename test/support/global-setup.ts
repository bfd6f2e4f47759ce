import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Embedded, startEmbedded } from '../../src/database/embedded.ts';
import { runVariable, scratchDirectory } from './scratch-directory.ts';

declare global {
  /** Handed from the set-up of a whole test run to its tear-down. */
  var testRun: { readonly scratch: string; readonly embedded: Embedded | undefined };
}

/**
 * One directory in which all scratch directories lie, and one real Postgres for the whole run, of the kind a broker
 * without a database brings along. Who has set PURVEYOR_TEST_DATABASE to the address of another one tests with that.
 */
export default async function setUp(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'purveyor-'));
  // Run by root, the database and the instances have other users, who must get in to what is theirs.
  chmodSync(scratch, 0o711);
  process.env[runVariable] = scratch;
  globalThis.testRun = { scratch, embedded: await startDatabase() };
}

async function startDatabase(): Promise<Embedded | undefined> {
  if (process.env['PURVEYOR_TEST_DATABASE']) return undefined;
  const dataDir = scratchDirectory('database');
  chmodSync(dataDir, 0o755);
  const embedded = await startEmbedded({ dataDir, note: () => undefined });
  await hurry(embedded.url);
  process.env['PURVEYOR_TEST_DATABASE'] = embedded.url;
  return embedded;
}

/** What the run writes need not outlive a failure of the machine, so no statement waits for the disk. */
async function hurry(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'])
    await client.query(`alter system set ${setting} = off`);
  await client.query('select pg_reload_conf()');
  await client.end();
}
