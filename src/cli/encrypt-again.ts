import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { auditEntry, underAudit } from '../broker/audit.ts';
import { Refusal } from '../broker/errors.ts';
import { type BrokerEvent, tellEnd, type CommandSummary } from '../broker/events.ts';
import type { JsonObject } from '../broker/json.ts';
import { readConfig } from '../program/config.ts';
import { createLog } from '../telemetry/log.ts';
import { openDatabase, type OpenDatabase } from '../program/opening/open-database.ts';
import { readSecrets } from '../program/opening/secrets.ts';
import type { KeyRing } from '../stores/keyring.ts';
import { isTurning, keysEvery, requireRekey, retireKeys } from '../stores/postgres/keys.ts';
import { resealRows } from '../stores/postgres/reseal.ts';
import { resealer } from '../stores/sealed.ts';
import { until } from '../system/until.ts';
import { originOfHere } from './origin-of-here.ts';
import { print, printJson } from './output/print.ts';
import { tellProgress } from './platform/show.ts';

/** Milliseconds that a database which is away is waited for. */
const patience = 20_000;
/** Milliseconds that brokers which are about to write with the first key are waited for. */
const turningTime = 3 * keysEvery;

/**
 * Gives the exit code; how it ended is told as an event, as the brokers do.
 * @param saved the key is kept in a safe place, although no broker has been started with it
 * @param json tell it to a program
 */
export async function encryptAgain(saved: boolean, json?: true): Promise<number> {
  const config = readConfig();
  const log = createLog(config);
  const { keys } = readSecrets(config, (made) => log.hide(made));
  // What stands in the file is kept.
  const isSaved = saved || config.encryptionKeys === undefined;
  const told = { origin: originOfHere(), summary: summaryOf };
  const encrypted = await tellEnd(
    (event) => log.event(event),
    told,
    async () => {
      const database = await openDatabase({
        config,
        note: (message) => log.note('info', message),
        hide: (secrets) => log.hide(secrets),
        observe: (event) => log.event(event),
        signal: AbortSignal.timeout(patience),
      });
      try {
        await requireRekey(database.pool, keys, isSaved).catch(refuse);
        await untilTurned(database.pool, keys);
        const context = contextOf(database, (event) => log.event(event));
        const object = { kind: 'keys', id: keys[0].id } as const;
        const entry = auditEntry(context, told.origin, { verb: 'rekey', object });
        return await underAudit(context, entry, () => encryptAll(database.pool, keys), resultOf);
      } finally {
        await database.close();
      }
    },
  );
  if (json) printJson(answerOf(encrypted));
  else show(encrypted);
  return encrypted.unread.size > 0 ? 1 : 0;
}

/** This program, as the audit trail knows it. */
function contextOf({ store }: OpenDatabase, observe: (event: BrokerEvent) => void) {
  return { store, observe, newId: randomUUID, settings: { holder: `${hostname()}-${process.pid}` } };
}

function resultOf({ records, unread }: Encrypted): JsonObject {
  return { records, unreadable: unread.size };
}

function summaryOf(encrypted: Encrypted | undefined): CommandSummary {
  return { kind: 'rekey', records: encrypted?.records, unreadable: encrypted?.unread.size };
}

/** It says as a sentence what would have been lost. */
function refuse(error: unknown): never {
  if (!(error instanceof Error) || error.constructor !== Error) throw error;
  throw new Refusal('conflict', error.message);
}

async function untilTurned(pool: Pool, keys: KeyRing): Promise<void> {
  const hasTurned = async () => !(await isTurning(pool, keys));
  await until(hasTurned, { first: 200, longest: 200, limit: turningTime });
}

interface Encrypted {
  readonly records: number;
  /** By what they are, why they cannot be read. */
  readonly unread: ReadonlyMap<string, string>;
  /** Older keys that must stay, and why, as clauses. */
  readonly needed: readonly string[];
}

async function encryptAll(pool: Pool, keys: KeyRing): Promise<Encrypted> {
  const unread = new Map<string, string>();
  const kept = new Set<string>();
  const records = await resealRows(pool, resealer(keys), {
    onProgress: createProgress(),
    onUnreadable({ table, ids, confidential }, error) {
      unread.set(`${table} ${ids.join('/')}`, (error as Error).message);
      for (const { id } of keys.slice(1))
        if (confidential.includes(`"key":${JSON.stringify(id)}`)) kept.add(id);
    },
  });
  const { needed } = await retireKeys(pool, keys, [...kept]);
  return { records, unread, needed };
}

/** Tells how far it is, at most once a second. */
function createProgress(): (seen: number, all: number) => void {
  let told = performance.now();
  return (seen, all) => {
    if (performance.now() - told < 1000) return;
    told = performance.now();
    tellProgress(`${seen} of ${Math.max(seen, all)} records looked at.`);
  };
}

function answerOf({ records, unread, needed }: Encrypted): object {
  return { records, unreadable: Object.fromEntries(unread), needed };
}

function show({ records, unread, needed }: Encrypted): void {
  for (const [place, detail] of unread)
    console.error(`Left as it is, since it cannot be read: ${place}. ${detail}`);
  const count = records === 1 ? '1 record' : `${records} records`;
  const rest =
    needed.length === 0
      ? 'Older keys are no longer needed.'
      : `Older keys are still needed: ${needed.join('; ')}.`;
  print(`Encrypted ${count} with the newest key. ${rest}`);
}
