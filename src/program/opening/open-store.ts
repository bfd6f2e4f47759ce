import type { Store } from '../../broker/store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { KeyRing } from '../../stores/keyring.ts';
import type { KeyHolder } from '../../stores/postgres/keys.ts';
import { sealedStore } from '../../stores/sealed.ts';
import type { Closing } from '../closing.ts';
import { watchKeys, type KeyWatch } from '../loops/key-watch.ts';
import { openDatabase, type DatabaseOpening, type OpenDatabase } from './open-database.ts';
import { untilAvailable } from './until-available.ts';

export interface StoreOpening extends DatabaseOpening {
  readonly keys: KeyRing;
  readonly log: Log;
}

export interface OpenStore {
  readonly database: OpenDatabase;
  /** All that is confidential lies encrypted. */
  readonly store: Store;
  readonly keys: KeyWatch;
  /** Stores the revisions of these plans. */
  readonly save: Store['saveRevisions'];
}

/**
 * The database, and the store on it, as soon as the keys are known to be good for it.
 * @throws Error when a key is missing or wrong
 */
export async function openStore(
  parts: StoreOpening,
  holder: KeyHolder,
  closing: Closing,
): Promise<OpenStore> {
  const { observe, log } = parts;
  const database = await openDatabase(parts);
  closing.add(database.close);
  const keys = await patiently(parts, () =>
    watchKeys({
      pool: database.pool,
      ring: parts.keys,
      holder,
      log,
      onTrouble: (error) =>
        observe({ type: 'trouble', doing: 'telling other brokers of its keys', detail: String(error) }),
    }),
  );
  closing.add(() => keys.stop());
  const store = sealedStore(
    database.store,
    () => keys.ring(),
    (row, detail) => observe({ type: 'unreadable', ...row, detail }),
  );
  return {
    database,
    store,
    keys,
    save: savingOnce((plans, audit) => patiently(parts, () => store.saveRevisions(plans, audit))),
  };
}

/** What was saved stays there: when a catalog of very many plans is loaded again, few are new. */
function savingOnce(save: OpenStore['save']): OpenStore['save'] {
  const saved = new Set<string>();
  return async (plans, audit) => {
    const fresh = plans.filter(({ revision }) => !saved.has(revision));
    await save(fresh, audit);
    for (const { revision } of fresh) saved.add(revision);
  };
}

/** Waits for the database when it is away. */
export function patiently<Result>(
  { note, signal }: Pick<DatabaseOpening, 'note' | 'signal'>,
  task: () => Promise<Result>,
): Promise<Result> {
  const onWait = (reason: string) => note(`The database cannot be reached, waiting for it: ${reason}`);
  return untilAvailable({ onWait, signal }, task);
}
