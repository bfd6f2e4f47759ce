// Two real brokers, a real cluster and a real container engine.
import { openStepGate, type StepGate } from '../../faults/step-gate.ts';
import { whyNoCluster } from '../../support/cluster/binaries.ts';
import { whyNoEngine } from '../../support/container-engine.ts';
import { ask, casesOf, containersMade, killAtEach, objectsMade, untilEnded } from './killed-between-steps.ts';
import { type Engines, openEngines } from './open-engines.ts';
import { runEngines } from './run.ts';

const why = whyNoCluster() ?? whyNoEngine();
if (why !== undefined)
  process.stderr.write(`Tests with a real cluster and containers are skipped: ${why}.\n`);

(why === undefined ? describe : describe.skip)('With a real cluster and a real container engine,', () => {
  const offerings = ['spaces', 'boxes'] as const;
  let engines: Engines;
  let gate: StepGate;
  beforeAll(async () => {
    engines = await openEngines();
    // Alone at first, so that containers are placed on its node.
    await engines.slots[0].start();
    gate = await openStepGate(engines.database);
    for (const deed of ['provision', 'deprovision'] as const) {
      for (const offering of offerings) await ask(engines, deed, { id: offering, offering });
      await untilEnded(engines, deed, offerings);
    }
  });
  afterAll(async () => {
    await gate?.close();
    await engines?.close();
  });

  it('Whichever step a broker is killed at, others go on, and nothing is made twice or left.', async () => {
    const provisions = await casesOf(engines, 'provision', offerings);
    const removals = await casesOf(engines, 'deprovision', offerings);
    for (const [deed, cases] of [
      ['provision', provisions],
      ['deprovision', removals],
    ] as const) {
      expect(new Set(cases.map(({ offering }) => offering))).toEqual(new Set(offerings));
      const ids = cases.map(({ id }) => id);
      await killAtEach(engines, gate, { deed, cases });
      await untilEnded(engines, deed, ids);
    }
    const gone = new Set(removals.map(({ id }) => id));
    const rest = provisions.filter(({ id }) => !gone.has(id));
    await Promise.all(rest.map((one) => ask(engines, 'deprovision', one)));
    await untilEnded(
      engines,
      'deprovision',
      rest.map(({ id }) => id),
    );
    const [objects, containers] = [objectsMade(engines), containersMade(engines)];
    expect(objects.length).toBeGreaterThan(provisions.length);
    expect(containers.length).toBeGreaterThan(2);
    const made = [...objects, ...containers];
    expect(made.filter((one, index) => made.indexOf(one) !== index)).toEqual([]);
  }, 1_500_000);

  it('After many operations with faults there are exactly the objects and containers that the rows name.', async () => {
    const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
    const { faults, ...report } = await runEngines(engines, { seed, count: 60, time: 60_000 });
    const told =
      faults.length === 0 ? '' : `seed ${seed}, ${JSON.stringify(report)}:\n${faults.join('\n\n')}`;
    expect(told).toBe('');
  }, 900_000);
});
