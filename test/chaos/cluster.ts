// Three brokers on one Postgres, with everything at hand that can be done to them.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Client, type Pool } from 'pg';
import { startEmbedded } from '../../src/database/embedded.ts';
import { openPool } from '../../src/postgres/connections.ts';
import { isAway } from '../../src/postgres/trouble.ts';
import { listen } from '../support/database-gate.ts';
import { runProgram } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { writeOfferings } from './offerings.ts';
import { tsuruPassword } from './tsuru.ts';
import { createSlot, leaseMs, type Slot } from './slot.ts';

export const operatorPassword = 'the-operator-of-chaos';

export interface Cluster {
  /** Beside everything that is done to the brokers' way. */
  readonly pool: Pool;
  readonly scratch: string;
  readonly catalogDir: string;
  readonly slots: readonly Slot[];
  readonly way: Way;
  /** The node of `slots[1]` is on a file system of its own, where that can be had. */
  readonly small: string | undefined;
  readonly keys: Keys;
  killPostgres(): void;
  /** Has Postgres do it, when it is there. */
  tell(statement: string, values?: readonly unknown[]): Promise<void>;
  /** Runs the program as an operator does beside the broker of the slot; @returns its code */
  command(slot: Slot, ...words: readonly string[]): Promise<number | null>;
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

/** What brokers are given at their start. */
interface Keys {
  text(): string;
  /** From now on a new one is in front of the latest that was there. */
  add(): void;
}

function createKeys(): Keys {
  const all = [newKey(1)];
  return {
    text: () => all.slice(0, 2).join(','),
    add: () => void all.unshift(newKey(all.length + 1)),
  };
}

function newKey(number: number): string {
  return `${number}:${randomBytes(32).toString('base64')}`;
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
  const keys = createKeys();
  const slots = ['one', 'two', 'three'].map((name, index) =>
    slotOf({ name, scratch, catalogDir, url, shared: shared.url, keys, ports: 26_000 + index * 300 }),
  );
  const small = mountSmall(slots[1]?.nodeDir);
  // The first one makes the tables.
  for (const slot of slots) await slot.start();
  return {
    pool,
    scratch,
    catalogDir,
    slots,
    way,
    small,
    keys,
    tell: (statement, values = []) => untilTaken(pool, statement, values),
    async command(slot, ...words) {
      return (await runProgram(words, slot.environment()).ended).code;
    },
    killPostgres() {
      const [pid = ''] = readFileSync(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n');
      process.kill(Number(pid), 'SIGKILL');
    },
    async close() {
      await Promise.all(slots.map((slot) => slot.end('SIGKILL')));
      // Instances outlive their brokers.
      for (const { pid } of serversOf(scratch)) process.kill(pid, 'SIGKILL');
      await pool.end();
      await close();
      await shared.close();
      await embedded.stop();
      if (small !== undefined) execFileSync('umount', ['--lazy', small]);
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
  readonly keys: Keys;
  readonly ports: number;
}

function slotOf({ name, scratch, catalogDir, url, shared, keys, ports }: Place): Slot {
  const home = join(scratch, name);
  mkdirSync(home);
  chmodSync(home, 0o755);
  const nodeDir = join(home, 'node');
  mkdirSync(nodeDir);
  const database = { config: { connectionString: url }, schema: 'public' };
  const env = () => ({
    ENCRYPTION_KEYS: keys.text(),
    LOG_LEVEL: 'info',
    LEASE: `${leaseMs}ms`,
    NODE_ROLE: 'true',
    NODE_NAME: name,
    NODE_DIR: nodeDir,
    NODE_PORTS: `${ports}-${ports + 299}`,
    OPERATOR_PASSWORD: operatorPassword,
    TSURU_PASSWORD: tsuruPassword,
    SHARED_POSTGRES_URL: shared,
  });
  return createSlot({ name, nodeDir, shared: { database, dataDir: home, catalogDir }, env });
}

/** The tiny servers of this run, wherever they come from. @returns also the keys of their instances */
export function serversOf(scratch: string): readonly { readonly pid: number; readonly key: string }[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    const words = readCommand(file);
    if (words[1]?.startsWith(`${scratch}/server.mjs`) !== true) return [];
    return [{ pid: Number(file.split('/')[2]), key: /p[0-9a-f]{20}/.exec(words[2] ?? '')?.[0] ?? 'unknown' }];
  });
}

function readCommand(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** The server may just be coming back. */
async function untilTaken(pool: Pool, statement: string, values: readonly unknown[]): Promise<void> {
  await until('a server that takes it', () =>
    pool.query(statement, [...values]).then(
      () => true,
      (error: unknown) => {
        if (!isAway(error)) throw error;
        return false;
      },
    ),
  );
}

/** @returns where there is now little room; undefined where nobody may have it so */
function mountSmall(directory = ''): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=755', 'tmpfs', directory], {
      stdio: 'ignore',
    });
    return directory;
  } catch {
    return undefined;
  }
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
      for (const [at, socket] of [...sockets].entries()) {
        if (at % share !== 0) continue;
        // Only TCP knows a reset.
        if (socket.remoteFamily === undefined) socket.destroy();
        else socket.resetAndDestroy();
      }
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
