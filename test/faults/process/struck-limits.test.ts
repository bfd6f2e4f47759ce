// Instances that take more than their plans allow, as their operator and their neighbours see it.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findExecutable } from '../../../src/system/executables.ts';
import { openLimits } from '../../../src/system/limits/open-limits.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { keyIn } from '../../support/instance-key.ts';
import { until } from '../../support/until.ts';
import { common, light, planOf } from './offerings.ts';
import { openOneNode, type Bought, type Details, type Maker, type OneNode } from './one-node.ts';

const { groups } = await openLimits('probe', '/', join(scratchDirectory('probe'), 'groups.json'), false);
const isThere = findExecutable(process.env['PATH'] ?? '', 'redis-server') !== undefined;
const testGroups = groups ? test : test.skip;
const testRedis = groups && isThere ? test : test.skip;

const monitor = { every: '1s', restart: 3, within: '10m' };
const own = (name: string) => `${name}-${process.pid}`;
const caches: Bought = { offering: 'cache', plan: 'small' };
const forks: Bought = { offering: 'forks', plan: 'small' };
/** Begins more than it may, again and again, as long as there is the file; and goes on all the same. */
const forking = `const { existsSync } = require('node:fs'); const { spawn } = require('node:child_process');
setInterval(() => { if (existsSync('more')) spawn('sleep', ['5']).on('error', () => undefined); }, 100);`;

let oneNode: OneNode;
let broker: Maker;
beforeAll(async () => {
  oneNode = await openOneNode([
    light('cache', { monitor, limits: { memory: '32MB' } }),
    {
      ...common('forks', [planOf('forks', 'small')]),
      monitor,
      limits: { pids: 24 },
      config: {
        processes: {
          server: { run: [process.execPath, '-e', forking], ready: { command: ['/bin/true'] } },
        },
      },
      credentials: { name: '{{instance.key}}' },
    },
  ]);
  broker = await oneNode.start({ NODE_PORTS: '22300-22399' });
});
afterAll(() => oneNode.close());

/** Says a line to a Redis, which may end of it; gives what it answered. */
async function tell({ addresses: [at = ''] }: Details, line: string): Promise<string> {
  const [host, port] = at.split(':');
  const socket = connect({ host, port: Number(port) });
  let told = '';
  socket.setEncoding('utf8').on('error', () => undefined);
  socket.on('data', (text: string) => socket.end(void (told += text)));
  socket.write(`${line}\r\n`);
  await once(socket, 'close');
  return told;
}

testRedis(
  'A Redis that is ended for want of memory says so with figures, is started again, and its neighbour goes on.',
  async () => {
    const [greedy, beside] = [own('greedy'), own('beside')];
    for (const id of [greedy, beside]) expect((await broker.provision(id, caches)).status).toBe(201);
    const [first, neighbour] = [await broker.shows(greedy, 'started'), await broker.shows(beside, 'started')];
    await tell(neighbour, 'SET kept 1');
    await tell(first, 'EVAL "return string.rep(\'x\', 200000000)" 0');
    const dead = await broker.shows(greedy, 'error');
    expect(dead.reason).toBe('it was ended for want of memory, of which its plan allows 32 MB');
    const again = await broker.shows(greedy, 'started');
    expect(again.reason).toMatch(
      /^it runs and answers; for want of memory, of which its plan allows 32 MB, 1 of its processes was ended since 20\S+Z$/,
    );
    expect(again.operations[0]).toMatchObject({ kind: 'restart', state: 'succeeded' });
    expect(await tell(neighbour, 'GET kept')).toContain('1');
    const { reason, units } = await broker.details(beside);
    expect(reason).toBe('it runs and answers');
    expect(units[0]?.pid).toBe(neighbour.units[0]?.pid);

    await broker.kill();
    broker = await oneNode.start({ NODE_PORTS: '22300-22399' });
    const { checked_at: before } = again;
    const later = await until('the next broker has looked', async () => {
      const seen = await broker.details(greedy);
      return seen.checked_at !== before && seen;
    });
    expect(later).toMatchObject({ status: 'started', reason: again.reason });
  },
);

testGroups(
  'An instance that begins more processes than its plan allows is an error with figures while it lives.',
  async () => {
    const id = own('forking');
    expect((await broker.provision(id, forks)).status).toBe(201);
    const { units } = await broker.shows(id, 'started');
    const kept = join(oneNode.directory, 'process');
    writeFileSync(join(kept, keyIn(kept, id), 'data', 'more'), '');
    const seen = await broker.shows(id, 'error');
    expect(seen.reason).toMatch(
      /^its plan allows 24 processes and threads, and \d+ more (was|were) refused since 20\S+Z$/,
    );
    expect(seen.units[0]?.pid).toBe(units[0]?.pid);
  },
);
