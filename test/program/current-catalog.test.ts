import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCurrentCatalog } from '../../src/program/current-catalog.ts';

test('A catalog without any offering is told of as a warning: it is hardly meant.', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'purveyor-empty-'));
  const told: unknown[] = [];
  const log = {
    note: (...line: unknown[]) => void told.push(line),
  };
  const current = await openCurrentCatalog([directory], {}, log);
  rmSync(directory, { recursive: true });
  expect(current.catalog().offerings).toEqual([]);
  expect(told).toContainEqual(['warn', 'the catalog is empty: there are no offering files in CATALOG_DIR']);
});
