import { openTestDatabase } from '../support/database.ts';
import { fuzzCatalogs } from './catalogs.ts';
import { fuzzSequence } from './sequence.ts';

/** `npm run fuzz` takes others, and far more. */
const seed = 20_261_129;

test('A broker answers requests with something wrong in them without an outage, a leak or a changed row.', async () => {
  const database = await openTestDatabase();
  const { requests, statuses, faults } = await fuzzSequence(database, { seed, count: 1200, time: 15_000 });
  await database.close();
  expect(faults).toEqual([]);
  expect(requests).toBeGreaterThan(10);
  expect(Object.keys(statuses)).toEqual(expect.arrayContaining(['200', '404']));
});

test('Offering files with something wrong in them are loaded, or refused with a reason.', async () => {
  const { files, faults } = await fuzzCatalogs({ seed, count: 100, time: 5000 });
  expect(faults).toEqual([]);
  expect(files).toBeGreaterThan(3);
});
