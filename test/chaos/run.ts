// Lives of instances on the one hand, faults on the other, and in the end a verdict.
import { setTimeout as pause } from 'node:timers/promises';
import { chanceFrom, type Bounds, type Chance } from '../fuzz/random.ts';
import { until } from '../support/until.ts';
import { mend, openCluster } from './cluster.ts';
import { strikes } from './faults.ts';
import { offeringNames } from './offerings.ts';
import { createPlatform, type Platform } from './platform.ts';
import { createTsuru } from './tsuru.ts';
import { judge } from './verdict.ts';

export interface ChaosReport {
  readonly counts: Platform['counts'];
  readonly kept: number;
  /** How often each fault has struck. */
  readonly struck: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

/** What it happens on. */
export interface Stage {
  readonly platform: Platform;
  /** Each ends when all is as before, but for what goes on by itself. */
  readonly strikes: Readonly<Record<string, (chance: Chance) => Promise<void>>>;
  mend(): Promise<void>;
  /** Everything that is wrong, as sentences. */
  judge(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Lives that go on at once. */
const abreast = 8;
/** Different things that happen, however slow the machine is. */
const leastStruck = 2;
/** Milliseconds that everything may take to come to rest. */
const restMs = 180_000;

/** @param bounds `count` is of lives, a third of which are of a tsuru */
export async function runChaos(bounds: Bounds): Promise<ChaosReport> {
  const cluster = await openCluster();
  const { slots } = cluster;
  const parts = { slots, offerings: offeringNames, chance: chanceFrom(bounds.seed) };
  const platform = bothOf(createPlatform(parts), createTsuru(parts), parts.chance);
  const named = Object.entries(strikes).map(
    ([name, happen]) => [name, (chance: Chance) => happen(cluster, chance)] as const,
  );
  return runStage(
    {
      platform,
      strikes: Object.fromEntries(named),
      mend: () => mend(cluster),
      judge: () => judge(cluster, platform),
      close: () => cluster.close(),
    },
    bounds,
    () => platform.counts.lives >= bounds.count,
  );
}

/** Each life is of one of them. */
function bothOf<Name extends string>(
  one: Platform<Name>,
  other: Platform<Name>,
  chance: Chance,
): Platform<Name> {
  const sum = (what: keyof Platform['counts']) => one.counts[what] + other.counts[what];
  return {
    live: () => (chance.once(3) ? other : one).live(),
    stop() {
      one.stop();
      other.stop();
    },
    get believed() {
      return new Map([...one.believed, ...other.believed]);
    },
    get faults() {
      return [...one.faults, ...other.faults];
    },
    get counts() {
      return {
        lives: sum('lives'),
        operations: sum('operations'),
        requests: sum('requests'),
        lost: sum('lost'),
        mitigated: sum('mitigated'),
      };
    },
  };
}

/** @param isEnough nothing new is begun when it is, or when the time is over, and so many things have happened */
export async function runStage(
  stage: Stage,
  { seed, time }: Pick<Bounds, 'seed' | 'time'>,
  isEnough: () => boolean,
): Promise<ChaosReport> {
  const { platform } = stage;
  const end = performance.now() + time;
  const struck: Record<string, number> = {};
  const isOver = () => (isEnough() || performance.now() > end) && Object.keys(struck).length >= leastStruck;
  const living = Array.from({ length: abreast }, async () => {
    while (!isOver()) await platform.live();
  });
  try {
    await strike(stage, seed, struck, isOver);
    await stage.mend();
    platform.stop();
    const faults: string[] = [];
    const isRested = await within(restMs, Promise.all(living));
    if (!isRested) faults.push('The platform never came to an end with what it had begun.');
    if (isRested) faults.push(...(await settled(stage)));
    return {
      counts: platform.counts,
      kept: platform.believed.size,
      struck,
      faults: [...platform.faults, ...faults],
    };
  } finally {
    await stage.close();
  }
}

async function strike(
  { strikes: all }: Stage,
  seed: number,
  struck: Record<string, number>,
  isOver: () => boolean,
): Promise<void> {
  const chance = chanceFrom(seed + 1);
  while (!isOver()) {
    await pause(500 + chance.below(2500));
    const least = Math.min(...Object.keys(all).map((name) => struck[name] ?? 0));
    // Each of them before any comes again.
    const [name, happen] = chance.of(Object.entries(all).filter(([of]) => (struck[of] ?? 0) === least));
    struck[name] = (struck[name] ?? 0) + 1;
    await happen(chance);
  }
}

/** What is left over is removed by and by: the last verdict counts. */
async function settled(stage: Stage): Promise<readonly string[]> {
  let last: readonly string[] = [];
  const isQuiet = async () => {
    last = await stage.judge();
    if (last.length > 0) await pause(1000);
    return last.length === 0;
  };
  await until('all is as it should be', isQuiet, restMs).catch(() => undefined);
  return last;
}

function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), pause(ms, false, { ref: false })]);
}
