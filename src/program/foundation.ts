// The parts that compose.ts puts together: what is needed to start, to be ready and to stop.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createBroker, type Broker } from '../broker/broker.ts';
import type { Settings } from '../broker/deps.ts';
import type { Store } from '../broker/store.ts';
import { revivePlan } from '../catalog/compile.ts';
import type { Config } from '../config.ts';
import { openDatabase, type DatabaseOpening } from './open-database.ts';
import { postgresMessages, type Messages } from '../provisioners/echo/messages.ts';
import type { Registry } from '../provisioners/index.ts';
import { newSecret } from './random.ts';
import { plansOf, type CurrentCatalog } from './current-catalog.ts';
import { sealedStore } from '../stores/sealed.ts';
import type { KeyRing } from '../stores/keyring.ts';
import { requireKeys } from '../stores/postgres/keys.ts';
import { untilAvailable } from './until-available.ts';
import { within } from './within.ts';
import { startWorker } from '../worker.ts';

/** What stands behind the protocols: all that needs the database. */
export interface Foundation {
  readonly broker: Broker;
  readonly store: Store;
  readonly messages: Messages;
  /** Where the state is, in words fit for a log. */
  readonly origin: string;
  reload(): Promise<void>;
  /** Takes up no more work and waits for what runs, at most this many milliseconds. */
  rest(withinMs: number): Promise<void>;
  /** Ends what still runs and leaves it to other brokers. */
  handOver(): Promise<void>;
  /** Lets go of the database. */
  close(): Promise<void>;
}

export interface FoundationParts extends DatabaseOpening {
  readonly url: string;
  readonly keys: KeyRing;
  readonly currentCatalog: CurrentCatalog;
  readonly provisioners: Registry;
}

/** Ends when everything works: the tables are there, the plans are stored, the worker runs. */
export async function openFoundation(parts: FoundationParts): Promise<Foundation> {
  const { config, currentCatalog, provisioners, observe, note, signal } = parts;
  const database = await openDatabase(parts);
  const store = sealedStore(database.store, parts.keys);
  const patience = (what: string) => ({
    onWait: (reason: string) => note(`The database cannot be reached, ${what} for it: ${reason}`),
    signal,
  });
  const save: Store['saveRevisions'] = (plans) =>
    untilAvailable(patience('the catalog waits'), () => store.saveRevisions(plans));
  try {
    await untilAvailable(patience('the start waits'), () => requireKeys(database.pool, parts.keys));
    await save(plansOf(currentCatalog.catalog()));
  } catch (error) {
    await database.close();
    throw error;
  }
  const { broker, work } = createBroker({
    store,
    catalog: () => currentCatalog.catalog(),
    revive: revivePlan,
    provisioner: (name) => provisioners.get(name),
    observe,
    newId: randomUUID,
    newSecret,
    now: () => new Date(),
    settings: settingsOf(config, parts.url),
  });
  const worker = startWorker({ work, concurrency: config.workers, observe });
  const stopListening = store.listen((hint) => {
    work.heed(hint);
    if ('due' in hint) worker.wake();
  });
  const watch = currentCatalog.watch(save);
  return {
    broker,
    store,
    messages: postgresMessages(database.pool),
    origin: database.origin,
    reload: () => watch.reload(),
    async rest(withinMs) {
      await Promise.all([worker.stop(withinMs), within(withinMs, work.rest())]);
    },
    handOver: () => work.handOver(),
    async close() {
      await Promise.all([watch.close(), stopListening()]);
      await database.close();
    },
  };
}

function settingsOf(config: Config, url: string): Settings {
  return {
    url,
    holder: `${hostname()}-${process.pid}-${newSecret(6)}`,
    asyncPatience: config.asyncPatience,
    syncPatience: config.syncPatience,
    lease: config.lease,
    retention: config.history,
  };
}
