import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { faultsIn } from './faults.ts';
import { runSoak, type Look } from './run.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

test('A broker that makes and removes again and again holds no more for it.', async () => {
  const report = await runSoak(database, { seed: 14, time: 40_000 });
  expect(faultsIn(report.looks)).toEqual([]);
  expect(report.lives).toBeGreaterThan(4);
});

const look: Look = { done: 0, memory: 1e8, handles: 20, descriptors: 40, connections: 11, files: 9, rows: 0 };
const looksWith = (change: (at: number) => Partial<Look>): readonly Look[] =>
  Array.from({ length: 15 }, (_, at) => ({ ...look, done: at * 100, ...change(at) }));

test.each<[what: string, change: (at: number) => Partial<Look>, sentence: RegExp]>([
  ['memory', (at) => ({ memory: 1e8 + at * 2e6 }), /Memory has risen by 14 %/],
  ['handles', (at) => ({ handles: 20 + at * 5 }), /handles/],
  ['descriptors', (at) => ({ descriptors: 40 + at * 5 }), /descriptors/],
  ['connections', (at) => ({ connections: 11 + at * 3 }), /connections/],
  ['files', (at) => ({ files: 9 + at * 4 }), /files/],
  ['an instance', (at) => ({ rows: at === 3 ? 1 : 0 }), /1 instances and bindings/],
])('What is left behind is found: %s.', (_what, change, sentence) => {
  expect(faultsIn(looksWith(change)).join()).toMatch(sentence);
  expect(faultsIn(looksWith(() => ({})))).toEqual([]);
});
