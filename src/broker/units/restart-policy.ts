import type { Monitor } from '../catalog.ts';
import type { RestartRecord, UnitSeen } from '../units.ts';

/** Milliseconds before the first restart of what has failed, the second, and all others. */
const pauses = [1000, 4000, 16_000] as const;
/** Milliseconds after the begin of a restart until somebody looks what has become of it. */
const lookAfterRestart = 1000;

/** What is to be done about what was seen of a unit. */
export interface RestartDecision {
  /** What is remembered of it; absent: there is nothing. */
  readonly healing?: RestartRecord;
  /**
   * It is to be restarted now: it is dead and only to be started, or lives and is to be asked to `end` first, or has taken
   * more than its plan allows and ends, and is started when it takes less.
   */
  readonly restart?: 'start' | 'end' | 'end-over';
  /** What is remembered in place of it when the restart could not be begun. */
  readonly postponed?: RestartRecord;
  /** Milliseconds after which somebody is to look again, when that is sooner than usual. */
  readonly dueMs?: number;
}

/** A unit as it was seen, what people did, and what the rows say. */
export interface RestartSituation {
  readonly monitor: Monitor;
  readonly unit: UnitSeen;
  /** What was remembered at the look before. */
  readonly healing?: RestartRecord;
  /** Shall it be at rest, or can nobody restart it? */
  readonly untouchable: boolean;
  /** Somebody has started, restarted or updated it since it was left alone. */
  readonly tended: boolean;
  /** The broker itself was the last who did something with it, and has asked it to end in vain. */
  readonly unyielding: boolean;
  /** Of its operations the latest that has ended. */
  readonly latest?: string;
  readonly now: Date;
}

/**
 * docs/lifecycle.md, Status of units: a unit without a living process is started again, so often within the plan's
 * time, after growing pauses; then it is left alone until it runs again or people have tended to it. One that lives is
 * a status with a reason, whatever it answers, unless the offering asks for more by name.
 */
export function decideRestart(patient: RestartSituation): RestartDecision {
  const { monitor, unit, untouchable, unyielding, now } = patient;
  const before = patient.tended ? undefined : recent(patient.healing, monitor, now);
  if (unit.symptom === 'over-limit') return endAnyway(patient, before, 'end-over');
  if (unit.symptom === 'outdated') return endAnyway(patient, before, 'end');
  if (!isToBeRestarted(unit, monitor)) return remembered(withoutFailure(before, unit));
  if (untouchable || monitor.restart === 0) return remembered(before);

  const isDead = unit.symptom === 'dead';
  if (!isDead && before?.unyielding) return { healing: before };
  const { restarts = [], failedAt = now.toISOString() } = before ?? {};
  if (!isDead && unyielding)
    return { healing: { restarts, leftAlone: false, unyielding: true, ...after(patient) } };
  if (before?.leftAlone) return { healing: { failedAt: now.toISOString(), ...before } };
  if (restarts.length >= monitor.restart)
    return { healing: { restarts, failedAt, leftAlone: true, ...after(patient) } };
  const waiting = { restarts, failedAt, leftAlone: false };
  const waitMs = Date.parse(failedAt) + pauseBefore(restarts.length) - now.getTime();
  if (waitMs > 0) return { healing: waiting, dueMs: waitMs };
  return {
    healing: { restarts: [...restarts, now.toISOString()], leftAlone: false },
    restart: isDead ? 'start' : 'end',
    postponed: waiting,
    dueMs: lookAfterRestart,
  };
}

/** Whatever its plan says of restarts, and none of them: it has not failed. */
function endAnyway(
  patient: RestartSituation,
  before: RestartRecord | undefined,
  restart: 'end' | 'end-over',
): RestartDecision {
  if (patient.untouchable || before?.unyielding) return remembered(before);
  const { restarts = [] } = before ?? {};
  if (patient.unyielding)
    return { healing: { restarts, leftAlone: false, unyielding: true, ...after(patient) } };
  return { ...remembered(before), restart, postponed: before, dueMs: lookAfterRestart };
}

function isToBeRestarted({ symptom }: UnitSeen, { restartOn = [] }: Monitor): boolean {
  return symptom === 'dead' || restartOn.some((cause) => cause === symptom);
}

function after({ latest }: RestartSituation): Pick<RestartRecord, 'after'> {
  return latest === undefined ? {} : { after: latest };
}

function pauseBefore(restarts: number): number {
  return pauses[Math.min(restarts, pauses.length - 1)] ?? 0;
}

/** Of one that is left alone all restarts are kept: they are why. */
function recent(
  healing: RestartRecord | undefined,
  { within }: Monitor,
  now: Date,
): RestartRecord | undefined {
  if (!healing || healing.leftAlone) return healing;
  return { ...healing, restarts: healing.restarts.filter((at) => Date.parse(at) > now.getTime() - within) };
}

/** Only when it runs, or nothing at least can be found to ail it, what was left alone is looked after again. */
function withoutFailure(
  healing: RestartRecord | undefined,
  { status, symptom }: UnitSeen,
): RestartRecord | undefined {
  if (!healing) return undefined;
  const isWell = status === 'started' || (status === 'unreachable' && symptom === undefined);
  const { restarts, leftAlone, unyielding = false } = healing;
  if (leftAlone || unyielding) return isWell ? undefined : healing;
  return { restarts, leftAlone };
}

function remembered(healing: RestartRecord | undefined): { healing?: RestartRecord } {
  return healing && (healing.leftAlone || healing.unyielding || healing.restarts.length > 0)
    ? { healing }
    : {};
}

/** The unit with what there is to add to the reason when it has failed. */
export function sayLeftAlone(unit: UnitSeen, { within }: Monitor): UnitSeen {
  const { status, symptom, healing } = unit;
  if (status !== 'error' && symptom === undefined) return unit;
  if (healing?.unyielding)
    return { ...unit, reason: `${unit.reason}; it was asked to end, did not in time, and is left as it is` };
  if (!healing?.leftAlone) return unit;
  const times = healing.restarts.length === 1 ? 'once' : `${healing.restarts.length} times`;
  return {
    ...unit,
    reason: `${unit.reason}; it was restarted ${times} within ${spanOf(within)} and is left alone`,
  };
}

function spanOf(ms: number): string {
  const [amount, word] = ms % 60_000 === 0 ? [ms / 60_000, 'minute'] : [ms / 1000, 'second'];
  return `${amount} ${word}${amount === 1 ? '' : 's'}`;
}
