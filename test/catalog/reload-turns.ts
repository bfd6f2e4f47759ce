/** A program of its own, for what runs tests compiles modules while they run: the longest turns of two reloads, in ms. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createReload } from '../../src/catalog/reload.ts';
import { traits } from './folder.ts';

const [directory = ''] = process.argv.slice(2);
const reload = createReload([directory], traits);
const first = await longestTurn();
const file = join(directory, 'alike.json');
writeFileSync(file, readFileSync(file, 'utf8').replace('alike-7"', 'renamed"'));
console.log(JSON.stringify({ first, second: await longestTurn() }));

/** The most processor time that this thread gave to one turn, whatever else the machine does meanwhile. */
async function longestTurn(): Promise<number> {
  let isOver = false;
  let longest = 0;
  const watch = (async () => {
    while (!isOver) {
      const before = process.threadCpuUsage();
      await turn();
      const { user, system } = process.threadCpuUsage(before);
      longest = Math.max(longest, (user + system) / 1000);
    }
  })();
  const { catalog } = await reload().finally(() => (isOver = true));
  await watch;
  if (!catalog) throw new Error('The catalog has errors.');
  return longest;
}
