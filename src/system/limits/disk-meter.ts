import { ENVIRONMENT } from '../account.ts';
import { runProgram } from '../run-program.ts';
import { measureFew } from './few-files.ts';

/** Finds out how much of the disk directories take, at a bounded cost. */
export interface DiskMeter {
  /**
   * As it was found last, which is as new as its size allows: a directory is measured for a twentieth of the time, one
   * after the other, and those who ask wait no longer than this many milliseconds.
   * @returns bytes; undefined as long as nobody has found out
   */
  readonly lately: (directory: string, patience: number) => Promise<number | undefined>;
  /**
   * As it is now.
   * @returns bytes; undefined when it could not be found within this many milliseconds
   * @throws the signal's reason; Error when there is no such directory
   */
  readonly now: (directory: string, patience: number, signal?: AbortSignal) => Promise<number | undefined>;
}

/**
 * @param path where programs of the system are looked for
 * @param free milliseconds of each measurement that do not count: to begin a program takes some whatever it does
 */
export function createDiskMeter(path: string, free = 200): DiskMeter {
  const entries = new Map<string, Entry>();
  let turn: Promise<unknown> = Promise.resolve();

  async function measure(directory: string, patience: number, signal?: AbortSignal) {
    const began = performance.now();
    const bytes = await measureDisk(path, directory, { patience, signal });
    const ended = performance.now();
    const { running } = entries.get(directory) ?? {};
    entries.set(directory, { bytes, running, due: ended + share * Math.max(0, ended - began - free) });
    return bytes;
  }

  /** Never rejects: of a directory that is gone nothing is known any more. */
  function begin(directory: string): Promise<unknown> {
    const measuring = turn.then(() => measure(directory, longest));
    turn = measuring.then(
      () => entries.set(directory, { ...entryOf(directory), running: undefined }),
      () => entries.delete(directory),
    );
    entries.set(directory, { ...entryOf(directory), running: turn });
    return turn;
  }

  function entryOf(directory: string): Entry {
    return entries.get(directory) ?? { due: 0 };
  }

  function forgetOld(): void {
    const past = performance.now() - keptFor;
    for (const [directory, { due, running }] of entries)
      if (!running && due < past) entries.delete(directory);
  }

  return {
    async lately(directory, patience) {
      const { running, due } = entryOf(directory);
      if (!running && performance.now() < due) return entryOf(directory).bytes;
      if (!running) forgetOld();
      await within(patience, running ?? begin(directory));
      return entries.get(directory)?.bytes;
    },
    now: measure,
  };
}

interface Entry {
  /** Undefined: it is not known, or could not be found in time. */
  readonly bytes?: number;
  /** It is being measured, or waits for its turn. */
  readonly running?: Promise<unknown>;
  /** By the clock of `performance`: when it may be measured again. */
  readonly due: number;
}

/** It is not measured for this many times as long as it took to measure it. */
const share = 19;
/** Milliseconds for one measurement that nobody waits for, and after which one is forgotten that nobody has asked for. */
const longest = 60_000;
const keptFor = 3_600_000;

interface Measuring {
  /** Milliseconds. */
  readonly patience: number;
  readonly signal?: AbortSignal;
}

/**
 * What a directory takes on its disk, as the user of this process: holes and what links lead to do not count, nor do
 * other file systems below it.
 * @param path where programs of the system are looked for
 * @returns bytes; undefined when that took too long
 * @throws the signal's reason; Error when there is no such directory
 */
export async function measureDisk(
  path: string,
  directory: string,
  { patience, signal }: Measuring,
): Promise<number | undefined> {
  signal?.throwIfAborted();
  const few = await measureFew(directory);
  if (few !== undefined) return few;
  const ran = await runProgram(
    { path },
    {
      command: ['nice', 'du', '-skx', '--', directory],
      cwd: '/',
      env: ENVIRONMENT,
      timeoutMs: patience,
      signal,
    },
  );
  if (ran.timedOut) return undefined;
  // What vanishes meanwhile makes it complain, and it counts all the same.
  const kilobytes = Number.parseInt(ran.stdout, 10);
  if (Number.isNaN(kilobytes)) throw new Error(`The size of ${directory} is unknown: ${ran.stderr}`);
  return kilobytes * 1024;
}

async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
