// Everything that is asked of brokers, and that they do by themselves, in two places in turns.
import { chanceFrom, type Chance } from '../fuzz/random.ts';
import { measureLoops } from './loops.ts';
import type { Place, PlacedBroker } from './place.ts';
import { measureRekey } from './rekey.ts';
import { sample, summed, timed, type Measured, type Pair } from './samples.ts';
import { ask, lifeOf, looks, type Asker, type Stop } from './tour.ts';
import { idOf } from './world.ts';

export interface ScaleBounds {
  readonly seed: number;
  /** When nothing new is measured any more, by the clock of the process. */
  readonly end: number;
}

export async function measureAll(
  places: Pair<Place>,
  { seed, end }: ScaleBounds,
): Promise<readonly Measured[]> {
  const all: Measured[] = [];
  const isTime = () => performance.now() < end;
  all.push(await measureStarts(places));
  const brokers = [await places[0].start('one'), await places[1].start('one')] as const;
  const askers = both(brokers, ({ asker }) => asker);
  const chance = chanceFrom(seed);
  for (const look of looks) if (isTime()) all.push(...(await measureLook(places, askers, look, chance)));
  for (const offering of ['echoes', 'counted', 'folders'])
    if (isTime()) all.push(...(await measureLives(askers, offering)));
  await Promise.all(brokers.map((one) => one.stop()));
  if (isTime()) all.push(...(await measureBrokers(places, seed)));
  if (isTime()) all.push(...(await measureLoops(places)));
  if (isTime()) all.push(await measureRekey(places));
  return all;
}

export function both<One, Other>([few, many]: Pair<One>, make: (one: One) => Other): Pair<Other> {
  return [make(few), make(many)];
}

async function measureStarts(places: Pair<Place>): Promise<Measured> {
  const took: Pair<number[]> = [[], []];
  for (let times = 0; times < 5; times++)
    for (const at of [0, 1] as const) {
      const broker = await places[at].start('one');
      took[at].push(broker.startMs);
      await broker.stop();
    }
  return summed('start of a broker', took);
}

async function measureLook(
  places: Pair<Place>,
  askers: Pair<Asker>,
  look: Stop,
  chance: Chance,
): Promise<readonly Measured[]> {
  const first = await sample(look.name, [
    () => ask(askers[0], elsewhere(look, chance, places[0].count)),
    () => ask(askers[1], elsewhere(look, chance, places[1].count)),
  ]);
  const [few, many] = [await ask(askers[0], look), await ask(askers[1], look)];
  if (few === undefined || many === undefined) return [first];
  const further = (next: string) => {
    const [path, query] = look.path.split('?');
    const asked = new URLSearchParams(query);
    asked.set('after', next);
    return { ...look, path: `${path}?${asked.toString()}` };
  };
  const following: Pair<() => Promise<unknown>> = [
    () => ask(askers[0], further(few)),
    () => ask(askers[1], further(many)),
  ];
  return [first, await sample(`${look.name}, the page that follows`, following, { ms: 500 })];
}

/** The same of another instance, which is plain too. */
function elsewhere(look: Stop, chance: Chance, count: number): Stop {
  const other = idOf(10 * chance.below(Math.floor(count / 10)) + 5);
  return { ...look, path: look.path.replaceAll(idOf(75), other) };
}

async function measureLives(askers: Pair<Asker>, offering: string): Promise<readonly Measured[]> {
  const took = new Map<string, Pair<number[]>>();
  for (let turn = 0; turn < 30; turn++)
    for (const step of lifeOf(offering, `scale-${offering}-${turn}`)) {
      const times = took.get(step.name) ?? [[], []];
      took.set(step.name, times);
      for (const at of [0, 1] as const) times[at].push(await timed(() => ask(askers[at], step)));
    }
  return [...took].map(([name, times]) => summed(name, times));
}

/** Lives of plain instances, sixteen at once, spread over so many brokers: operations that end in a second. */
async function measureBrokers(places: Pair<Place>, seed: number): Promise<readonly Measured[]> {
  const all: Measured[] = [];
  const brokers: Pair<PlacedBroker[]> = [[], []];
  for (const many of [1, 2, 4]) {
    const rates: number[] = [];
    for (const at of [0, 1] as const) {
      while (brokers[at].length < many)
        brokers[at].push(await places[at].start(`broker-${brokers[at].length}`));
      const askers = brokers[at].map(({ asker }) => asker);
      await carry(askers, `warm-${seed}-${many}`, 1000);
      rates.push(await carry(askers, `lives-${seed}-${many}`, 5000));
    }
    const [few = NaN, more = NaN] = rates;
    const name = `operations of ${many === 1 ? 'a broker' : `${many} brokers`}, sixteen at once`;
    all.push({ name, half: [few, more] });
  }
  await Promise.all(brokers.flat().map((one) => one.stop()));
  return all;
}

async function carry(askers: readonly Asker[], word: string, ms: number): Promise<number> {
  const begun = performance.now();
  let [lives, operations] = [0, 0];
  const live = async (asker: Asker) => {
    while (performance.now() - begun < ms) {
      for (const step of lifeOf('echoes', `${word}-${(lives += 1)}`)) {
        await ask(asker, step);
        operations += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, at) => live(askers[at % askers.length] as Asker)));
  return operations / ((performance.now() - begun) / 1000);
}
