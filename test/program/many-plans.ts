/** A program of its own: a broker with 5,000 plans, which reloads and serves them; prints its longest turns, in ms. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { compose } from '../../src/program/compose.ts';
import { readConfig } from '../../src/program/config.ts';
import { createLog } from '../../src/telemetry/log.ts';

const config = readConfig();
const program = await compose(config, createLog(config, process.stderr));
await program.ready;
const file = join(config.catalogDirs[0] ?? '', 'offering-7.json');
const address = `${program.introduction.address}/v2/catalog`;
const headers = {
  authorization: `Basic ${Buffer.from('broker:of-many-plans').toString('base64')}`,
  'x-broker-api-version': '2.17',
};
// What is made once, and nobody waits for as long as there is one of before.
await (await fetch(address, { headers })).arrayBuffer();
writeFileSync(file, readFileSync(file, 'utf8').replace('"Number 7"', '"Number 7, changed"'));
const reloaded = await longestTurn(() => program.reload());
const served = await longestTurn(async () => {
  for (let times = 0; times < 20; times++) await (await fetch(address, { headers })).arrayBuffer();
});
const answer = await fetch(address, { headers });
const etag = answer.headers.get('etag') ?? '';
const { status } = await fetch(address, { headers: { ...headers, 'if-none-match': etag } });
const { services } = (await answer.json()) as { services: { description: string; plans: unknown[] }[] };
const plans = services.flatMap((one) => one.plans).length;
const isNew = services.some(({ description }) => description === 'Number 7, changed');
console.log(JSON.stringify({ reloaded, served, plans, isNew, status }));
await program.close(5000);
process.exit();

/** The most processor time that this thread gave to one turn, whatever else the machine does meanwhile. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let isOver = false;
  let most = 0;
  const watch = (async () => {
    while (!isOver) {
      const before = process.threadCpuUsage();
      await turn();
      const { user, system } = process.threadCpuUsage(before);
      most = Math.max(most, (user + system) / 1000);
    }
  })();
  await work().finally(() => (isOver = true));
  await watch;
  return most;
}
