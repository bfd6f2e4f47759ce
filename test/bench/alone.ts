/** How fast this broker is on the machine at hand, as ratios to what it stands on, measured in the same run. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { resolveDatabase } from '../../src/database/resolve.ts';
import { compareLives } from './compare.ts';
import { askOnce, measureLoad, requestText } from './load.ts';
import { measureCommits, measureFetches, measureLives, mutationsOfLife } from './lifecycles.ts';
import {
  freePort,
  login,
  residentMemory,
  startBroker,
  startInMemoryBroker,
  startRawServer,
  stop,
  type Running,
} from './programs.ts';
import { whyNoCluster } from '../support/cluster/binaries.ts';
import { whyNoEngine } from '../support/container-engine.ts';
import { measureCluster } from './clusters.ts';
import { measureContainers } from './containers.ts';
import { hasRedis, measureBare, measureMade } from './processes.ts';
import { measureQueue } from './queue.ts';
import { measureTakeover } from './takeover.ts';
import { measureWebhooks } from './webhooks.ts';
import { milliseconds, perSecond, ratio, table } from './table.ts';

const roundMs = 3000;
const rows: string[][] = [['what', 'measured', 'against', 'ratio', 'aim']];

const directory = mkdtempSync(join(tmpdir(), 'purveyor-bench-'));
chmodSync(directory, 0o755);
const note = () => undefined;
const first = await startBroker(await freePort(), { DATA_DIR: join(directory, 'first') });
rows.push(['first start to first answer', milliseconds(first.startMs), 'database made too', '', '']);
await stop(first);
const again = await startBroker(first.port, { DATA_DIR: join(directory, 'first') });
rows.push(['later start to first answer', milliseconds(again.startMs), '', '', '']);
rows.push(['memory at rest', `${residentMemory(again)?.now} MB`, 'without the database', '', '']);
if (hasRedis()) await benchRedis(again);
await stop(again);

const database = await resolveDatabase({ dataDir: join(directory, 'shared'), note });
const { connectionString = '' } = database.pool;
const env = {
  DATABASE_URL: connectionString,
  DATABASE_POOL: '16',
  ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 7).toString('base64')}`,
};
const broker = await startBroker(first.port, env);
await benchCatalog(broker);
await benchLives(broker);
await benchBesideMemory(broker);
await benchWebhooks(broker);
await benchPolls(broker);
rows.push(['memory under all of this', `${residentMemory(broker)?.most} MB`, 'without the database', '', '']);
await stop(broker);
await benchTakeover();
const waits = await measureQueue({ ...database.pool, max: 16 });
const half = waits[Math.floor(waits.length / 2)] ?? NaN;
const most = waits[Math.floor(waits.length * 0.99)] ?? NaN;
rows.push(['queued operation to its first step, p50', milliseconds(half), '', '', 'under 5 ms']);
rows.push(['the same, p99', milliseconds(most), '', '', '']);
await database.stop();
await benchEngines();
rmSync(directory, { recursive: true, force: true });
console.log(table(rows));

async function benchCatalog({ port }: Running): Promise<void> {
  const request = requestText({ method: 'GET', path: '/v2/catalog', login });
  const answer = await askOnce(port, request, 200);
  const file = join(directory, 'catalog.json');
  writeFileSync(file, answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1');
  const raw = await startRawServer(file);
  for (const connections of [1, 50]) {
    const load = { connections, milliseconds: roundMs, request: () => request };
    // Warmed up first, then in turns, so that a noisy moment hits both.
    for (const one of [port, raw.port]) await measureLoad({ ...load, port: one, milliseconds: 1000 });
    const ours = await measureLoad({ ...load, port });
    const theirs = await measureLoad({ ...load, port: raw.port });
    rows.push([
      `GET /v2/catalog, ${connections} connections`,
      perSecond(ours),
      `${perSecond(theirs)} raw node:http`,
      ratio(ours, theirs),
      '0.6',
    ]);
  }
  await stop(raw);
}

async function benchRedis({ port }: Running): Promise<void> {
  await measureMade(port, login, 1);
  for (const count of [1, 50]) {
    const bare = await measureBare(directory, count);
    const made = await measureMade(port, login, count);
    rows.push([
      `redis instances, ${count} at once`,
      milliseconds(made),
      `${milliseconds(bare)} the bare program`,
      ratio(made, bare),
      count === 1 ? 'under a second' : 'not much longer',
    ]);
  }
}

/** Instances on engines that are there, against what their own programs take for the same. */
async function benchEngines(): Promise<void> {
  const parts = [
    ['an instance in a cluster', whyNoCluster(), 'kubectl apply and wait', measureCluster],
    ['an instance in a container', whyNoEngine(), 'docker run', measureContainers],
  ] as const;
  for (const [what, why, against, measure] of parts) {
    if (why !== undefined) rows.push([what, `not measured: ${why}`, '', '', '']);
    else {
      const [made, theirs] = await measure(directory, 7);
      rows.push([what, milliseconds(made), `${milliseconds(theirs)} ${against}`, ratio(made, theirs), '1.2']);
    }
  }
}

