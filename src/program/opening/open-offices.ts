import type { Pool } from 'pg';
import type { Broker } from '../../broker/broker.ts';
import type { BrokerContext } from '../../broker/context.ts';
import type { Authorities } from '../../broker/nodes.ts';
import type { Offices } from '../../broker/offices/index.ts';
import { openBackupTurns } from '../backups/open.ts';
import { lateAuthorityOffice } from '../authority/late.ts';
import type { UpkeepParts } from '../loops/upkeep.ts';
import { openUpgrades } from '../upgrades/open.ts';
import { openWebhooks } from '../webhooks/open.ts';
import { patiently, type StoreOpening } from './open-store.ts';

interface OfficesParts {
  readonly pool: Pool;
  readonly broker: Broker;
  readonly authorities: Authorities;
}

/** What operators ask beside deeds with instances, and those of it that have something to do in the background. */
export async function openOffices(
  parts: StoreOpening,
  core: BrokerContext,
  { pool, broker, authorities }: OfficesParts,
): Promise<{
  readonly offices: Offices;
  readonly workers: UpkeepParts['others'];
  /** Reads the files of them again. */
  readonly reload: () => Promise<void>;
}> {
  const upgrades = openUpgrades(pool, broker, core);
  const webhooks = await patiently(parts, () => openWebhooks(pool, parts, core));
  return {
    offices: {
      authorities: lateAuthorityOffice(authorities, core),
      upgrades: upgrades.office,
      webhooks: webhooks.office,
    },
    workers: [
      upgrades.worker,
      webhooks.worker,
      openBackupTurns(pool, broker, { ...core, workers: parts.config.workers }),
    ],
    reload: () => webhooks.reload(),
  };
}
