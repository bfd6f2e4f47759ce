import { once } from 'node:events';
import { cpSync, chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { childrenOf } from '../../src/system/proc.ts';
import { describeOffering } from '../shipped/shop.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import {
  askMemcached,
  memcachedGet,
  type MemcachedLogin,
  memcachedSet,
} from '../support/memcached-client.ts';
import { until } from '../support/until.ts';
import { type Holding, type Market, openMarket } from './market.ts';
import { byOrdinaryUser, byRoot, describeSetUp } from './set-ups.ts';

/** A tenant who takes all the memory that he can: his instance keeps its limit, and others do not notice. */

const megabyte = 1024 * 1024;
/**
 * Beside its memory a group is not charged for the pages of programs that others have read; where only single processes
 * can be limited, the stacks of threads and whatever is not data come on top.
 */
const slack = (market: Market) =>
  existsSync(join(market.dataDir, 'node', 'groups.json')) ? 16 * megabyte : 96 * megabyte;

for (const setUp of [byRoot, byOrdinaryUser]) {
  describeSetUp(setUp, () => {
    let market: Market;
    let neighbour: Holding;
    beforeAll(async () => {
      const catalog = scratchDirectory('greedy');
      chmodSync(catalog, 0o755);
      cpSync('catalog', catalog, { recursive: true });
      // A user of it cannot raise its memory any more; a hole in it could.
      const file = join(catalog, 'memcached.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replace("'{{plan.memory_mb}}'", "'600'"));
      market = await openMarket({ ...setUp, env: { ...setUp.env, CATALOG_DIR: catalog } });
      neighbour = await market.buy('redis', 'small');
      await withRedis(neighbour, (client) => client.set('key', 'kept'));
    });
    afterAll(() => market?.close());

    /** Does it, meanwhile asks neighbour and broker again and again, and gives the most memory that it had, in bytes. */
    async function greedy(mine: Holding, abuse: () => Promise<unknown>): Promise<number> {
      let isDone = false;
      let most = 0;
      const looking = setInterval(() => (most = Math.max(most, residentOf(mine))), 10);
      const others = (async () => {
        const answers: unknown[] = [];
        while (!isDone) {
          answers.push(await withRedis(neighbour, (client) => client.get('key')));
          const bought = await market.buy('echo', 'large');
          await bought.deprovision();
        }
        return answers;
      })();
      try {
        await abuse();
      } finally {
        isDone = true;
        clearInterval(looking);
      }
      expect([...new Set(await others)]).toEqual(['kept']);
      return most;
    }

    describeOffering('memcached', () => {
      test('A memcached that does not keep to its memory keeps the limit of its plan.', async () => {
        const mine = await market.buy('memcached', 'small');
        const most = await greedy(mine, () => fill(mine));
        expect(most).toBeGreaterThan(32 * megabyte);
        expect(most).toBeLessThan(128 * megabyte + slack(market));
        await until('memcached serves again', () => serves(mine), 60_000);
        await mine.deprovision();
      });
    });

    describeOffering('redis', () => {
      test('A redis keeps the limit of its plan, whatever a script of its user holds.', async () => {
        const mine = await market.buy('redis', 'small');
        const script =
          "local held = {} for i = 1, 2e6 do held[i] = string.rep('x', 1000) .. i end return #held";
        const most = await greedy(mine, async () => {
          const ran = withRedis(mine, (client) => client.eval(script));
          await expect(ran).rejects.toThrow(/memory|closed/i);
        });
        expect(most).toBeGreaterThan(64 * megabyte);
        expect(most).toBeLessThan(192 * megabyte + slack(market));
        const ping = () => withRedis(mine, (client) => client.ping()).catch(() => undefined);
        await until('redis serves again', ping, 60_000);
        await mine.deprovision();
      });

      test('A redis keeps its process while many clients read none of their replies.', async () => {
        const mine = await market.buy('redis', 'small');
        const before = processesOf(mine);
        const most = await greedy(mine, async () => {
          await withRedis(mine, (client) => client.set('large', 'x'.repeat(4_000_000)));
          await Promise.all(Array.from({ length: 20 }, () => askWithoutReading(mine)));
        });
        expect(most).toBeLessThan(192 * megabyte + slack(market));
        expect(processesOf(mine)).toEqual(before);
        await mine.deprovision();
      });
    });
  });
}

async function withRedis<Answer>(
  { credentials, port }: Holding,
  act: (client: ReturnType<typeof createClient>) => Promise<Answer>,
): Promise<Answer> {
  const { host = '', username, password } = credentials;
  const client = createClient({ username, password, socket: { host, port, reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await act(client as ReturnType<typeof createClient>);
  } finally {
    client.destroy();
  }
}

/** Asks for 200 MB and waits until it is hung up on, or everything has been asked. */
async function askWithoutReading({ credentials, port }: Holding): Promise<void> {
  const { host = '', username, password } = credentials;
  const socket = connect({ host, port }).on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect');
  const asked = `AUTH ${username} ${password}\r\n${'GET large\r\n'.repeat(50)}`;
  await new Promise((resolve) => socket.write(asked, resolve));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  socket.destroy();
}

/** 600 MB, as far as they are taken. */
async function fill(memcached: Holding): Promise<void> {
  const value = 'x'.repeat(500_000);
  for (let i = 0; i < 1200; i += 20) {
    const sets = Array.from({ length: 20 }, (_, n) => memcachedSet(String(i + n), value));
    const answers = await askMemcached(loginOf(memcached), sets).catch(() => []);
    // Ended for what it took.
    if (answers.length < sets.length) return;
  }
}

async function serves(memcached: Holding): Promise<boolean> {
  const answers = await askMemcached(loginOf(memcached), [memcachedGet('0')]).catch(() => []);
  return answers.length === 2 && answers[0]?.status === 0;
}

function loginOf({ credentials, port }: Holding): MemcachedLogin {
  const { host, username, password } = credentials;
  return { host, port, username, password };
}

/** Its unit, what walls it in, and what it has started. */
function processesOf({ base }: Holding): readonly number[] {
  const first = listLaunched({ state: join(base, 'state') }).map(({ identity }) => identity.pid);
  const withChildren = (pid: number): readonly number[] => [pid, ...childrenOf(pid).flatMap(withChildren)];
  return first.flatMap(withChildren);
}

/** Bytes that its processes have in memory. */
function residentOf(holding: Holding): number {
  const sizes = processesOf(holding).map((pid) => {
    try {
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return sizes.reduce((sum, size) => sum + size * 1024, 0);
}
