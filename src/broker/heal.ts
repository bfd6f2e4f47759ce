import type { Monitor } from './catalog.ts';
import type { Healing, UnitSeen } from './units.ts';

/** Milliseconds before the first restart of what has failed, the second, and all others. */
const pauses = [1000, 4000, 16_000] as const;
/** Milliseconds after the begin of a restart until somebody looks what has become of it. */
const lookAfterRestart = 1000;

/** What is to be done about what was seen. */
export interface Remedy {
  /** What is remembered of it; absent: there is nothing. */
  readonly healing?: Healing;
  /** The units that are to be restarted now. */
  readonly restart: readonly string[];
  /** Milliseconds after which somebody is to look again, when that is sooner than usual. */
  readonly dueMs?: number;
}

/** What people did, and what the rows say. */
export interface Patient {
  readonly monitor: Monitor;
  readonly units: readonly UnitSeen[];
  /** What was remembered at the look before. */
  readonly healing?: Healing;
  /** Shall it be at rest, or can nobody restart it? */
  readonly untouchable: boolean;
  /** Somebody has started, restarted or updated it since it was left alone. */
  readonly tended: boolean;
  /** Of its operations the latest that has ended. */
  readonly latest?: string;
  readonly now: Date;
}

/**
 * lifecycle, section 3: what is `error` is restarted, so often within the plan's time, after growing pauses; then
 * it is left alone until it runs again or people have tended to it.
 */
export function decideRemedy(patient: Patient): Remedy {
  const { monitor, units, untouchable, now } = patient;
  const failed = units.filter(({ status }) => status === 'error').map(({ unit }) => unit);
  const before = patient.tended ? undefined : recent(patient.healing, monitor, now);
  if (failed.length === 0) return { ...remembered(withoutFailure(before, units)), restart: [] };
  if (untouchable || monitor.restart === 0) return { ...remembered(before), restart: [] };

  if (before?.leftAlone) return { healing: { failedAt: now.toISOString(), ...before }, restart: [] };
  const { restarts = [], failedAt = now.toISOString() } = before ?? {};
  if (restarts.length >= monitor.restart)
    return { healing: { restarts, failedAt, leftAlone: true, ...after(patient) }, restart: [] };
  const waitMs = Date.parse(failedAt) + pauseBefore(restarts.length) - now.getTime();
  if (waitMs > 0) return { healing: { restarts, failedAt, leftAlone: false }, restart: [], dueMs: waitMs };
  return {
    healing: { restarts: [...restarts, now.toISOString()], leftAlone: false },
    restart: failed,
    dueMs: lookAfterRestart,
  };
}

function after({ latest }: Patient): Pick<Healing, 'after'> {
  return latest === undefined ? {} : { after: latest };
}

function pauseBefore(restarts: number): number {
  return pauses[Math.min(restarts, pauses.length - 1)] ?? 0;
}

/** Of one that is left alone all restarts are kept: they are why. */
function recent(healing: Healing | undefined, { within }: Monitor, now: Date): Healing | undefined {
  if (!healing || healing.leftAlone) return healing;
  return { ...healing, restarts: healing.restarts.filter((at) => Date.parse(at) > now.getTime() - within) };
}

/** Only when all of it runs, what was left alone is looked after again. */
function withoutFailure(healing: Healing | undefined, units: readonly UnitSeen[]): Healing | undefined {
  if (!healing) return undefined;
  const { restarts, leftAlone } = healing;
  if (!leftAlone) return { restarts, leftAlone };
  return units.every(({ status }) => status === 'started') ? undefined : healing;
}

function remembered(healing: Healing | undefined): { healing?: Healing } {
  return healing && (healing.leftAlone || healing.restarts.length > 0) ? { healing } : {};
}

/** The units with what there is to add to the reason of those that have failed. */
export function sayLeftAlone(
  units: readonly UnitSeen[],
  healing: Healing | undefined,
  { within }: Monitor,
): readonly UnitSeen[] {
  if (!healing?.leftAlone) return units;
  const times = healing.restarts.length === 1 ? 'once' : `${healing.restarts.length} times`;
  const said = `it was restarted ${times} within ${spanOf(within)} and is left alone`;
  return units.map((unit) =>
    unit.status === 'error' ? { ...unit, reason: `${unit.reason}; ${said}` } : unit,
  );
}

function spanOf(ms: number): string {
  const [amount, word] = ms % 60_000 === 0 ? [ms / 60_000, 'minute'] : [ms / 1000, 'second'];
  return `${amount} ${word}${amount === 1 ? '' : 's'}`;
}
