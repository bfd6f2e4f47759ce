import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chooseDatabaseAccount } from '../../src/database/account.ts';
import { prepareAhead } from '../../src/database/embedded.ts';
import { findServer } from '../../src/database/postmaster.ts';
import * as databases from './embedded-databases.ts';
import { until } from '../support/until.ts';

const { children, childrenOf, clusterOf, notes, parentOf } = databases;
const { processesWith, query, root, spawnBroker, start } = databases;
const shared = join(root, 'shared');
// On a busy machine, making a cluster (0.5 s on an idle one) can take longer than a test may.
const SLOW_MS = 30_000;

afterEach(databases.endAll, SLOW_MS);
afterAll(databases.removeRoot, SLOW_MS);

describe('the data', () => {
  test(
    'The data is there again at the second start',
    async () => {
      const first = await start(shared);
      await query(first.url, 'create table kept (word text)');
      await query(first.url, `insert into kept values ('grüße')`);
      await first.stop();
      expect(findServer(clusterOf(shared))).toBeUndefined();

      const second = await start(shared);
      expect(await query(second.url, 'select word from kept')).toEqual([{ word: 'grüße' }]);
    },
    SLOW_MS,
  );

  test('The data is in UTF8, sorted without a locale, and written durably', async () => {
    const { url } = await start(shared);
    const settings = `select current_setting('server_encoding') as encoding, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit, current_setting('lc_messages') as locale`;
    expect(await query(url, settings)).toEqual([
      { encoding: 'UTF8', fsync: 'on', commit: 'on', locale: 'C' },
    ]);
  });

  test(
    'The data is one cluster when two brokers make it at the same moment',
    async () => {
      const dataDir = join(root, 'at-once');
      const both = await Promise.all([start(dataDir), start(dataDir)]);
      await query(both[0].url, 'create table one ()');
      expect(await query(both[1].url, 'select count(*)::int from one')).toEqual([{ count: 0 }]);
      expect(fs.readdirSync(join(dataDir, 'postgres')).filter((name) => name.startsWith('new-'))).toEqual([]);
    },
    SLOW_MS,
  );
});

describe('what is made ahead', () => {
  test(
    'A cluster whose making was begun ahead is the one that is started',
    async () => {
      const dataDir = join(root, 'ahead');
      await prepareAhead({ dataDir, note: () => undefined });
      const [draft = ''] = fs
        .readdirSync(join(dataDir, 'postgres'))
        .filter((name) => name.startsWith('new-'));
      const begun = join(dataDir, 'postgres', draft, 'cluster');
      await until('it is being made', () => fs.existsSync(begun));
      const { ino } = fs.statSync(begun);

      const { url } = await start(dataDir);
      expect(fs.statSync(clusterOf(dataDir)).ino).toBe(ino);
      expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    },
    SLOW_MS,
  );

  test('What keeps a cluster from being made ahead is told by the start, and the next one tries again', async () => {
    const dataDir = join(root, 'failed-ahead');
    const binDir = join(root, 'nowhere');
    await prepareAhead({ dataDir, binDir, note: () => undefined });
    await expect(start(dataDir)).rejects.toThrow(binDir);
    await expect(start(dataDir)).resolves.toMatchObject({ url: expect.any(String) as string });
  });
});

describe('who may use it', () => {
  test('Only one who knows the password may use the database', async () => {
    const { url } = await start(shared);
    await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow(
      /password authentication/,
    );
  });

  test('The password of the database is in a file of mode 0600 and on no command line', async () => {
    const { url } = await start(shared);
    const path = join(clusterOf(shared), 'purveyor-password');
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
    expect(url).toContain(fs.readFileSync(path, 'utf8'));
    expect(processesWith(clusterOf(shared))).toContain(findServer(clusterOf(shared)));
    expect(processesWith(fs.readFileSync(path, 'utf8'))).toEqual([]);
  });

  test('Postgres does not run as root, nor with our environment', async () => {
    await start(shared);
    const process = `/proc/${findServer(clusterOf(shared))}`;
    expect(fs.readFileSync(`${process}/status`, 'utf8')).not.toMatch(/^Uid:\s.*\b0\b/m);
    expect(fs.readFileSync(`${process}/environ`, 'utf8')).not.toMatch(/NODE|HOME/);
  });

  test(
    'A socket path that would be too long becomes a port on 127.0.0.1',
    async () => {
      const { url } = await start(join(root, 'long'.repeat(25)));
      expect(new URL(url.replace('@/', '@x/')).searchParams.get('host')).toBe('127.0.0.1');
      expect(await query(url, 'select host(inet_server_addr()) as at')).toEqual([{ at: '127.0.0.1' }]);
    },
    SLOW_MS,
  );
});

