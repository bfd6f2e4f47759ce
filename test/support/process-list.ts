import { readdirSync, readFileSync } from 'node:fs';

/** What everybody on the machine could see in the process list while something was done. */
export interface Watch {
  /** Ends it, and gives all command lines that were seen. */
  readonly end: () => readonly string[];
}

const everyMs = 15;
/** As long a process is looked at each time: what starts as a shell soon becomes something else. */
const newMs = 5_000;
/** Of the looks, in which one all the others are looked at too. */
const seldom = 10;

/** Those of tests that failed end with their file. */
const timers = new Set<NodeJS.Timeout>();
afterAll(() => {
  for (const timer of timers) clearInterval(timer);
});

/** Looks at the command lines of all processes again and again, for hooks are soon gone. */
export function watchProcesses(): Watch {
  const seen = new Set<string>();
  /** When each was seen first; those that were there before may be old. */
  let known = new Map<string, number>(listProcesses().map((pid) => [pid, -Infinity]));
  let looks = 0;
  const look = () => {
    const now = performance.now();
    const isForAll = looks++ % seldom === 0;
    const there = new Map<string, number>();
    for (const pid of listProcesses()) {
      const since = known.get(pid) ?? now;
      there.set(pid, since);
      if (isForAll || now - since < newMs) seen.add(read(pid));
    }
    known = there;
  };
  const timer = setInterval(look, everyMs).unref();
  timers.add(timer);
  look();
  return {
    end() {
      looks = 0;
      look();
      clearInterval(timer);
      return [...seen].map(asLine);
    },
  };
}

export function commandLine(pid: number): string {
  return asLine(read(String(pid)));
}

function listProcesses(): readonly string[] {
  return readdirSync('/proc').filter((name) => Number(name) > 0);
}

function read(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function asLine(text: string): string {
  return text.replaceAll('\0', ' ').trim();
}
