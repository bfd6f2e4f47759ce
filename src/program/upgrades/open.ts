import type { Pool } from 'pg';
import type { Broker } from '../../broker/broker.ts';
import type { BrokerContext } from '../../broker/context.ts';
import type { UpgradeOffice } from '../../broker/offices/upgrades.ts';
import { startWorker, type Worker } from '../loops/worker.ts';
import { upgradeWork } from './carry.ts';
import { heldUpgrades } from './held.ts';
import { createUpgradeOffice } from './office.ts';
import { storedUpgrades } from './stored.ts';

/** Runs that one broker carries on at a time. */
const runsAtOnce = 4;

/** What operators ask of runs of upgrades, and the loop that carries them on. */
export function openUpgrades(
  pool: Pool,
  broker: Broker,
  context: Pick<BrokerContext, 'observe' | 'newId' | 'settings'>,
): { readonly office: UpgradeOffice; readonly worker: Worker } {
  const runs = storedUpgrades(pool);
  const held = heldUpgrades(pool, context.settings.holder);
  const worker = startWorker({
    work: upgradeWork({ runs, held, broker, context }),
    what: 'upgrades to be carried on',
    concurrency: runsAtOnce,
    observe: context.observe,
  });
  const office = createUpgradeOffice({
    runs,
    instances: (query) => broker.overview.instances(query),
    context,
    wake: () => worker.wake(),
  });
  return { office, worker };
}
