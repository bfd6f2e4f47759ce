// Three brokers on one Postgres, with everything at hand that can be done to them.
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Client, type Pool } from 'pg';
import { startEmbedded } from '../../src/database/embedded.ts';
import { openPool } from '../../src/postgres/connections.ts';
import { listen } from '../support/database-gate.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { writeOfferings } from './offerings.ts';
import { createSlot, leaseMs, type Slot } from './slot.ts';

export const operatorPassword = 'the-operator-of-chaos';

export interface Cluster {
  /** Beside everything that is done to the brokers' way. */
  readonly pool: Pool;
  readonly scratch: string;
  readonly catalogDir: string;
  readonly slots: readonly Slot[];
  readonly way: Way;
  killPostgres(): void;
  close(): Promise<void>;
}

/** The connections between brokers and Postgres. */
export interface Way {
  stall(isStalled: boolean): void;
  /** Some of them. */
  reset(share: number): void;
  /** Half of what is said next on each gets through, and then nothing more. */
  cut(): void;
}

export async function openCluster(): Promise<Cluster> {
  const scratch = scratchDirectory('chaos');
  for (const part of ['', 'database']) {
    mkdirSync(join(scratch, part), { recursive: true });
    chmodSync(join(scratch, part), 0o755);
  }
  const dataDir = join(scratch, 'database');
  const embedded = await startEmbedded({ dataDir, note: () => undefined });
  const pool = openPool({ connectionString: embedded.url });
  const { way, url, close } = await openWay(embedded.url);
  // Databases are made, and used, on a way on which nothing happens.
  const shared = await openWay(embedded.url);
  const catalogDir = writeOfferings(scratch);
  const slots = ['one', 'two', 'three'].map((name, index) =>
    slotOf({ name, scratch, catalogDir, url, shared: shared.url, ports: 26_000 + index * 300 }),
  );
  // The first one makes the tables.
  for (const slot of slots) await slot.start();
  return {
    pool,
    scratch,
    catalogDir,
    slots,
    way,
    killPostgres() {
      const [pid = ''] = readFileSync(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n');
      process.kill(Number(pid), 'SIGKILL');
    },
    async close() {
      await Promise.all(slots.map((slot) => slot.end('SIGKILL')));
      await pool.end();
      await close();
      await shared.close();
      await embedded.stop();
    },
  };
}

interface Place {
  readonly name: string;
  readonly scratch: string;
  readonly catalogDir: string;
  /** Of the database, on the way that can fail. */
  readonly url: string;
  readonly shared: string;
  readonly ports: number;
}

function slotOf({ name, scratch, catalogDir, url, shared, ports }: Place): Slot {
  const home = join(scratch, name);
  mkdirSync(home);
  chmodSync(home, 0o755);
  const nodeDir = join(home, 'node');
  const database = { config: { connectionString: url }, schema: 'public' };
  const env = {
    LOG_LEVEL: 'info',
    LEASE: `${leaseMs}ms`,
    NODE_ROLE: 'true',
    NODE_NAME: name,
    NODE_DIR: nodeDir,
    NODE_PORTS: `${ports}-${ports + 299}`,
    OPERATOR_PASSWORD: operatorPassword,
    SHARED_POSTGRES_URL: shared,
  };
  return createSlot({ name, nodeDir, shared: { database, dataDir: home, catalogDir }, env });
}

async function openWay(behind: string): Promise<{ way: Way; url: string; close: () => Promise<void> }> {
  const { host, port, user, password, database } = new Client(behind);
  const sockets = new Set<Socket>();
  let isStalled = false;
  let isCutting = false;
  const server = createServer((outer) => {
    const inner = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const [from, to] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(from);
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        if (!isCutting) return void to.write(chunk);
        to.write(chunk.subarray(0, chunk.length >> 1), () => from.destroy());
      });
      if (isStalled) from.pause();
    }
  });
  const way: Way = {
    stall(stalled) {
      isStalled = stalled;
      for (const socket of sockets) void (stalled ? socket.pause() : socket.resume());
    },
    reset(share) {
      for (const [at, socket] of [...sockets].entries()) if (at % share === 0) socket.resetAndDestroy();
    },
    cut() {
      isCutting = true;
      setTimeout(() => (isCutting = false), 50);
    },
  };
  const own = await listen(server);
  return {
    way,
    url: `postgres://${user}:${encodeURIComponent(String(password))}@127.0.0.1:${own}/${database}?sslmode=disable`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function mend({ slots, way }: Cluster): Promise<void> {
  way.stall(false);
  await mendBrokers(slots);
}

/** Puts every broker back where one is missing, and lets those go on that were stopped. */
export async function mendBrokers(slots: readonly Slot[]): Promise<void> {
  for (const slot of slots) {
    slot.broker()?.signal('SIGCONT');
    if (!slot.broker()) await slot.start();
  }
  await until('all brokers are ready', async () => {
    const answers = slots.map(async (slot) => (await fetch(`${slot.broker()?.address}/readyz`)).ok);
    return (await Promise.all(answers).catch(() => [false])).every(Boolean);
  });
}
