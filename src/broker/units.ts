/** Worst first: an instance is what its worst unit is. */
export const unitStatuses = ['down', 'error', 'building', 'unreachable', 'stopped', 'started'] as const;
export type UnitStatus = (typeof unitStatuses)[number];

/**
 * For what a unit that lives is restarted, where an offering asks for it by name: its rule of readiness or its check_up
 * hook got another answer than the expected one; it does not answer in time; its monitor hook says that it has failed.
 */
export const restartCauses = ['wrong-answer', 'no-answer', 'monitor-failed'] as const;
export type RestartCause = (typeof restartCauses)[number];

/**
 * What ails a unit that shall run: `dead` is one without a living process, `over-limit` one that lives and has taken more
 * than its plan allows, `outdated` one that lives and is well, with something that has a successor.
 */
export type Symptom = 'dead' | 'over-limit' | 'outdated' | RestartCause;

/** The word of a start that failed, or a restart that only ended, since the instance takes more than its plan allows. */
export const overLimit = 'over-limit';

/** The word of a restart by the monitor that failed since what it has asked to end lives on: it was left as it is. */
export const leftRunning = 'left-running';

/** What is the case, without judgement: `decideStatus` judges. */
export interface UnitFacts {
  readonly unit: string;
  /** Is there a live process, or whatever else the unit is? Only what is not is started again without being asked for. */
  readonly alive: boolean;
  /**
   * What it said at its advertised address: by its protocol that it is ready, something wrong, or nothing in time;
   * `unasked` when it has no port and no rule by which it could be asked, or is not alive.
   */
  readonly answer: 'ready' | 'wrong' | 'silent' | 'unasked';
  /** A probe or hook says that it has failed, as a clause. */
  readonly failed?: string;
  /** Why its node cannot judge or run it, as a clause: the directory is gone, the disk is full. */
  readonly fault?: string;
  /** What a limit of its plan has kept it from just now, with figures, as a clause. */
  readonly limited?: string;
  /** What it has taken more of than its plan allows, with figures, as a clause: it may not run until it takes less. */
  readonly exceeds?: string;
  /** It runs with something that is to be replaced, such as its certificate, and takes the new at a restart. */
  readonly outdated?: boolean;
  /** What will soon be so, with figures, as a clause; it is told in the log when it begins. */
  readonly warning?: string;
  /** What there is to say to people of how it is, as a clause. */
  readonly reason?: string;
  readonly pid?: number;
  /** `host:port` where applications find it. */
  readonly address?: string;
}

/** A unit as it was last seen. */
export interface UnitSeen {
  readonly unit: string;
  readonly status: UnitStatus;
  readonly reason: string;
  /** Since when it has this status; ISO 8601. */
  readonly since: string;
  readonly pid?: number;
  readonly address?: string;
  readonly symptom?: Symptom;
  readonly warning?: string;
  readonly healing?: RestartRecord;
}

/** What was seen of an instance at one look. */
export interface Seen {
  readonly units: readonly UnitSeen[];
  /** ISO 8601. */
  readonly checkedAt: string;
  /** That of the instance at that time: clocks need not agree. */
  readonly version?: number;
}

/** How often the broker has restarted a unit lately. */
export interface RestartRecord {
  /** The starts of the restarts within the plan's time; ISO 8601. */
  readonly restarts: readonly string[];
  /** When it was first seen failed after the last of them; absent: it has not failed since. ISO 8601. */
  readonly failedAt?: string;
  /** It failed again after the last restart that the plan allows: people must look after it. */
  readonly leftAlone: boolean;
  /** It was asked to end, did not within its time, and is not asked again. */
  readonly unyielding?: boolean;
  /** The latest operation that had ended when it was left alone, or found to be unyielding. */
  readonly after?: string;
}

export interface Execution {
  readonly command: readonly string[];
  /** Absent: every unit. */
  readonly unit?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface Executed {
  readonly unit: string;
  /** Its exit code; -1 when it was ended by a signal or at its time limit. */
  readonly code: number;
  /** What it wrote, standard output and error as they came, cut at 64 kB. */
  readonly output: string;
}

export interface LogQuery {
  readonly unit?: string;
  readonly lines: number;
}

export interface UnitLog {
  readonly unit: string;
  readonly text: string;
}

/** Of a restart by the monitor: what lives stays, but for these units, asked to end; one that does not: `leftRunning`. */
export interface Sparing {
  readonly end: readonly string[];
}
