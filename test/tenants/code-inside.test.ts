import { randomUUID } from 'node:crypto';
import { chmodSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { type Holding, type Market, openMarket } from './market.ts';
import * as setUps from './set-ups.ts';
import { runInside, writeShellOffering } from './shell.ts';

/** Who has found a hole in a program and runs code inside an instance: how far that goes in each set-up. */

const { describeSetUp, byRoot, byRootWithoutBwrap, byOrdinaryUser, byOrdinaryUserWithoutBwrap } = setUps;

for (const setUp of [byRoot, byRootWithoutBwrap, byOrdinaryUser, byOrdinaryUserWithoutBwrap]) {
  describeSetUp(setUp, () => {
    let market: Market;
    let mine: Holding;
    let neighbour: Holding;
    const planted = `planted-${randomUUID()}`;
    beforeAll(async () => {
      const folder = scratchDirectory('shell');
      chmodSync(folder, 0o755);
      writeShellOffering(folder);
      market = await openMarket(setUp, [folder]);
      [mine, neighbour] = await Promise.all([market.buy('shell', 'small'), market.buy('shell', 'small')]);
      await runInside(neighbour, `echo ${planted} > planted; cat planted`);
    });
    afterAll(() => market?.close());

    const isOpen = !setUp.closesBroker;
    const reaches = isOpen ? 'reaches' : 'does not reach';
    /** Of what is neither promised nor open in any case, nothing is said. */
    const ofNeighbours = setUp.closesNeighbours || isOpen ? test : test.skip;

    test('Code inside an instance works with what is its own.', async () => {
      const said = await runInside(mine, 'echo own > own; cat own; cat ../conf/secret; echo $INNER');
      expect(said).toMatch(/^own\n(\w{32})\1\n$/);
    });

    ofNeighbours(`Code inside an instance ${reaches} the files of a neighbour.`, async () => {
      const { base } = neighbour;
      const secret = readFileSync(join(base, 'conf', 'secret'), 'utf8');
      const said = await runInside(
        mine,
        `cat ${base}/conf/secret ${base}/data/planted; ls ${base}/data; touch ${base}/data/touched; ls ${base}/data`,
      );
      const found = [secret, planted, 'touched\n'].map((one) => said.includes(one));
      expect(found).toEqual([isOpen, isOpen, isOpen]);
    });

    test(`Code inside an instance ${reaches} the secrets and the database of the broker.`, async () => {
      const kept = ['encryption-keys', 'operator-password'].map((name) => join(market.dataDir, name));
      const cluster = realpathSync(join(market.dataDir, 'postgres'));
      const said = await runInside(mine, `cat ${kept.join(' ')}; ls ${cluster} ${cluster}/cluster`);
      const contents = kept.map((file) => readFileSync(file, 'utf8').trim());
      expect(contents.map((content) => said.includes(content))).toEqual([isOpen, isOpen]);
      expect(said.includes('postmaster.pid')).toBe(isOpen);
    });

    ofNeighbours(`Code inside an instance ${reaches} the environments of others.`, async () => {
      const said = await runInside(mine, "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'");
      const secret = readFileSync(join(neighbour.base, 'conf', 'secret'), 'utf8');
      expect(said).toContain(`PURVEYOR_INSTANCE=${mine.id}`);
      expect([said.includes(secret), said.includes('BROKER_PASSWORD')]).toEqual([isOpen, isOpen]);
    });

    ofNeighbours(`Code inside an instance ${reaches} the processes of others.`, async () => {
      const [unit] = listLaunched({ state: join(neighbour.base, 'state') });
      if (!unit) throw new Error('The neighbour does not run.');
      const said = await runInside(mine, `kill -0 ${unit.identity.pid} && echo reached`);
      expect(said.includes('reached')).toBe(isOpen);
    });

    (setUp.closesNeighbours ? test : test.skip)(
      'Code inside an instance that ends all it can leaves its neighbour and the broker alone.',
      async () => {
        const [unit] = listLaunched({ state: join(neighbour.base, 'state') });
        // Where it could end the neighbour, it could end others of this machine, too.
        const said = await runInside(
          mine,
          `kill -0 ${unit?.identity.pid} && echo reached || kill -9 -1`,
        ).catch(() => '');
        expect(said).not.toContain('reached');
        expect(await runInside(neighbour, 'cat planted')).toBe(`${planted}\n`);
        const another = await market.buy('echo', 'large');
        await another.deprovision();
        await until('the own instance is healed', async () =>
          (await runInside(mine, 'echo again').catch(() => '')).includes('again'),
        );
      },
    );
  });
}
