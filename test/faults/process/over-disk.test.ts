// Instances that take more of the disk than their plans allow, as their operator, platform and neighbours see it.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyIn } from '../../support/instance-key.ts';
import { until } from '../../support/until.ts';
import { common, planOf } from './offerings.ts';
import {
  openOneNode,
  pathOf,
  processesOf,
  type Bought,
  type Details,
  type Maker,
  type OneNode,
} from './one-node.ts';

/** Makes so many files of a quarter of a megabyte as somebody writes into `fill`. */
const filling = (onEnd: string) => `const fs = require('node:fs');
process.on('SIGTERM', () => { ${onEnd} });
setInterval(() => {
  if (!fs.existsSync('fill')) return;
  const count = Number(fs.readFileSync('fill', 'utf8'));
  if (count > 0) fs.rmSync('fill');
  for (let n = 0; n < count; n += 1) fs.writeFileSync('part-' + n, Buffer.alloc(262144, 'x'));
}, 50);`;
const server = (onEnd: string) => ({
  server: { run: [process.execPath, '-e', filling(onEnd)], ready: { command: ['/bin/true'] } },
});
const offering = (name: string, onEnd: string, more: object = {}) => ({
  ...common(name, [
    { ...planOf(name, 'small'), limits: { disk: '8MB' } },
    { ...planOf(name, 'large'), limits: { disk: '24MB' } },
  ]),
  monitor: { every: '1s', restart: 3, within: '10m' },
  config: { processes: server(onEnd) },
  credentials: { name: '{{instance.key}}' },
  ...more,
});

const env = { NODE_PORTS: '22400-22499' };
const store: Bought = { offering: 'store', plan: 'small' };
const slow: Bought = { offering: 'slow', plan: 'small' };
const own = (name: string) => `${name}-${process.pid}`;
let oneNode: OneNode;
let broker: Maker;
beforeAll(async () => {
  oneNode = await openOneNode([
    offering('store', "fs.writeFileSync('ended', 'by SIGTERM'); process.exit(0);"),
    offering('slow', '', { timeouts: { stop: '3s', halt: '5s' } }),
  ]);
  broker = await oneNode.start(env);
});
afterAll(() => oneNode.close());

const dataOf = (id: string) => {
  const kept = join(oneNode.directory, 'process');
  return join(kept, keyIn(kept, id), 'data');
};
/** @param quarters of megabytes, in files of which those before are written anew */
const fill = (id: string, quarters: number) => writeFileSync(join(dataOf(id), 'fill'), String(quarters));

async function make(id: string, of = store): Promise<Details> {
  expect((await broker.provision(id, of)).status).toBe(201);
  return shown(id, 'started');
}

async function settled(id: string, kind: string): Promise<Details> {
  return until(`the last operation of ${id} is a ${kind} that has ended`, async () => {
    const seen = await broker.details(id);
    const [last] = seen.operations;
    return last?.kind === kind && (last.state === 'failed' || last.state === 'succeeded') && seen;
  });
}

/** Waits until the operator sees it: a busy machine takes its time to measure and to start. */
async function shown(id: string, status: string): Promise<Details> {
  return until(
    `${id} is ${status}`,
    async () => {
      const seen = await broker.details(id);
      return seen.status === status && seen.checked_at !== undefined && seen;
    },
    40_000,
  );
}

const overSmall =
  /^it takes \d+ MB on the disk, and its plan allows 8 MB: it does not run until it takes less, or has a larger plan$/;
const refusal = (megabytes: number) =>
  expect.stringMatching(
    new RegExp(
      `^The instance takes \\d+ MB on the disk, and its plan allows ${megabytes} MB. Choose a larger plan, or try again when it takes less.`,
    ),
  ) as string;

test('An instance that takes more of the disk than its plan allows is ended with figures, is not started, and goes on with a larger plan.', async () => {
  const [id, beside] = [own('full'), own('beside')];
  await make(id);
  const neighbour = await make(beside);
  expect((await broker.bind(id, store, 'before')).status).toBe(201);
  fill(id, 40);
  expect((await shown(id, 'error')).reason).toMatch(overSmall);
  await until('nothing of it runs', () => processesOf(id).length === 0);
  expect(oneNode.read(id, 'ended')).toBe('by SIGTERM');
  const ended = await settled(id, 'restart');
  expect(ended.operations[0]).toMatchObject({ state: 'failed', failure: { sentence: refusal(8) } });
  const binding = await broker.ask('GET', `${pathOf(id)}/service_bindings/before`);
  expect(binding).toMatchObject({ status: 200, body: { credentials: { name: ended.key } } });

  await broker.operate('POST', `/instances/${id}/actions/start`);
  const refused = await settled(id, 'start');
  expect(refused.operations[0]).toMatchObject({ state: 'failed', failure: { sentence: refusal(8) } });
  expect((await shown(id, 'error')).reason).toMatch(overSmall);
  expect(processesOf(id)).toEqual([]);

  expect((await broker.update(id, store, { plan_id: 'store-large' })).status).toBe(200);
  const again = await shown(id, 'started');
  expect(again.reason).toBe('it runs and answers');
  const smaller = await broker.update(id, store, { plan_id: 'store-small' });
  expect(smaller.status).toBeGreaterThanOrEqual(400);
  expect(smaller.body['description']).toEqual(refusal(8));
  expect((await shown(id, 'started')).units[0]?.pid).toBe(again.units[0]?.pid);
  const { status, units } = await broker.details(beside);
  expect([status, units[0]?.pid]).toEqual(['started', neighbour.units[0]?.pid]);
});

test('An instance near the limit of its disk is warned of in its reason and once in the log, and goes on.', async () => {
  const id = own('near');
  await make(id);
  fill(id, 30);
  const warned = /^it runs and answers; it takes 8 MB on the disk, and its plan allows 8 MB$/;
  const seen = await until('it is warned', async () => {
    const now = await broker.details(id);
    return warned.test(now.reason) && now;
  });
  expect(seen.status).toBe('started');
  await until('it is looked at again', async () => (await broker.details(id)).checked_at !== seen.checked_at);
  const lines = broker.lines().filter((line) => line.message === 'unit near its limit');
  expect(lines).toHaveLength(1);
});

test('An instance that was ended over the limit of its disk is started again when there is room, without being asked for.', async () => {
  const id = own('room');
  await make(id);
  fill(id, 40);
  await shown(id, 'error');
  await until('nothing of it runs', () => processesOf(id).length === 0);
  await settled(id, 'restart');
  for (let n = 0; n < 20; n += 1) rmSync(join(dataOf(id), `part-${n}`));
  expect((await shown(id, 'started')).reason).toBe('it runs and answers');
});

test('A broker that is killed while it ends what is over its disk leaves that to the next, which ends it.', async () => {
  const id = own('killed');
  await make(id, slow);
  fill(id, 40);
  await until('it is being ended', async () => {
    const [last] = (await broker.details(id)).operations;
    return last?.kind === 'restart';
  });
  await broker.kill();
  expect(processesOf(id)).toHaveLength(1);
  broker = await oneNode.start(env);
  expect((await shown(id, 'error')).reason).toMatch(overSmall);
  await until('nothing of it runs', () => processesOf(id).length === 0);
  const ended = await settled(id, 'restart');
  expect(ended.operations[0]).toMatchObject({ state: 'failed', failure: { sentence: refusal(8) } });
});
