// What happens when something happens that nobody has reckoned with.
import { existsSync, readdirSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  environmentOf,
  startBrokerProcess,
  type BrokerProcess,
  type Shared,
} from '../faults/broker-process.ts';
import { offeringId, writeOffering } from '../faults/offering.ts';
import { until } from '../support/until.ts';
import { openTestDatabase } from '../support/database.ts';
import { runInGroup, type Running } from '../support/run-program.ts';
import { addressOf, call, startedBrokers } from '../support/started-brokers.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const faults = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, '../support/unexpected.mjs')).href}`,
};
const { start } = startedBrokers();
const scratch = scratchDirectory('unexpected');
const running: Pick<Running, 'signal' | 'ended'>[] = [];
afterEach(async () => {
  for (const { signal, ended } of running.splice(0)) {
    signal('SIGKILL');
    await ended;
  }
});

interface Told {
  readonly message: string;
  readonly detail?: string;
  readonly origin?: string;
  readonly operations?: number;
  readonly inHand?: readonly string[];
}

function linesOf(output: string): readonly Told[] {
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told);
}

test.each([
  ['An exception that nobody caught', 'SIGUSR2', 'uncaughtException', /nobody caught it/],
  ['A rejection that nobody waited for', 'SIGPIPE', 'unhandledRejection', /nobody waited for it/],
] as const)(
  '%s ends the broker with code 1, after it has said what it had in hand and left it to another broker.',
  async (_what, signal, origin, detail) => {
    const database = await openTestDatabase();
    const shared: Shared = {
      database,
      dataDir: join(scratch, signal),
      catalogDir: writeOffering(scratch, [{ id: 'slow', with: { provision: { takes: '4s' } } }]),
    };
    // A lease that nobody waits for: what goes on elsewhere was handed over.
    const env = { ...faults, LEASE: '10m' };
    const first = await started('first', shared, { ...env, ASYNC_PATIENCE: '30s' });
    const other = await started('other', shared, env);
    const body = { service_id: offeringId, plan_id: 'slow', organization_guid: 'o', space_guid: 's' };
    const path = '/v2/service_instances/i1';
    void first.ask('PUT', `${path}?accepts_incomplete=true`, body).catch(() => undefined);
    await until('it works on it', () => first.lines().some(({ message }) => message === 'operation opened'));

    first.signal(signal);
    const { code, output, errors } = await first.ended;
    expect({ code, errors }).toEqual({ code: 1, errors: '' });
    expect(linesOf(output)).toContainEqual(
      expect.objectContaining({
        message: 'unexpected error',
        origin,
        detail: expect.stringMatching(detail) as string,
        requests: 1,
        operations: 1,
        inHand: [expect.stringMatching(/^provision \S+ of instance i1$/)],
      }),
    );
    const made = await until('the other one has made it', async () => {
      const { status } = await other.ask('PUT', path, body);
      return status === 200;
    });
    expect(made).toBe(true);
    other.signal('SIGTERM');
    expect((await other.ended).code).toBe(0);
    await database.close();
  },
);

async function started(name: string, shared: Shared, env: Record<string, string>): Promise<BrokerProcess> {
  const broker = await startBrokerProcess(name, shared, env);
  running.push(broker);
  return broker;
}

test('Something unexpected ends the embedded database in an orderly way.', async () => {
  const dataDir = join(scratch, 'embedded');
  const broker = start({ ...faults, DATA_DIR: dataDir });
  await addressOf(broker);
  const pidFile = join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
  expect(existsSync(pidFile)).toBe(true);
  broker.signal('SIGUSR2');
  expect((await broker.ended).code).toBe(1);
  expect(existsSync(pidFile)).toBe(false);
});

/** Open at once, connections included; a broker at rest has fewer than half of it. */
const mostFiles = 80;

test('A broker that has no room for another connection lives, and serves when it has.', async () => {
  const shell = [`ulimit -n ${mostFiles}; exec "$0" src/start.js`, process.execPath];
  const database = await openTestDatabase();
  const env = environmentOf('full', { database, dataDir: join(scratch, 'full'), catalogDir: 'catalog' });
  // More connections than there are files: else some would be refused before that.
  const more = { DATABASE_POOL: '2', MAX_CONNECTIONS: '10000' };
  const broker = runInGroup('/bin/sh', ['-c', ...shell], { ...env, ...more });
  running.push(broker);
  const [, address = ''] = await broker.shows(/"message":"ready".*"address":"([^"]+)"/);
  const { port } = new URL(address);
  const sockets: Socket[] = [];
  for (let count = 0; count < 150; count += 1) {
    sockets.push(createConnection(Number(port), '127.0.0.1').on('error', () => undefined));
  }
  const files = `/proc/${broker.child.pid}/fd`;
  await until('it has all the files that it may have', () => readdirSync(files).length >= mostFiles);
  for (const socket of sockets) socket.destroy();
  await until('it serves again', async () => {
    const answer = await call('broker:p', `${address}/v2/catalog`).catch(() => undefined);
    return answer?.status === 200;
  });
  broker.signal('SIGTERM');
  expect((await broker.ended).code).toBe(0);
  await database.close();
});
