import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { isInstalled } from '../shipped/shop.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { type Holding, type Market, openMarket } from './market.ts';
import { byOrdinaryUser, byOrdinaryUserWithoutBwrap, byRoot, describeSetUp, type SetUp } from './set-ups.ts';
import { runInside, writeShellOffering } from './shell.ts';

/** What the broker says and sells where it cannot shut programs in, and what of the walls outlives it. */

let market: Market;
afterEach(() => market?.close());

async function open(setUp: SetUp, env: Readonly<Record<string, string>>): Promise<Market> {
  const folder = scratchDirectory('shell');
  chmodSync(folder, 0o755);
  writeShellOffering(folder);
  return openMarket({ ...setUp, env: { ...setUp.env, ...env } }, [folder]);
}

/** A bwrap that fails as it does where the kernel lets no ordinary user make namespaces. */
function pathToPrivilegedBwrap(): string {
  const folder = scratchDirectory('bwrap');
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'bin'));
  const script = `#!/bin/sh
if [ "$(id -u)" != 0 ] && [ "$1" != --help ]; then echo "bwrap: No permissions to create new namespace" >&2; exit 1; fi
exec /usr/bin/bwrap "$@"
`;
  writeFileSync(join(folder, 'bin', 'bwrap'), script, { mode: 0o755 });
  return `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
}

const unit = (holding: Holding) =>
  listLaunched({ state: join(holding.base, 'state') }).map(({ identity }) => identity);

describeSetUp(byOrdinaryUserWithoutBwrap, () => {
  test('A start at which bwrap does not work says in one line what that means, and sells to one machine what it has', async () => {
    market = await open(byOrdinaryUserWithoutBwrap, {
      NODE_SANDBOX: 'auto',
      LOG_LEVEL: 'info',
      PATH: pathToPrivilegedBwrap(),
    });
    const lines = market.output().match(/.*without a sandbox.*/g);
    expect(lines).toEqual([
      expect.stringMatching(
        /: bwrap does not work for the user of programs \(bwrap: No permissions to create new namespace\)\. Whoever gets inside of one reaches what the broker itself can: /,
      ),
    ]);
    expect(market.offerings).toContain('shell');
  });

  test('ALLOW_UNISOLATED=false keeps from sale what runs programs, with the reason, and only that', async () => {
    market = await open(byOrdinaryUserWithoutBwrap, { ALLOW_UNISOLATED: 'false', LOG_LEVEL: 'warn' });
    expect(market.offerings).toEqual(expect.arrayContaining(['echo', 'filesystem']));
    expect(market.offerings).not.toContain('shell');
    expect(market.output()).toMatch(/No node keeps its programs apart from others/);
    await expect(market.buy('shell', 'small')).rejects.toThrow('There is no plan small of shell on sale.');
  });
});

for (const setUp of [byRoot, byOrdinaryUser])
  describeSetUp(setUp, () => {
    test('Programs in a sandbox go on when the broker is killed, and the next one has them in its hands', async () => {
      market = await open(setUp, {});
      const holding = await market.buy('shell', 'small');
      const before = unit(holding);
      expect(before).toHaveLength(1);
      await market.killAndStart();
      expect(await runInside(holding, 'echo alive')).toBe('alive\n');
      // Adopted, not made again; and still in its sandbox.
      expect(unit(holding)).toEqual(before);
      expect(await runInside(holding, `ls ${market.dataDir}/node/process | wc -l`)).not.toMatch(/^2$/);
      const pid = before[0]?.pid;
      await holding.deprovision();
      await until('the program is gone', () => !readdirSync('/proc').includes(String(pid)));
    });
  });

const noWalls = isInstalled('setpriv') ? byRoot : { ...byRoot, missing: 'there is no executable setpriv' };
describeSetUp({ ...noWalls, name: 'root, where only root makes namespaces' }, () => {
  test('Root makes the namespaces where nobody else may, and programs are neither root nor outside', async () => {
    market = await open(byRoot, { PATH: pathToPrivilegedBwrap() });
    const holding = await market.buy('shell', 'small');
    const said = await runInside(holding, `id -u; ls ${market.dataDir} 2>&1; grep CapEff /proc/self/status`);
    const [uid, ...rest] = said.trim().split('\n');
    expect(Number(uid)).toBeGreaterThan(0);
    expect(rest.join('\n')).not.toContain('encryption-keys');
    expect(rest.at(-1)).toBe('CapEff:\t0000000000000000');
    // The session that is ended with the instance is the one outside.
    const pid = unit(holding)[0]?.pid;
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain('bwrap');
  });
});
