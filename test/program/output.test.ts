// Output that cannot be written, and output that nobody reads.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { runInGroup, type Running } from '../support/run-program.ts';
import { listen } from '../support/database-gate.ts';
import { call, startedBrokers } from '../support/started-brokers.ts';
import { openTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { environmentOf } from '../faults/broker-process.ts';

const { scratch } = startedBrokers();
const running: Running[] = [];
afterEach(async () => {
  for (const { signal, ended } of running.splice(0)) {
    signal('SIGKILL');
    await ended;
  }
});

/** Runs a line of shell in which `purveyor` is this program. */
function shell(line: string): { code: number | null; output: string; errors: string } {
  const text = `purveyor() { "${process.execPath}" src/start.js "$@"; }\n${line}`;
  const { status, stdout, stderr } = spawnSync('/bin/bash', ['-c', text], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' },
  });
  return { code: status, output: stdout, errors: stderr };
}

const full = 'purveyor: The output cannot be written: its file system is full.\n';

test.each(['--help', '--version', 'config', 'completion bash', 'catalog lint', 'help nodes'])(
  'The command %s ends with code 1 and a sentence when its output cannot be written',
  (command) => {
    expect(shell(`purveyor ${command} >/dev/full`)).toEqual({ code: 1, output: '', errors: full });
  },
);

test.each(['--help', 'config', 'completion bash'])(
  'The command %s ends with code 0 when its reader has read enough',
  (command) => {
    const line = `set -o pipefail; purveyor ${command} | head -1 >/dev/null`;
    expect(shell(line)).toEqual({ code: 0, output: '', errors: '' });
  },
);

test('A command whose errors cannot be written says by its code that it failed', () => {
  expect(shell('purveyor bogus 2>/dev/full')).toEqual({ code: 1, output: '', errors: '' });
  expect(shell('purveyor bogus >/dev/full 2>/dev/full').code).toBe(1);
});

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param line in which `$0 src/start.js` is the program */
async function served(
  name: string,
  line: string,
): Promise<{ broker: Running; address: string; close: () => Promise<void> }> {
  const database = await openTestDatabase();
  const port = await freePort();
  const env = {
    ...environmentOf(name, { database, dataDir: join(scratch, name), catalogDir: 'catalog' }),
    PORT: String(port),
  };
  const broker = runInGroup('/bin/sh', ['-c', line, process.execPath], { ...env, NODE_ROLE: 'false' });
  running.push(broker);
  const address = `http://127.0.0.1:${port}`;
  await until('it serves', async () => (await serves(address)) === 200);
  return { broker, address, close: () => database.close() };
}

async function serves(address: string): Promise<number | undefined> {
  const answer = await call('broker:p', `${address}/v2/catalog`).catch(() => undefined);
  return answer?.status;
}

test.each(['json', 'text'])(
  'A broker serves on whose log cannot be written (%s), and ends in order',
  async (format) => {
    const line = `LOG_FORMAT=${format} exec "$0" src/start.js >/dev/full 2>/dev/full`;
    const { broker, address, close } = await served(`full-${format}`, line);
    for (let count = 0; count < 20; count += 1) expect(await serves(address)).toBe(200);
    broker.signal('SIGTERM');
    expect((await broker.ended).code).toBe(0);
    await close();
  },
);

/** Everybody may mount what only their own programs see, where the system lets them be root among themselves. */
const ownMounts = process.getuid?.() === 0 ? 'unshare -m' : 'unshare -rm';
const canMount = spawnSync('/bin/sh', ['-c', `${ownMounts} mount -t tmpfs none /mnt`]).status === 0;

(canMount ? test : test.skip)(
  'A log on a full disk goes on when there is room again, and says how many lines it lacks',
  async () => {
    const place = join(scratch, 'small');
    mkdirSync(place);
    const mounted = `mount -t tmpfs -o size=4m none "${place}" && exec "$0" src/start.js >"${place}/log"`;
    const { broker, address, close } = await served(
      'small',
      `exec ${ownMounts} /bin/sh -c '${mounted}' "$0"`,
    );
    const seen = join('/proc', String(broker.child.pid), 'root', place);
    const log = () => readFileSync(join(seen, 'log'), 'utf8');
    const filler = join(seen, 'filler');
    expect(() => writeFileSync(filler, Buffer.alloc(4_194_304))).toThrow('ENOSPC');
    // The last block of the log has room for some lines still.
    const block = 4096;
    const whole = Math.ceil(Buffer.byteLength(log()) / block) * block;
    await until('its last block is full', async () => {
      expect(await serves(address)).toBe(200);
      return Buffer.byteLength(log()) === whole;
    });
    const before = log();
    // Lines are held back for a moment, and those that are still held when there is room again are not lost.
    const longest = performance.now() + 1000;
    for (let count = 0; count < 40 || performance.now() < longest; count += 1)
      expect(await serves(address)).toBe(200);
    expect(log()).toBe(before);

    rmSync(filler);
    await until('requests are logged again', async () => {
      expect(await serves(address)).toBe(200);
      return log().slice(before.length).includes('"message":"request"');
    });
    const after = log().slice(before.length).trim().split('\n');
    const [lost, ...more] = after.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lost).toMatchObject({ level: 'error', message: 'lines of the log could not be written' });
    expect(lost?.['lines']).toBeGreaterThan(10);
    expect(more).toContainEqual(expect.objectContaining({ message: 'request', status: 200 }));
    broker.signal('SIGTERM');
    expect((await broker.ended).code).toBe(0);
    await close();
  },
);
