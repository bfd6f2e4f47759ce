import type { OperationKind } from '../records.ts';
import {
  unitStatuses,
  type Seen,
  type Symptom,
  type UnitFacts,
  type UnitSeen,
  type UnitStatus,
} from '../units.ts';

/** How an instance is: as its worst unit. */
export interface InstanceStatus {
  readonly status: UnitStatus;
  readonly reason: string;
  readonly units: readonly UnitSeen[];
  /** When its node last looked; absent: never. ISO 8601. */
  readonly checkedAt?: string;
  /** `host:port` of its units, where applications find them. */
  readonly addresses: readonly string[];
  /** A unit of it failed again after the last restart that its plan allows, or does not end when it is asked to. */
  readonly leftAlone: boolean;
}

/** What counts beside the facts, as the rows tell it. */
export interface Situation {
  /** Why nobody can say how it is, as a clause: its node is silent. */
  readonly lost?: string;
  /** The open operation of the instance. */
  readonly operation?: OperationKind;
  /** Shall its units be at rest? */
  readonly stopped: boolean;
}

export interface Judgement {
  readonly status: UnitStatus;
  /** A clause for people. */
  readonly reason: string;
}

/** docs/lifecycle.md, Status of units: the first row that fits decides. */
export function decideStatus({ lost, operation, stopped }: Situation, facts: UnitFacts): Judgement {
  const { alive, answer, failed, fault, exceeds, limited, reason } = facts;
  const atRest = stopped || operation === 'stop' || operation === 'deprovision';
  const isReady = alive && answer === 'ready' && failed === undefined;

  if (lost !== undefined) return { status: 'down', reason: lost };
  if (fault !== undefined) return { status: 'down', reason: fault };
  if (operation === 'provision') return { status: 'building', reason: 'it is being made' };
  if (operation === 'adopt') return { status: 'building', reason: 'it is being adopted' };
  if (operation === 'update') return { status: 'building', reason: 'it is being updated' };
  if (operation === 'restore') return { status: 'building', reason: 'it is being restored' };
  if (isStarting(operation) && !isReady) return { status: 'building', reason: 'it is being started' };
  if (!alive && atRest) return { status: 'stopped', reason: 'it has been stopped' };
  if (exceeds !== undefined) return { status: 'error', reason: exceeds };
  if (failed !== undefined) return { status: 'error', reason: failed };
  if (!alive) return { status: 'error', reason: reason ?? 'it does not run, though it should' };
  if (limited !== undefined) return { status: 'error', reason: limited };
  if (answer === 'wrong') return { status: 'error', reason: reason ?? 'it does not answer as it should' };
  if (answer === 'silent')
    return { status: 'unreachable', reason: reason ?? 'it does not answer at its address' };
  if (answer === 'unasked')
    return { status: 'unreachable', reason: reason ?? 'it runs, and has nothing that could be asked' };
  return { status: 'started', reason: withWarning(reason ?? 'it runs and answers', facts) };
}

function withWarning(reason: string, { warning = reason }: UnitFacts): string {
  return warning === reason ? reason : `${reason}; ${warning}`;
}

/**
 * What ails a unit, for those who start and restart by themselves. Undefined: nothing, or it shall not run now, or
 * nobody can tell, for whatever is the fault of our side no restart would mend.
 */
export function symptomOf({ lost, operation, stopped }: Situation, facts: UnitFacts): Symptom | undefined {
  const { alive, answer, failed, fault, exceeds, outdated } = facts;
  if (lost !== undefined || fault !== undefined || operation !== undefined || stopped) return undefined;
  // It would not be started.
  if (exceeds !== undefined) return alive ? 'over-limit' : undefined;
  if (!alive) return 'dead';
  if (failed !== undefined) return 'monitor-failed';
  if (answer === 'wrong') return 'wrong-answer';
  if (answer === 'silent') return 'no-answer';
  return outdated ? 'outdated' : undefined;
}

/** Such an operation, too, has a check_up at its end. */
export function isStarting(operation: OperationKind | undefined): boolean {
  return operation === 'start' || operation === 'restart';
}

/** Of no statuses at all it is `unreachable`: there is nothing that could be reached. */
export function worstOf(statuses: readonly UnitStatus[]): UnitStatus {
  return unitStatuses.find((status) => statuses.includes(status)) ?? 'unreachable';
}

/** The instance as its units make it. */
export function statusOfUnits(
  units: readonly UnitSeen[],
  { checkedAt }: Partial<Pick<Seen, 'checkedAt'>> = {},
): InstanceStatus {
  const status = worstOf(units.map((unit) => unit.status));
  const worst = units.find((unit) => unit.status === status);
  return {
    status,
    reason: worst ? reasonAmong(units, worst) : 'it has no units',
    units,
    checkedAt,
    addresses: units.flatMap(({ address }) => (address === undefined ? [] : [address])),
    leftAlone: units.some(({ healing }) => healing?.leftAlone === true || healing?.unyielding === true),
  };
}

function reasonAmong(units: readonly UnitSeen[], worst: UnitSeen): string {
  const { unit, status, reason } = worst;
  if (units.length === 1) return reason;
  const isAlike = units.every((one) => one.status === status && one.reason === reason);
  return `${isAlike ? `all ${units.length} units` : unit}: ${reason}`;
}
