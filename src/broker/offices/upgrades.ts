/** Upgrades of many instances as one run, which is kept: what it is, and what is to be done next with it. */
import type { AuditEntry } from '../audit.ts';
import type { InstancesQuery } from '../operator-view.ts';
import type { Origin } from '../records.ts';

/** `paused` and `cancelling` too have not ended: what has begun goes on to its end. */
export const upgradeRunStates = [
  'running',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const;

export type UpgradeRunState = (typeof upgradeRunStates)[number];

/** `skipped`: it is gone, its plan has left the catalog, or the run was cancelled before its turn. */
export const upgradeItemStates = ['waiting', 'started', 'succeeded', 'failed', 'skipped'] as const;

export type UpgradeItemState = (typeof upgradeItemStates)[number];

/** How a run goes about it. */
export interface UpgradePace {
  /** So many come first; the others when these are up and well, or when an operator says so. */
  readonly canaries: number;
  readonly atOnce: number;
  /** It pauses when so many have failed since it was begun or resumed. */
  readonly stopAfter: number;
  /** Milliseconds after which canaries must be up and well. */
  readonly watchMs: number;
  /** After the canaries it waits for an operator in any case. */
  readonly approval: boolean;
}

export interface UpgradeRun extends UpgradePace {
  readonly id: string;
  readonly state: UpgradeRunState;
  /** Why it is paused or has failed, as a sentence; absent: as an operator wants it. */
  readonly reason?: string | undefined;
  /** As it was said, by the names of the API. */
  readonly filter: Readonly<Record<string, string>>;
  /** The time of the canaries is over. */
  readonly passed: boolean;
  /** Milliseconds since all canaries have ended. */
  readonly watchedMs?: number | undefined;
  /** Failures before it was resumed last. */
  readonly forgiven: number;
  /** How many instances are in each state. */
  readonly counts: Readonly<Record<UpgradeItemState, number>>;
  /** The same of the canaries among them. */
  readonly canaryCounts: Readonly<Record<'waiting' | 'started', number>>;
  readonly origin: Pick<Origin, 'protocol' | 'principal' | 'requestId'>;
  /** The broker that carries it on. */
  readonly holder?: string | undefined;
  readonly createdAt: Date;
  readonly finishedAt?: Date | undefined;
}

/** One instance of a run. */
export interface UpgradeItem {
  /** From 1. */
  readonly position: number;
  readonly instanceId: string;
  readonly state: UpgradeItemState;
  readonly operationId?: string | undefined;
  /** Why it failed, was skipped or still waits, as a sentence. */
  readonly reason?: string | undefined;
}

export interface UpgradeItemsQuery {
  readonly runId: string;
  readonly state?: UpgradeItemState | undefined;
  /** The position of the last one before. */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface StartUpgrades extends UpgradePace {
  readonly query: Omit<InstancesQuery, 'after' | 'limit' | 'drifted'>;
  readonly filter: UpgradeRun['filter'];
  readonly origin: Origin;
}

export const upgradeChanges = ['pause', 'resume', 'cancel'] as const;

export interface ChangeUpgrades {
  readonly runId: string;
  readonly change: (typeof upgradeChanges)[number];
  readonly origin: Origin;
}

/** What operators may do about runs of upgrades. */
export interface UpgradeOffice {
  /** The latest first, at most so many. */
  list(limit: number): Promise<readonly UpgradeRun[]>;
  /** Refuses with not-found. */
  find(runId: string): Promise<UpgradeRun>;
  /** In their order; also of no run. */
  items(query: UpgradeItemsQuery): Promise<readonly UpgradeItem[]>;
  /** Of all instances that have drifted and fit. Refuses with conflict when one of them is in another run. */
  start(command: StartUpgrades): Promise<UpgradeRun>;
  /** Refuses with not-found, and with conflict when it has ended otherwise. */
  change(command: ChangeUpgrades): Promise<UpgradeRun>;
}

/** A run as it is written at its begin. */
export interface NewUpgradeRun extends UpgradePace, Pick<UpgradeRun, 'id' | 'filter' | 'origin'> {
  readonly instanceIds: readonly string[];
  readonly audit: AuditEntry;
}

/** What comes next in a run. */
export type UpgradeTurn =
  | { readonly begin: number; readonly onlyCanaries: boolean }
  | { readonly pause: string }
  /** All canaries have ended: are they up and well? */
  | { readonly look: true }
  | { readonly end: 'succeeded' | 'failed' | 'cancelled' };

/** @param run as it is after a look at all that was begun */
export function decideUpgrades(run: UpgradeRun): UpgradeTurn {
  const { state, counts, canaryCounts, atOnce, forgiven, passed } = run;
  if (state === 'cancelling' && counts.started === 0) return { end: 'cancelled' };
  if (counts.waiting + counts.started === 0) return { end: counts.failed > 0 ? 'failed' : 'succeeded' };
  if (state !== 'running') return { begin: 0, onlyCanaries: false };
  const failed = counts.failed - forgiven;
  const areCanaries = run.canaries > 0 && !passed;
  if (failed >= run.stopAfter || (areCanaries && failed > 0)) return { pause: failedSentence(failed) };
  const free = Math.max(0, atOnce - counts.started);
  if (!areCanaries) return { begin: Math.min(free, counts.waiting), onlyCanaries: false };
  if (canaryCounts.waiting + canaryCounts.started > 0)
    return { begin: Math.min(free, canaryCounts.waiting), onlyCanaries: true };
  return run.approval ? { pause: 'The canaries are done: look at them, and resume.' } : { look: true };
}

function failedSentence(failed: number): string {
  return `${failed === 1 ? 'An upgrade has' : `${failed} upgrades have`} failed: see why, and resume or cancel.`;
}
