/**
 * `npm run chaos -- [--seed N] [--count LIVES] [--time SECONDS]`: three brokers on one Postgres to which everything
 * happens. With `--engines`, two of them with a real cluster and a real container engine, and so many operations. Ends
 * with 1 where something is not as the platform believes.
 */
import { parseArgs } from 'node:util';
import setUp from '../support/global-setup.ts';
import tearDown from '../support/global-teardown.ts';
import { whyNoCluster } from '../support/cluster/binaries.ts';
import { whyNoEngine } from '../support/container-engine.ts';
import { openEngines } from './engines/open-engines.ts';
import { runEngines } from './engines/run.ts';
import { type ChaosReport, runChaos } from './run.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { seed: text, count: text, time: text, engines: { type: 'boolean' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const { engines: withEngines = false } = values;
const count = Number(values.count ?? (withEngines ? 500 : 2000));
const time = Number(values.time ?? (withEngines ? 1200 : 120)) * 1000;
console.log(
  `seed ${seed}, ${count} ${withEngines ? 'operations' : 'lives'} at most, ${time / 1000} s at most, and then until all is quiet`,
);

await setUp();
const { counts, kept, struck, faults } = await (withEngines ? inEngines() : runChaos({ seed, count, time }));
await tearDown();

for (const [name, number] of Object.entries({ ...counts, kept, ...struck }))
  console.log(`${number}  ${name}`);
console.log(faults.length === 0 ? 'no fault' : faults.join('\n\n'));
process.exitCode = faults.length === 0 ? 0 : 1;

async function inEngines(): Promise<ChaosReport> {
  const why = whyNoCluster() ?? whyNoEngine();
  if (why !== undefined) throw new Error(`There can be no engines: ${why}.`);
  const engines = await openEngines();
  return runEngines(engines, { seed, count, time }).finally(() => engines.close());
}
