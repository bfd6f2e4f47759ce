import { readFileSync } from 'node:fs';

/** How many files and connections this process may have open at once; undefined where the system does not tell. */
export function descriptorLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
