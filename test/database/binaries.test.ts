import * as fs from 'node:fs';
import { join } from 'node:path';
import { chooseDatabaseAccount } from '../../src/database/account.ts';
import { runAs } from '../../src/system/account.ts';
import { findBinaries } from '../../src/database/binaries.ts';
import { restoreLinks } from '../../src/database/package.ts';
import {
  clusterOf,
  copyPackage,
  endAll,
  notes,
  query,
  removeRoot,
  root,
  start,
} from './embedded-databases.ts';

const SLOW_MS = 30_000;
const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

afterEach(endAll, SLOW_MS);
afterAll(removeRoot, SLOW_MS);

describe('where the database user has no entry', () => {
  testAsRoot(
    'the data is kept in a shelter that the data directory links to',
    async () => {
      const [closed, shelter] = [join(root, 'closed'), join(root, 'shelter')];
      fs.mkdirSync(closed, { mode: 0o700 });
      fs.mkdirSync(shelter, { mode: 0o755 });
      const { url, stop } = await start(join(closed, 'data'), { shelter });
      await query(url, 'create table sheltered ()');
      expect(notes.join()).toMatch(/closed\/data\/postgres is a link to .*\/shelter\/purveyor-\w+, where/);
      await stop();

      const again = await start(join(closed, 'data'), { shelter });
      expect(await query(again.url, 'select count(*)::int from sheltered')).toEqual([{ count: 0 }]);
      expect(notes).toHaveLength(1);
    },
    SLOW_MS,
  );

  testAsRoot(
    'the binaries are copied to a place it can reach, once',
    async () => {
      const closed = join(root, 'closed-package');
      fs.mkdirSync(closed, { mode: 0o700 });
      const packageRoot = copyPackage(join(closed, 'package'));
      const account = chooseDatabaseAccount(join(root, 'nothing'));
      const home = join(root, 'home');
      fs.mkdirSync(home);
      const wanted = {
        home,
        account,
        packageRoot,
        major: undefined,
        note: (text: string) => notes.push(text),
      };
      const binDir = await findBinaries(wanted);
      expect(binDir).toMatch(/home\/binaries-18[^/]*\/native\/bin$/);
      expect(notes.join()).toMatch(/Postgres runs from a copy in .*home\/binaries-18/);
      expect(await runAs(account, join(binDir, 'initdb'), ['--version'])).toContain('PostgreSQL');
      expect(await findBinaries(wanted)).toBe(binDir);
    },
    SLOW_MS,
  );
});

describe('the binaries', () => {
  test(
    'The binaries get the library links that a skipped install script has not made',
    async () => {
      const packageRoot = copyPackage(join(root, 'package'));
      const initdb = join(packageRoot, 'native', 'bin', 'initdb');
      await expect(runAs(undefined, initdb, ['--version'])).rejects.toThrow(/shared libraries/);
      expect(restoreLinks(packageRoot)).toBe(true);
      expect(await runAs(undefined, initdb, ['--version'])).toContain('PostgreSQL');
    },
    SLOW_MS,
  );

  test('Binaries of another version than the data are refused, with a way out', async () => {
    const dataDir = join(root, 'old');
    fs.mkdirSync(clusterOf(dataDir), { recursive: true });
    fs.writeFileSync(join(clusterOf(dataDir), 'PG_VERSION'), '9\n');
    await expect(start(dataDir)).rejects.toThrow(
      /belongs to Postgres 9, and here is only Postgres 18.*: set PG_BIN_DIR to the bin folder of a Postgres 9 .*, or move/,
    );
  });

  test('Binaries that are nowhere lead to a request for DATABASE_URL', async () => {
    await expect(start(join(root, 'none'), { binDir: '/nowhere' })).rejects.toThrow(
      /^No Postgres that runs here was found in \/nowhere: set DATABASE_URL/,
    );
  });
});
