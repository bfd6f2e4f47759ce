/**
 * `npm run soak -- [--minutes N] [--seed N]`: one broker at half of what it can do, for so long, and what it holds
 * meanwhile. Ends with 1 where that grows.
 */
import { parseArgs } from 'node:util';
import { table } from '../bench/table.ts';
import { openTestDatabase } from '../support/database.ts';
import setUp from '../support/global-setup.ts';
import tearDown from '../support/global-teardown.ts';
import { faultsIn } from './faults.ts';
import { runSoak } from './run.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { seed: text, minutes: text } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const minutes = Number(values.minutes ?? 60);
console.log(`seed ${seed}, ${minutes} minutes`);

await setUp();
const database = await openTestDatabase();
const report = await runSoak(database, { seed, time: minutes * 60_000 });
await database.close();
await tearDown();

const names = ['done', 'memory', 'handles', 'descriptors', 'connections', 'files', 'rows'] as const;
console.log(table([names, ...report.looks.map((look) => names.map((name) => String(look[name])))]));
console.log(`${report.lives} lives in ${report.requests} requests`);
const faults = faultsIn(report.looks);
console.log(faults.length === 0 ? 'no fault' : faults.join('\n'));
process.exitCode = faults.length === 0 ? 0 : 1;
