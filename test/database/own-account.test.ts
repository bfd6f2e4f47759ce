import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { findServer } from '../../src/database/postmaster.ts';
import { readAccounts } from '../../src/system/account.ts';
import { readUserIds } from '../../src/system/proc.ts';
import { clusterOf, endAll, notes, query, removeRoot, root, start } from './embedded-databases.ts';

const SLOW_MS = 60_000;
const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

afterEach(endAll, SLOW_MS);
afterAll(removeRoot, SLOW_MS);

const idOf = (name: string) => readAccounts().find((account) => account.name === name)?.uid;
/** As on a machine without a user `postgres`. */
const isTenant = (uid: number) => uid === idOf('postgres');
const ownersBelow = (path: string) =>
  [...new Set(execFileSync('find', [path, '-printf', '%U\n'], { encoding: 'utf8' }).split('\n'))].filter(
    Boolean,
  );

testAsRoot(
  'A database that root starts where there is no user postgres has a user of its own, with no name and not nobody.',
  async () => {
    const dataDir = join(root, 'own');
    const { url } = await start(dataDir, { isTenant });
    const [uid] = readUserIds(findServer(clusterOf(dataDir)) ?? 0);
    expect(readAccounts().map((account) => account.uid)).not.toContain(uid);
    expect(ownersBelow(join(dataDir, 'postgres'))).toEqual([String(uid)]);
    expect(fs.statSync(join(dataDir, 'postgres')).mode & 0o007).toBe(0);
    await query(url, 'create table kept ()');
  },
  SLOW_MS,
);

testAsRoot(
  'A database that ran as nobody is handed over with its data, also when a start was killed while it was, and nobody reads nothing of it.',
  async () => {
    const dataDir = join(root, 'handed-over');
    const first = await start(dataDir, { isTenant });
    await query(first.url, 'create table kept ()');
    await first.stop();
    const home = join(dataDir, 'postgres');
    const nobody = String(idOf('nobody'));
    for (const handedOver of [[], [join(home, 'cluster')]]) {
      execFileSync('chown', ['-Rh', nobody, home]);
      // What a start that was killed has done of it: the directories above come last.
      for (const path of handedOver) execFileSync('chown', ['-Rh', '2099999999', path]);
      notes.length = 0;
      const { url, stop } = await start(dataDir, { isTenant });
      expect(notes.join()).toContain('The embedded database runs as uid 2099999999 from now on');
      expect(await query(url, 'select count(*)::int from kept')).toEqual([{ count: 0 }]);
      expect(ownersBelow(home)).toEqual(['2099999999']);
      await stop();
    }
    notes.length = 0;
    await start(dataDir, { isTenant });
    expect(notes).toEqual([]);
  },
  SLOW_MS,
);

testAsRoot(
  'A database whose server runs as a user that instances have is joined as it is, and the operator is told.',
  async () => {
    const dataDir = join(root, 'running');
    const first = await start(dataDir, { isTenant });
    const second = await start(dataDir, { isTenant: (uid) => uid === 2_099_999_999 });
    expect(notes.join()).toContain('still runs as uid 2099999999, which instances can have');
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  },
  SLOW_MS,
);

testAsRoot('A database that can have no user of its own is refused with a sentence.', async () => {
  const starting = start(join(root, 'none'), { isTenant: () => true });
  await expect(starting).rejects.toThrow(/there is no user here for it: make a user postgres/);
});
