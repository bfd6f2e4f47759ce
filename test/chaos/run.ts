// Lives of instances on the one hand, faults on the other, and in the end a verdict.
import { setTimeout as pause } from 'node:timers/promises';
import { chanceFrom, type Bounds } from '../fuzz/random.ts';
import { until } from '../support/until.ts';
import { mend, openCluster, type Cluster } from './cluster.ts';
import { strikes } from './faults.ts';
import { createPlatform, type Platform } from './platform.ts';
import { judge } from './verdict.ts';

export interface ChaosReport {
  readonly counts: Platform['counts'];
  readonly kept: number;
  /** How often each fault has struck. */
  readonly struck: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

/** Lives that go on at once. */
const abreast = 8;
/** Milliseconds that everything may take to come to rest. */
const restMs = 180_000;

/** @param bounds `count` is of lives */
export async function runChaos({ seed, count, time }: Bounds): Promise<ChaosReport> {
  const cluster = await openCluster();
  const platform = createPlatform(cluster, chanceFrom(seed));
  const end = performance.now() + time;
  let begun = 0;
  const isOver = () => begun >= count || performance.now() > end;
  const living = Array.from({ length: abreast }, async () => {
    while (!isOver()) {
      begun++;
      await platform.live();
    }
  });
  const struck = await strike(cluster, seed, isOver);
  await mend(cluster);
  platform.stop();
  const faults: string[] = [];
  const isRested = await within(restMs, Promise.all(living));
  if (!isRested) faults.push('The platform never came to an end with what it had begun.');
  if (isRested) faults.push(...(await settled(cluster, platform)));
  await cluster.close();
  return {
    counts: platform.counts,
    kept: platform.believed.size,
    struck,
    faults: [...platform.faults, ...faults],
  };
}

async function strike(
  cluster: Cluster,
  seed: number,
  isOver: () => boolean,
): Promise<Record<string, number>> {
  const chance = chanceFrom(seed + 1);
  const struck: Record<string, number> = {};
  while (!isOver()) {
    await pause(500 + chance.below(2500));
    const [name, happen] = chance.of(Object.entries(strikes));
    struck[name] = (struck[name] ?? 0) + 1;
    await happen(cluster, chance);
  }
  return struck;
}

/** What is left over is removed by and by: the last verdict counts. */
async function settled(cluster: Cluster, platform: Platform): Promise<readonly string[]> {
  let last: readonly string[] = [];
  const isQuiet = async () => {
    last = await judge(cluster, platform);
    if (last.length > 0) await pause(1000);
    return last.length === 0;
  };
  await until('all is as it should be', isQuiet, restMs).catch(() => undefined);
  return last;
}

function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), pause(ms, false, { ref: false })]);
}
