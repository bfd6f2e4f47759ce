import { isRecord, readJson } from './private-file.ts';
import { readBootId, readStat } from './proc.ts';

/**
 * Which process it is. A pid alone is used again and again; with the start time and the boot it stands for one
 * process for ever.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
  readonly bootId: string;
}

/** Of a living process; undefined when there is none with this pid, or it has ended and waits to be collected. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat && !stat.dead ? { pid, startTime: stat.startTime, bootId: readBootId() } : undefined;
}

/** Does this very process still run (or stand still)? */
export function isAlive(identity: ProcessIdentity): boolean {
  return sameIdentity(identityOf(identity.pid), identity);
}

export function sameIdentity(a: ProcessIdentity | undefined, b: ProcessIdentity | undefined): boolean {
  return a?.pid === b?.pid && a?.startTime === b?.startTime && a?.bootId === b?.bootId;
}

/**
 * What a file with `{ pid, startTime, bootId }` says; undefined when it is not there or says nothing of the kind.
 * @throws the file system's error: what cannot be read now may be alive
 */
export function readIdentity(file: string): ProcessIdentity | undefined {
  return asIdentity(readJson(file));
}

/** To a signal other numbers stand for many processes: 0 for the sender's own group, -1 for all there are. */
function isPid(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** Undefined when the value is not an identity. */
export function asIdentity(value: unknown): ProcessIdentity | undefined {
  if (!isRecord(value)) return undefined;
  const { pid, startTime, bootId } = value;
  const isOne = isPid(pid) && typeof startTime === 'string' && typeof bootId === 'string';
  return isOne ? { pid, startTime, bootId } : undefined;
}
