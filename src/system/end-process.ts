import { codeOf } from './error-code.ts';
import { identityOf, type ProcessIdentity, isAlive } from './process-identity.ts';
import {
  hasInEnvironment,
  listProcesses,
  listSession,
  readBootId,
  readStat,
  type ProcessStat,
} from './proc.ts';
import { until } from './until.ts';

export interface Ending {
  /** What asks it to end; SIGTERM when absent. */
  readonly signal?: NodeJS.Signals;
  /** Milliseconds it has to end by itself. */
  readonly termMs: number;
  /** Milliseconds that the kernel has to end it. */
  readonly killMs: number;
  /**
   * Whose process it is: then those of its session that outlived it are ended too, when they carry
   * `PURVEYOR_INSTANCE=<id>` in their environment.
   */
  readonly instanceId?: string;
  /** Told when a signal has been sent: `stop` for the asking one, `halt` for SIGKILL. */
  readonly onDeed?: (step: 'stop' | 'halt') => void;
}

/**
 * Ends a process that was started with a session of its own, and all of its session. Nothing happens when it is
 * not there any more; whoever has its pid now is left alone.
 * @returns halted: it had to be killed
 * @throws Error when it is still there after SIGKILL
 */
export async function endProcess(
  identity: ProcessIdentity,
  { signal = 'SIGTERM', termMs, killMs, instanceId, onDeed }: Ending,
): Promise<{ readonly halted: boolean }> {
  const session = { ...identity, instanceId, known: isLeader(identity) };
  if (membersOf(session).length === 0) return { halted: false };
  signalAll(session, signal);
  onDeed?.('stop');
  if (await isGoneWithin(session, termMs)) return { halted: false };
  signalAll(session, 'SIGKILL');
  onDeed?.('halt');
  if (await isGoneWithin(session, killMs)) return { halted: true };
  throw new Error(`Process ${identity.pid} is still there ${killMs} ms after SIGKILL.`);
}

/**
 * Sends a signal to all that belongs to the process, as in `endProcess`.
 * @returns whether there was anything
 */
export function signalGroup(identity: ProcessIdentity, signal: NodeJS.Signals, instanceId?: string): boolean {
  return signalAll({ ...identity, instanceId, known: isLeader(identity) }, signal);
}

/** The pids of the living processes of its session, itself included if it lives. */
export function groupOf(identity: ProcessIdentity, instanceId?: string): readonly number[] {
  return membersOf({ ...identity, instanceId, known: isLeader(identity) }).map(({ pid }) => pid);
}

/**
 * Is anything left of it, itself or of its session? Cheap while it lives itself, and once nothing was left: nobody comes
 * into a session but as a child of one who is in it.
 */
export function isAnyLeft(identity: ProcessIdentity, instanceId?: string): boolean {
  if (isAlive(identity)) return true;
  const { bootId, pid, startTime } = identity;
  const name = JSON.stringify([bootId, pid, startTime, instanceId]);
  if (over.has(name)) return false;
  if (groupOf(identity, instanceId).length > 0) return true;
  if (over.size >= mostOver) over.clear();
  over.add(name);
  return false;
}

/** Sessions of which nothing was left. */
const over = new Set<string>();
const mostOver = 10_000;

/**
 * Ends the processes that live in a directory, by `HOME` in their environment, wherever they have got to: a program may
 * have left its session and its parent. To be called when nothing may run there any more.
 */
export async function endStrays(home: string): Promise<void> {
  const strays = listProcesses().filter((pid) => hasInEnvironment(pid, `HOME=${home}`) === true);
  const identities = strays.map(identityOf).filter((identity) => identity !== undefined);
  await Promise.all(identities.map((identity) => endProcess(identity, { termMs: 2000, killMs: 2000 })));
}

interface Session extends ProcessIdentity {
  readonly instanceId: string | undefined;
  /** Its first process was seen: no number of a session is used again while anybody of it lives. */
  readonly known: boolean;
}

/** Is it there, be it as the remains of an ended process? */
function isLeader({ pid, startTime, bootId }: ProcessIdentity): boolean {
  return readStat(pid)?.startTime === startTime && readBootId() === bootId;
}

function membersOf(session: Session): readonly ProcessStat[] {
  if (readBootId() !== session.bootId) return [];
  const leader = readStat(session.pid);
  if (leader) return leader.startTime === session.startTime ? listSession(session.pid) : [];
  const left = listSession(session.pid);
  return session.known ? left : left.filter(({ pid }) => isMarked(pid, session.instanceId));
}

function isMarked(pid: number, instanceId: string | undefined): boolean {
  if (instanceId === undefined) return false;
  return hasInEnvironment(pid, `PURVEYOR_INSTANCE=${instanceId}`) ?? true;
}

function signalAll(session: Session, signal: NodeJS.Signals): boolean {
  const members = membersOf(session);
  const groups = new Set(members.map(({ group }) => group));
  // By group, so that what is being forked at this moment gets it as well.
  for (const group of groups) send(-group, signal);
  return members.length > 0;
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function isGoneWithin(session: Session, limit: number): Promise<boolean> {
  const isGone = () => !isAlive(session) && membersOf(session).length === 0;
  return (await until(isGone, { first: 5, longest: 100, limit })) === true;
}
