import { openCurrentCatalog } from '../../src/program/current-catalog.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

test('A catalog without any offering is told of as a warning: it is hardly meant.', async () => {
  const directory = scratchDirectory('empty');
  const told: unknown[] = [];
  const log = {
    note: (...line: unknown[]) => void told.push(line),
  };
  const current = await openCurrentCatalog({ catalogDirs: [directory] }, {}, log);
  expect(current.catalog().offerings).toEqual([]);
  expect(told).toContainEqual(['warn', 'the catalog is empty: there are no offering files in CATALOG_DIR']);
});
