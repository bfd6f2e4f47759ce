import type { Pool } from 'pg';
import { readConfig } from '../program/config.ts';
import { createLog } from '../telemetry/log.ts';
import { openDatabase } from '../program/opening/open-database.ts';
import { readSecrets } from '../program/opening/secrets.ts';
import type { KeyRing } from '../stores/keyring.ts';
import { isTurning, keysEvery, requireRekey, retireKeys } from '../stores/postgres/keys.ts';
import { resealRows } from '../stores/postgres/reseal.ts';
import { resealer } from '../stores/sealed.ts';
import { until } from '../system/until.ts';
import { print } from './output/print.ts';

/** Milliseconds that a database which is away is waited for. */
const patience = 3_000;
/** Milliseconds that brokers which are about to write with the first key are waited for. */
const turningTime = 3 * keysEvery;

/** @param saved the key is kept in a safe place, although no broker has been started with it */
export async function encryptAgain(saved: boolean): Promise<number> {
  const config = readConfig();
  const log = createLog(config);
  const { keys } = readSecrets(config, (made) => log.hide(made));
  const database = await openDatabase({
    config,
    note: (message) => log.note('info', message),
    hide: (secrets) => log.hide(secrets),
    observe: (event) => log.event(event),
    signal: AbortSignal.timeout(patience),
  });
  try {
    // What stands in the file is kept.
    await requireRekey(database.pool, keys, saved || config.encryptionKeys === undefined);
    await untilTurned(database.pool, keys);
    return await encryptAll(database.pool, keys);
  } finally {
    await database.close();
  }
}

async function untilTurned(pool: Pool, keys: KeyRing): Promise<void> {
  const hasTurned = async () => !(await isTurning(pool, keys));
  await until(hasTurned, { first: 200, longest: 200, limit: turningTime });
}

/** Gives the exit code. */
async function encryptAll(pool: Pool, keys: KeyRing): Promise<number> {
  const unread = new Map<string, string>();
  const kept = new Set<string>();
  const rows = await resealRows(pool, resealer(keys), {
    onUnreadable({ table, ids, confidential }, error) {
      unread.set(`${table} ${ids.join('/')}`, (error as Error).message);
      for (const { id } of keys.slice(1))
        if (confidential.includes(`"key":${JSON.stringify(id)}`)) kept.add(id);
    },
  });
  const { needed } = await retireKeys(pool, keys, [...kept]);
  for (const [place, detail] of unread)
    console.error(`Left as it is, since it cannot be read: ${place}. ${detail}`);
  const records = rows === 1 ? '1 record' : `${rows} records`;
  const rest =
    needed.length === 0
      ? 'Older keys are no longer needed.'
      : `Older keys are still needed: ${needed.join('; ')}.`;
  print(`Encrypted ${records} with the newest key. ${rest}`);
  return unread.size > 0 ? 1 : 0;
}