async function benchLives({ port }: Running): Promise<void> {
  const pool = new Pool({ ...database.pool, max: 16 });
  for (const concurrency of [1, 16]) {
    await measureLives(port, login, concurrency, 1000);
    const fetches = await measureFetches(port, login, concurrency, roundMs);
    const commits = await measureCommits(pool, concurrency, roundMs);
    const before = await transactions(pool);
    const lives = await measureLives(port, login, concurrency, roundMs);
    const mutations = lives * mutationsOfLife;
    const written = (await transactions(pool)) - before;
    rows.push([
      `lives of echo instances, ${concurrency} at once`,
      `${perSecond(lives)} (${perSecond(mutations)} mutations)`,
      `${perSecond(commits)} single-row commits`,
      ratio(mutations, commits),
      '',
    ]);
    rows.push([
      `a mutation beyond a fetch, ${concurrency} at once`,
      milliseconds((1 / mutations - 1 / fetches) * concurrency * 1000),
      `${milliseconds((1 / commits) * concurrency * 1000)} a commit`,
      ratio(1 / mutations - 1 / fetches, 1 / commits),
      '1 to 2 commits',
    ]);
    rows.push([
      `commits that write, ${concurrency} at once`,
      `${written}`,
      `${Math.round((mutations * roundMs) / 1000)} mutations`,
      ratio(written, (mutations * roundMs) / 1000),
      '',
    ]);
  }
  await pool.end();
}

/** Transactions of this server that have written, so far; asking is one of them. */
async function transactions(pool: Pool): Promise<number> {
  const { rows: found } = await pool.query<{ count: string }>('select pg_current_xact_id()::text as count');
  return Number(found[0]?.count);
}

async function benchTakeover(): Promise<void> {
  const waits = await measureTakeover(env, directory);
  rows.push([
    'take-over after kill -9',
    `${milliseconds(waits.at(0) ?? NaN)} to ${milliseconds(waits.at(-1) ?? NaN)}`,
    'a lease of 15 s',
    ratio(waits.at(-1) ?? NaN, 15_000),
    '',
  ]);
}

async function benchWebhooks(untold: Running): Promise<void> {
  for (const cost of await measureWebhooks(untold, { env, directory, ms: 2 * roundMs }))
    rows.push([
      `whole lives told by webhooks, ${cost.concurrency} at once`,
      `${perSecond(cost.told)} (${milliseconds(cost.ms)} more an operation)`,
      `${perSecond(cost.untold)} untold`,
      ratio(cost.told, cost.untold),
      '',
    ]);
}

async function benchBesideMemory(ours: Running): Promise<void> {
  const memory = await startInMemoryBroker();
  const peer = { url: `http://127.0.0.1:${memory.port}`, login };
  for (const { concurrency, here, there } of (await compareLives(ours, peer, roundMs)).rows) {
    rows.push([
      `whole lives, ${concurrency} at once, connections kept`,
      perSecond(here),
      `${perSecond(there)} a broker in memory`,
      ratio(here, there),
      concurrency === 16 ? '1' : '',
    ]);
  }
  await stop(memory);
}

async function benchPolls({ port }: Running): Promise<void> {
  const path = '/v2/service_instances/polled';
  const body = { service_id: 'echo_service', plan_id: 'big_0001', organization_guid: 'o', space_guid: 's' };
  await askOnce(port, requestText({ method: 'PUT', path, login, body }), 201);
  const request = requestText({ method: 'GET', path: `${path}/last_operation`, login });
  const pool = new Pool({ ...database.pool, max: 16 });
  const polls = await measureLoad({ port, connections: 16, milliseconds: roundMs, request: () => request });
  const reads = await measureReads(pool);
  await pool.end();
  rows.push([
    'last_operation polls, 16 at once',
    perSecond(polls),
    `${perSecond(reads)} single-row reads`,
    ratio(polls, reads),
    '',
  ]);
}

async function measureReads(pool: Pool): Promise<number> {
  const end = performance.now() + roundMs;
  let count = 0;
  const read = async () => {
    while (performance.now() < end) {
      await pool.query('select * from operations where id = $1', ['none']);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, read));
  return count / (roundMs / 1000);
}
