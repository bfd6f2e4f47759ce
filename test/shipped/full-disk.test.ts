import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { type Bound, isInstalled, openShop, type Shop } from './shop.ts';

/** A disk that is really full, of a service that has bindings: nobody needs its consent to be rid of it. */

const missing = [
  process.getuid?.() === 0 ? [] : ['the rights of root, to mount a small disk'],
  isInstalled('redis-server') ? [] : ['redis-server'],
].flat();
const describeFull = missing.length === 0 ? describe : describe.skip;

describeFull(`a full disk${missing.length > 0 ? ` (skipped: needs ${missing.join(', ')})` : ''}`, () => {
  let shop: Shop;
  let disk: string;
  beforeAll(async () => {
    shop = await openShop();
    disk = join(shop.directory, 'process');
    mkdirSync(disk, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0755', 'tmpfs', disk]);
  });
  afterEach(() => makeRoom());
  afterAll(async () => {
    makeRoom();
    try {
      await shop.end();
    } finally {
      execFileSync('umount', ['--lazy', disk]);
      await shop.close();
    }
  });

  test('A Redis on a full disk is unbound, and the login stays away when it starts again.', async () => {
    const redis = await shop.buy('redis', 'durable');
    const [first, second] = [await redis.bind(), await redis.bind()];
    fill();
    await first.unbind();
    expect(await canLogIn(first)).toBe(false);
    expect(await canLogIn(second)).toBe(true);
    expect(usersOf(redis.directory.conf)).toEqual(['admin', 'default', second.credentials['username']]);
    makeRoom();
    await redis.act('restart');
    expect(await canLogIn(first)).toBe(false);
    expect(await canLogIn(second)).toBe(true);
    await redis.bind();
    expect(usersOf(redis.directory.conf)).toHaveLength(4);
    await redis.deprovision();
  });

  test('A Redis on a full disk is deprovisioned with a binding that was never unbound.', async () => {
    const redis = await shop.buy('redis', 'durable');
    const bound = await redis.bind();
    fill();
    await redis.deprovision();
    expect(existsSync(redis.directory.base)).toBe(false);
    expect(await canLogIn(bound)).toBe(false);
  });

  test('An unbind that nobody can note on a full disk is refused with a sentence, and succeeds when there is room.', async () => {
    const redis = await shop.buy('redis', 'durable');
    const bound = await redis.bind();
    await redis.act('stop');
    fill();
    await expect(bound.unbind()).rejects.toThrow('its disk has no room to note the change');
    makeRoom();
    await bound.unbind();
    await redis.act('start');
    expect(await canLogIn(bound)).toBe(false);
    await redis.deprovision();
  });

  /** Nothing can be written on it any more, not even a name. */
  function fill(): void {
    const { bavail, bsize } = statfsSync(disk);
    const piece = Buffer.alloc(bsize);
    for (let left = bavail + 1; left > 0; left -= 1) {
      try {
        writeFileSync(join(disk, 'ballast'), piece, { flag: 'a' });
      } catch {
        break;
      }
    }
    expect(statfsSync(disk).bavail).toBe(0);
  }

  function makeRoom(): void {
    rmSync(join(disk, 'ballast'), { force: true });
  }

  function usersOf(conf: string): readonly (string | undefined)[] {
    const lines = readFileSync(join(conf, 'users.acl'), 'utf8').split('\n');
    return lines.filter((line) => line.trim() !== '').map((line) => line.split(' ')[1]);
  }

  async function canLogIn({ credentials: { host, username, password }, port }: Bound): Promise<boolean> {
    const client = createClient({ username, password, socket: { host, port, reconnectStrategy: false } });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.ping()) === 'PONG';
    } catch {
      return false;
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
});
