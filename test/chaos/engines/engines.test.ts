// Two real brokers, a real cluster and a real container engine.
import { whyNoCluster } from '../../support/cluster/binaries.ts';
import { whyNoEngine } from '../../support/container-engine.ts';
import { type Engines, openEngines } from './open-engines.ts';
import { runEngines } from './run.ts';

const why = whyNoCluster() ?? whyNoEngine();
if (why !== undefined)
  process.stderr.write(`Tests with a real cluster and containers are skipped: ${why}.\n`);

(why === undefined ? describe : describe.skip)('With a real cluster and a real container engine,', () => {
  let engines: Engines;
  beforeAll(async () => {
    engines = await openEngines();
  });
  afterAll(async () => {
    await engines?.close();
  });

  it('After many operations with faults there are exactly the objects and containers that the rows name.', async () => {
    const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
    const { faults, ...report } = await runEngines(engines, { seed, count: 60, time: 60_000 });
    const told =
      faults.length === 0 ? '' : `seed ${seed}, ${JSON.stringify(report)}:\n${faults.join('\n\n')}`;
    expect(told).toBe('');
  }, 900_000);
});
