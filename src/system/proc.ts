import { readdirSync, readFileSync } from 'node:fs';
import { codeOf } from './error-code.ts';

/** What the kernel says of one process. */
export interface ProcessStat {
  readonly pid: number;
  /** Ended, though its parent has not asked for its exit code yet. */
  readonly dead: boolean;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** In ticks since the machine started: with the pid it tells one process from all others of this boot. */
  readonly startTime: string;
}

/** Undefined when there is no such process. */
export function readStat(pid: number): ProcessStat | undefined {
  const text = readProc(`${pid}/stat`);
  if (!text) return undefined;
  // The name in the second field is the program's own choice: it may hold blanks, brackets and line breaks.
  const [state = '', parent, group, session, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTime = rest[15] ?? '';
  // Its first thread may have ended before the others, which still have its ports and files.
  const threads = Number(rest[13]);
  return {
    pid,
    dead: (state === 'Z' || state === 'X') && threads <= 1,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTime,
  };
}

/** The pids of all processes that can be seen. */
export function listProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The living processes of a session. */
export function listSession(session: number): readonly ProcessStat[] {
  return listProcesses()
    .map(readStat)
    .filter((stat) => stat !== undefined)
    .filter((stat) => stat.session === session && !stat.dead);
}

/** Its users: real, effective, saved and of the file system; none when it has ended. */
export function readUserIds(pid: number): readonly number[] {
  return usersIn(readProc(`${pid}/status`) ?? '');
}

/** The users of all processes that live. */
export function listUsers(): readonly number[] {
  const texts = listProcesses().map((pid) => readProc(`${pid}/status`) ?? '');
  return [...new Set(texts.filter((text) => !isOver(text)).flatMap(usersIn))];
}

/** @param status as the kernel tells it, a line for each word */
function usersIn(status: string): readonly number[] {
  const ids = /^Uid:\s+(.*)$/m.exec(status)?.[1];
  return ids?.split(/\s+/).map(Number) ?? [];
}

/** As `dead` of a `ProcessStat`. */
function isOver(status: string): boolean {
  return /^State:\s+[ZX]/m.test(status) && Number(/^Threads:\s+(\d+)$/m.exec(status)?.[1] ?? 0) <= 1;
}

/** Was it started with this in its environment? Undefined when that cannot be read. */
export function hasInEnvironment(pid: number, entry: string): boolean | undefined {
  return readProc(`${pid}/environ`)?.split('\0').includes(entry);
}

/** Its arguments; empty when it has none or has ended. */
export function readCommandLine(pid: number): readonly string[] {
  return readProc(`${pid}/cmdline`)?.split('\0').slice(0, -1) ?? [];
}

/** Its children, the oldest first; none where the kernel does not tell. */
export function childrenOf(pid: number): readonly number[] {
  return (readProc(`${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number);
}

/** Tells this start of the machine from all others. */
export function readBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootId;
}

let bootId: string | undefined;

/** Undefined when there is no such process, or the kernel keeps it from us; what cannot be read now may be alive. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error))) return undefined;
    throw error;
  }
}