describe('when its broker ends without a word', () => {
  test(
    'Ctrl-C leaves it up, kill -9 takes it down within a second, and the next start has the data',
    async () => {
      const { broker, url } = await spawnBroker(shared);
      const interrupted = once(createInterface(broker.stdout!), 'line');
      process.kill(-broker.pid!, 'SIGINT');
      await interrupted;
      await query(url, 'create table survivor ()');

      const server = findServer(clusterOf(shared))!;
      broker.kill('SIGKILL');
      await until('no process of the shared server is left', () => processesWith(shared).length === 0);
      expect(fs.existsSync(`/proc/${server}/cwd`)).toBe(false);
      expect(fs.existsSync(join(clusterOf(shared), 'postmaster.pid'))).toBe(false);

      const { url: next } = await start(shared);
      expect(await query(next, 'select count(*)::int from survivor')).toEqual([{ count: 0 }]);
    },
    SLOW_MS,
  );

  test(
    'A kill -9 of everything is no obstacle to the next start of the database',
    async () => {
      const { broker, url } = await spawnBroker(shared);
      await query(url, 'create table wrecked ()');
      const server = findServer(clusterOf(shared))!;
      const shell = parentOf(server);
      // The broker last: those that watch it would end by themselves, and not be there to be killed.
      for (const pid of [shell, ...childrenOf(shell), broker.pid!]) process.kill(pid, 'SIGKILL');

      const { url: next } = await start(shared);
      expect(await query(next, 'select count(*)::int from wrecked')).toEqual([{ count: 0 }]);
    },
    SLOW_MS,
  );

  test('A process that has got the number of the dead server is no obstacle either', async () => {
    const embedded = await start(shared);
    const path = join(clusterOf(shared), 'postmaster.pid');
    const left = fs.readFileSync(path, 'utf8');
    await embedded.stop();
    const { uid, gid } = chooseDatabaseAccount(clusterOf(shared)) ?? {};
    const stranger = spawn('sleep', ['60'], { uid, gid, stdio: 'ignore', cwd: '/' });
    children.push(stranger);
    await once(stranger, 'spawn');
    fs.writeFileSync(path, left.replace(/^\d+/, String(stranger.pid)), { mode: 0o644 });

    const { url } = await start(shared);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('two brokers on one data directory', () => {
  test('Two brokers on one data directory share the server, which stays until the last one stops', async () => {
    const [first, second] = [await start(shared), await start(shared)];
    expect(second.url).toBe(first.url);
    expect(notes).toEqual(['Joined the embedded database that another process runs.']);
    await first.stop();
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await second.stop();
    expect(findServer(clusterOf(shared))).toBeUndefined();
  });

  test('Two brokers on one data directory share it also when the one that started it is killed', async () => {
    const { broker, url } = await spawnBroker(shared);
    await start(shared);
    broker.kill('SIGKILL');
    await once(broker, 'exit');
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

test(
  'A server that dies is started again at the same address, and both its brokers are told',
  async () => {
    const [first] = [await start(shared), await start(shared)];
    notes.length = 0;
    process.kill(findServer(clusterOf(shared))!, 'SIGKILL');
    await until(
      'both are told that the server is there again',
      () => notes.filter((note) => note.endsWith('is there again.')).length === 2,
      5_000,
    );
    expect(await query(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  },
  SLOW_MS,
);

test('A start of the database server that fails says what the server said', async () => {
  const { stop } = await start(shared);
  await stop();
  const path = join(clusterOf(shared), 'postgresql.auto.conf');
  const settings = fs.readFileSync(path, 'utf8');
  fs.writeFileSync(path, 'nonsense = 1\n');
  await expect(start(shared)).rejects.toThrow(/did not start.*server\.log:\n.*parameter "nonsense"/s);
  fs.writeFileSync(path, settings);
});
