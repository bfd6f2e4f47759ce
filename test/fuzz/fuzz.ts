/**
 * `npm run fuzz -- [--seed N] [--count N] [--time SECONDS]`: requests that nobody should send, and offering files that
 * nobody should write. Ends with 1 where it finds a fault, and tells it with what brings it about.
 */
import { parseArgs } from 'node:util';
import setUp from '../support/global-setup.ts';
import tearDown from '../support/global-teardown.ts';
import { openTestDatabase } from '../support/database.ts';
import { fuzzCatalogs } from './catalogs.ts';
import { fuzzSequence } from './sequence.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { seed: text, count: text, time: text } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const count = Number(values.count ?? 20_000);
const time = Number(values.time ?? 300) * 1000;
console.log(
  `seed ${seed}, ${count} requests and ${Math.ceil(count / 10)} files at most, ${time / 1000} s at most`,
);

await setUp();
const database = await openTestDatabase();
const requests = await fuzzSequence(database, { seed, count, time: (time * 3) / 4 });
await database.close();
const files = await fuzzCatalogs({ seed, count: Math.ceil(count / 10), time: time / 4 });
await tearDown();

const faults = [...requests.faults, ...files.faults];
console.log(`${requests.requests} requests: ${JSON.stringify(requests.statuses)}`);
console.log(`${files.files} offering files, of which ${files.loaded} were still right`);
console.log(faults.length === 0 ? 'no fault' : faults.join('\n\n'));
process.exitCode = faults.length === 0 ? 0 : 1;
