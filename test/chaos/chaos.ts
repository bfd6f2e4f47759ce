/**
 * `npm run chaos -- [--seed N] [--count LIVES] [--time SECONDS]`: three brokers on one Postgres to which everything
 * happens. Ends with 1 where something is not as the platform believes.
 */
import { parseArgs } from 'node:util';
import setUp from '../support/global-setup.ts';
import tearDown from '../support/global-teardown.ts';
import { runChaos } from './run.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { seed: text, count: text, time: text } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const count = Number(values.count ?? 2000);
const time = Number(values.time ?? 120) * 1000;
console.log(`seed ${seed}, ${count} lives at most, ${time / 1000} s at most, and then until all is quiet`);

await setUp();
const { counts, kept, struck, faults } = await runChaos({ seed, count, time });
await tearDown();

for (const [name, number] of Object.entries({ ...counts, kept, ...struck }))
  console.log(`${number}  ${name}`);
console.log(faults.length === 0 ? 'no fault' : faults.join('\n\n'));
process.exitCode = faults.length === 0 ? 0 : 1;
