// Two real brokers, a real cluster and a real container engine.
import { openStepGate, type StepGate } from '../../faults/step-gate.ts';
import { whyNoCluster } from '../../support/cluster/binaries.ts';
import { whyNoEngine } from '../../support/container-engine.ts';
import {
  ask,
  casesOf,
  containersMade,
  deeds,
  killAtEach,
  objectsMade,
  untilEnded,
} from './killed-between-steps.ts';
import { type Engines, openEngines } from './open-engines.ts';
import { runEngines } from './run.ts';
import { thingsThere } from './verdict.ts';

const why = whyNoCluster() ?? whyNoEngine();
if (why !== undefined)
  process.stderr.write(`Tests with a real cluster and containers are skipped: ${why}.\n`);

(why === undefined ? describe : describe.skip)('With a real cluster and a real container engine,', () => {
  const offerings = ['spaces', 'boxes'] as const;
  const named = Object.keys(deeds) as (keyof typeof deeds)[];
  let engines: Engines;
  let gate: StepGate;
  beforeAll(async () => {
    engines = await openEngines();
    // Alone at first, so that containers are placed on its node.
    await engines.slots[0].start();
    gate = await openStepGate(engines.database);
    for (const deed of named) {
      for (const offering of offerings) await ask(engines, deed, { id: offering, offering });
      await untilEnded(engines, deed, offerings);
    }
  });
  afterAll(async () => {
    await gate?.close();
    await engines?.close();
  });

  it('Whichever step of a deed a broker is killed at, others go on, and nothing is made twice or left.', async () => {
    const cases = await Promise.all(named.map((deed) => casesOf(engines, deed, offerings)));
    for (const of of cases) expect(new Set(of.map(({ offering }) => offering))).toEqual(new Set(offerings));
    const all = [...new Map(cases.flat().map(({ id, offering }) => [id, { id, offering }])).values()];
    const ids = all.map(({ id }) => id);
    for (const [index, deed] of named.entries()) {
      const [before, since] = [objectsMade(engines).length, Math.floor(Date.now() / 1000)];
      await killAtEach(engines, gate, { deed, cases: cases[index] ?? [], all });
      await untilEnded(engines, deed, ids);
      const [objects, containers] = [objectsMade(engines).slice(before), containersMade(engines, since)];
      const made = [...objects, ...containers];
      expect(made.filter((one, at) => made.indexOf(one) !== at)).toEqual([]);
      const boxes = all.filter(({ offering }) => offering === 'boxes').length;
      // An update makes containers anew.
      expect([deed, containers.length]).toEqual([
        deed,
        deed === 'provision' || deed === 'update' ? boxes : 0,
      ]);
      const makesObjects = deed === 'provision' || deed === 'bind' || deed === 'update';
      expect([deed, objects.length > 0]).toEqual([deed, makesObjects]);
    }
    expect(await thingsThere(engines)).toEqual([]);
  }, 1_500_000);

  it('After many operations with faults there are exactly the objects and containers that the rows name.', async () => {
    const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
    const { faults, ...report } = await runEngines(engines, { seed, count: 60, time: 60_000 });
    const told =
      faults.length === 0 ? '' : `seed ${seed}, ${JSON.stringify(report)}:\n${faults.join('\n\n')}`;
    expect(told).toBe('');
  }, 900_000);
});
