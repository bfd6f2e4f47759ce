// Signals that come while the broker starts.
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { listen } from '../support/database-gate.ts';
import { runProgram, type Running } from '../support/run-program.ts';
import { addressOf, startedBrokers, stop } from '../support/started-brokers.ts';
import { until } from '../support/until.ts';

const { scratch, start } = startedBrokers();

/** Does the process do something of its own at this signal? */
function catches({ child }: Running, number: number): boolean {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const [, mask = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return (BigInt(`0x${mask}`) & (1n << BigInt(number - 1))) !== 0n;
}

/** Its first moment: signals that come before, nobody can keep. */
const begins = (running: Running) => until('signals are kept', () => catches(running, 1));

test('SIGHUP while the broker starts neither ends it nor is lost: the catalog is read again when it serves', async () => {
  const dataDir = join(scratch, 'reloaded');
  const running = start({ DATA_DIR: dataDir });
  await begins(running);
  expect(existsSync(dataDir)).toBe(false);
  running.signal('SIGHUP');
  // Nothing has changed: it is read again only for those who ask.
  await running.shows(/catalog loaded/);
  expect((await stop(running)).code).toBe(0);
});

const isGone = (dataDir: string) => !existsSync(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'));

test.each<[moment: string, reached: (running: Running, dataDir: string) => Promise<unknown>]>([
  ['before it knows what it is to do', begins],
  ['when it has begun to listen', (running) => running.shows(/listening address/)],
  ['while its database starts', (_running, dataDir) => until('the database starts', () => !isGone(dataDir))],
  ['when its tables are made', (running) => running.shows(/Changed the tables/)],
])(
  'SIGTERM %s ends the broker in order, with code 0, and the next start finds nothing in its way',
  async (moment, reached) => {
    const dataDir = join(scratch, moment.replaceAll(' ', '-'));
    const env = { DATA_DIR: dataDir, LOG_LEVEL: 'debug' };
    const running = start(env);
    await reached(running, dataDir);
    const { code, output, errors } = await stop(running);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toMatch(/stopping why=SIGTERM\n(?:.*\n)*.* stopped\n$/);
    expect(isGone(dataDir)).toBe(true);
    const next = start(env);
    await addressOf(next);
    expect((await stop(next)).code).toBe(0);
  },
);

/** What ended it. */
const endOf = ({ child }: Running) =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));

test('A command other than serve is ended by a signal, also by one that came before it knew its name', async () => {
  const early = runProgram(['catalog', 'lint', 'catalog']);
  const ended = endOf(early);
  await begins(early);
  early.signal('SIGHUP');
  expect(await ended).toBe('SIGHUP');

  const silent = createServer();
  const port = await listen(silent);
  const asked = once(silent, 'connection');
  const late = runProgram(['nodes'], { PORT: String(port), OPERATOR_PASSWORD: 'p' });
  const lateEnded = endOf(late);
  await asked;
  late.signal('SIGTERM');
  expect(await lateEnded).toBe('SIGTERM');
  silent.close();
});
