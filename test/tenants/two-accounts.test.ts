import { statSync } from 'node:fs';
import { join } from 'node:path';
import { accountOf } from '../../src/node/node-of-instance.ts';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { runAs } from '../../src/system/account.ts';
import { isAnythingOf } from '../../src/system/end-user.ts';
import { readUserIds } from '../../src/system/proc.ts';
import { isInstalled } from '../shipped/shop.ts';
import { openMarket, type Holding, type Market } from './market.ts';
import { byRootWithoutBwrap } from './set-ups.ts';

const { missing = isInstalled('redis-server') ? undefined : 'there is no executable redis-server' } =
  byRootWithoutBwrap;
const testHere = missing === undefined ? test : test.skip;

let market: Market | undefined;
afterEach(() => market?.close());

/** As whom its Redis runs, by its process. */
function userOf({ base }: Holding): { readonly pid: number; readonly uid: number } {
  const [unit] = listLaunched({ state: join(base, 'state') });
  const pid = unit?.identity.pid ?? 0;
  const ids = new Set(readUserIds(pid));
  expect(ids.size).toBe(1);
  return { pid, uid: [...ids][0] ?? 0 };
}

testHere(
  `Two instances of Redis that root makes have two users, which reach nothing of each other, and are given back.${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  async () => {
    market = await openMarket(byRootWithoutBwrap);
    const [mine, neighbour] = await Promise.all([market.buy('redis', 'small'), market.buy('redis', 'small')]);
    const [own, other] = [userOf(mine), userOf(neighbour)];
    expect(own.uid).not.toBe(other.uid);
    for (const { uid } of [own, other]) expect(uid).toBeGreaterThanOrEqual(2_100_000_000);
    expect(statSync(join(mine.base, 'data')).uid).toBe(own.uid);
    const run = (script: string) =>
      runAs(accountOf(own.uid), '/bin/sh', ['-c', `(${script}) 2>/dev/null; true`]);
    expect(await run(`ls ${mine.base}/conf && kill -0 ${own.pid} && echo reached`)).toMatch(
      /users\.acl[^]*reached/,
    );
    const { base } = neighbour;
    const attack = `cat ${base}/conf/* ${base}/data/* /proc/${other.pid}/environ; ls ${base} ${base}/..; touch ${base}/data/x`;
    expect(await run(`${attack}; kill -9 ${other.pid} && echo reached`)).toBe('');
    expect(userOf(neighbour)).toEqual(other);
    await mine.deprovision();
    expect(isAnythingOf(own)).toBe(false);
    expect(isAnythingOf(other)).toBe(true);
  },
);
