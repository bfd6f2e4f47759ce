// Operations on instances in a cluster and in containers, while things happen to these and to the brokers.
import { chanceFrom, type Bounds, type Chance } from '../../fuzz/random.ts';
import { mendBrokers } from '../cluster.ts';
import { createPlatform } from '../platform.ts';
import { type ChaosReport, runStage } from '../run.ts';
import { offeringNames, plans } from './offerings.ts';
import type { Engines } from './open-engines.ts';
import { strikes } from './strikes.ts';
import { judge } from './verdict.ts';

/** @param bounds `count` is of operations */
export async function runEngines(engines: Engines, bounds: Bounds): Promise<ChaosReport> {
  await mendBrokers(engines.slots);
  const platform = createPlatform({
    slots: engines.slots,
    offerings: offeringNames,
    plans: Object.keys(plans),
    chance: chanceFrom(bounds.seed),
  });
  const named = Object.entries(strikes).map(
    ([name, happen]) => [name, (chance: Chance) => happen(engines, chance)] as const,
  );
  return runStage(
    {
      platform,
      strikes: Object.fromEntries(named),
      mend: () => mendBrokers(engines.slots),
      judge: () => judge(engines, platform),
      close: async () => undefined,
    },
    bounds,
    () => platform.counts.operations >= bounds.count,
  );
}
