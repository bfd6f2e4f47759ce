import { randomUUID } from 'node:crypto';
import { createBroker } from '../../src/broker/broker.ts';
import type { Broker } from '../../src/broker/broker.ts';
import type { Catalog } from '../../src/broker/catalog.ts';
import type { Store } from '../../src/broker/store.ts';
import { revivePlan } from '../../src/catalog/compile.ts';
import type { Registry } from '../../src/provisioners/index.ts';
import { memoryDatabase } from '../../src/stores/memory/index.ts';
import { newSecret } from '../../src/program/opening/random.ts';

/** The real core, as it is composed, without a worker: it carries what is asked without accepts_incomplete. */
export function aBroker(store: Store, catalog: Catalog, known: Registry): Broker {
  const { nodes, users, orphans } = memoryDatabase();
  const patience = { asyncPatience: 250, syncPatience: 30_000 };
  return createBroker({
    store,
    nodes,
    users,
    orphans,
    peer: ({ name }) => {
      throw new Error(`There is no node '${name}'.`);
    },
    catalog: () => catalog,
    seals: { seal: () => '', open: () => undefined },
    hidden: () => [],
    revive: revivePlan,
    provisioner: (name) => known.get(name),
    inventories: () => known.all,
    observe: () => undefined,
    newId: () => randomUUID(),
    newSecret,
    now: () => new Date(),
    uptime: () => performance.now(),
    settings: { url: '', holder: 'test', ...patience, lease: 15_000, retention: 60_000 },
  }).broker;
}
