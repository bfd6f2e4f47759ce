import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Embedded, startEmbedded } from '../../src/database/embedded.ts';

declare global {
  /** Handed from the set-up of a whole test run to its tear-down. */
  var testServer: { readonly embedded: Embedded; readonly dataDir: string } | undefined;
}

/**
 * One real Postgres for the whole run, of the kind a broker without a database brings along. Who has set
 * PURVEYOR_TEST_DATABASE to the address of another one tests with that.
 */
export default async function setUp(): Promise<void> {
  if (process.env['PURVEYOR_TEST_DATABASE']) return;
  const dataDir = mkdtempSync(join(tmpdir(), 'purveyor-test-'));
  // Run by root, the database has another user, who must get in.
  chmodSync(dataDir, 0o755);
  const embedded = await startEmbedded({ dataDir, note: () => undefined });
  globalThis.testServer = { embedded, dataDir };
  process.env['PURVEYOR_TEST_DATABASE'] = embedded.url;
}
