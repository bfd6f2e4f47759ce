import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { startWholeBroker, testPassword, type WholeBroker } from '../support/whole-broker.ts';
import { drive } from './peer.ts';

let database: TestDatabase;
let peer: WholeBroker;
beforeAll(async () => {
  database = await openTestDatabase();
  peer = await startWholeBroker(database);
});
afterAll(async () => {
  await peer.stop();
  await database.close();
});

const bench = join(import.meta.dirname, 'bench.ts');

test('The bench beside a peer tells the lives of both, and their ratio, alone and at sixteen at once.', async () => {
  const words = ['--peer', peer.url, '--user', 'broker', '--pass', testPassword, '--offering', 'echo'];
  const { stdout } = await promisify(execFile)(process.execPath, [bench, ...words, '--seconds', '0.2']);
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toMatch(/^whole lives +echo here +echo \S+ there +ratio$/);
  const [alone, many, ...more] = lines.slice(1).map((line) => line.split(/ {2,}/));
  expect([alone?.[0], many?.[0], more]).toEqual(['1 at once', '16 at once', []]);
  for (const [, here, there, ratio] of [alone ?? [], many ?? []]) {
    expect(parseFloat(here ?? '') / parseFloat(there ?? '')).toBeCloseTo(Number(ratio), 0);
  }
});

test.each([
  ['is done at once', 'echo', undefined],
  ['is accepted and polled', 'trial-timing', 'steps'],
])('A life that %s leaves nothing behind.', async (_what, offering, plan) => {
  const driven = await drive({ url: peer.url, login: `broker:${testPassword}`, offering, plan });
  expect(await driven.measure(2, 1)).toBeGreaterThan(0);
  driven.close();
  const { rows } = await database.pool.query('select id from service_instances');
  expect(rows).toEqual([]);
});

test.each([
  ['a wrong password', { login: 'broker:wrong' }, /GET \/v2\/catalog was answered with 401/],
  ['an unknown plan', { plan: 'no-such' }, /There is no plan no-such of any offering\./],
])('A peer that cannot be driven is told by what it said: %s.', async (_what, wrong, sentence) => {
  await expect(drive({ url: peer.url, login: `broker:${testPassword}`, ...wrong })).rejects.toThrow(sentence);
});
