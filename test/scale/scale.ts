/**
 * `npm run scale -- [--instances N] [--seed N] [--seconds N]`: what everything costs where there are so many instances,
 * beside a thousand, in turns. Nothing new is measured after so many seconds.
 */
import { parseArgs } from 'node:util';
import { table } from '../bench/table.ts';
import setUp from '../support/global-setup.ts';
import tearDown from '../support/global-teardown.ts';
import { measureAll } from './measure.ts';
import { openPlace } from './place.ts';
import { rowsOf } from './samples.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { seed: text, instances: text, seconds: text } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
const count = Number(values.instances ?? 100_000);
const seconds = Number(values.seconds ?? 1800);
console.log(`seed ${seed}, ${count} instances beside 1000, ${seconds} s at most`);

await setUp();
const end = performance.now() + seconds * 1000;
const few = await openPlace(1000);
const many = await openPlace(count);
try {
  console.log(`filled: ${few.size} and ${many.size} of tables, ${Math.round(many.filledMs / 1000)} s`);
  console.log(table(rowsOf(await measureAll([few, many], { seed, end }))));
} finally {
  await few.close();
  await many.close();
  await tearDown();
}
