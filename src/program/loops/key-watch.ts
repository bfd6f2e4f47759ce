import type { Pool } from 'pg';
import type { Log } from '../../telemetry/log.ts';
import { preferring, type KeyRing } from '../../stores/keyring.ts';
import {
  keysEvery,
  leaveKeys,
  requireKeys,
  tellKeys,
  type KeyHolder,
  type KeyState,
} from '../../stores/postgres/keys.ts';
import { startRounds } from './rounds.ts';

export interface KeyWatchParts {
  readonly pool: Pool;
  readonly ring: KeyRing;
  /** This broker, as the others know it. */
  readonly holder: KeyHolder;
  readonly log: Pick<Log, 'note'>;
  /** Told when the others cannot be told; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** Milliseconds between two times that it is told which keys there are. */
  readonly every?: number;
}

/** The keys of this broker, with those of all who share the database in view. */
export interface KeyWatch {
  /** The one to write with first: as long as a broker lives that lacks the newest, an older one. */
  ring(): KeyRing;
  state(): KeyState;
  /** The others need not wait for this broker any more. */
  stop(): Promise<void>;
}

/**
 * Tells the other brokers which keys this one has, now and from now on.
 * @throws Error when it lacks one that the database needs; Refusal unavailable when that cannot be known
 */
export async function watchKeys(parts: KeyWatchParts): Promise<KeyWatch> {
  const { pool, ring, holder, onTrouble, every = keysEvery } = parts;
  let state = await requireKeys(pool, ring, holder);
  let preferred = preferring(ring, state.writes);
  tellStart(parts, state);
  const rounds = startRounds(async () => {
    await beat().catch(onTrouble);
    return every;
  }, every);

  async function beat(): Promise<void> {
    const before = state;
    state = await tellKeys(pool, ring, holder, before.writes);
    preferred = preferring(ring, state.writes);
    tellChange(parts, before, state);
  }

  return {
    ring: () => preferred,
    state: () => state,
    async stop() {
      await rounds.stop();
      // When nobody can be told, the others take it for gone after a while all the same.
      await leaveKeys(pool, holder).catch(onTrouble);
    },
  };
}

function tellStart({ ring: [first], log }: KeyWatchParts, { writes, behind }: KeyState): void {
  if (writes === first.id) return;
  log.note('warn', 'the first encryption key is not used yet, since brokers that run could not read it', {
    key: first.id,
    writes,
    lackedBy: behind,
  });
}

function tellChange({ log }: KeyWatchParts, before: KeyState, { writes, missing }: KeyState): void {
  if (writes !== before.writes)
    log.note('info', 'another encryption key is used from now on', { key: writes });
  const lost = missing.filter((id) => !before.missing.includes(id));
  if (lost.length > 0)
    log.note('error', 'this broker lacks encryption keys that others write with: restart it with them', {
      keys: lost,
    });
}
