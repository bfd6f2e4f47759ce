import type { UnitFacts } from '../broker/units.ts';
import type { JsonObject } from '../broker/json.ts';
import type { Amounts } from '../system/limits/amounts.ts';
import { inMegabytes } from '../system/limits/amounts.ts';
import type { Counter } from '../system/limits/trees.ts';
import { codeOf } from '../system/error-code.ts';
import type { InstanceDirectory } from './instance-directory.ts';
import type { LocalNode } from './local-node.ts';
import { readMark, writeNote } from './state-files.ts';

/** Milliseconds after a limit has struck for which the status of what lives says so, and for which its reason does. */
const fresh = 60_000;
const remembered = 3_600_000;

/** How often a limit of an instance has struck since when. */
interface Strikes {
  readonly of: Counter;
  readonly times: number;
  /** ISO 8601; when a look has first and last found that there were more. */
  readonly first: string;
  readonly last: string;
  /** The limit at that time, in its own unit. */
  readonly limit: number;
}

type ByCounter<Value> = Readonly<Partial<Record<Counter, Value>>>;

interface Mark {
  /** What the kernel had counted at the last look. */
  readonly counted: ByCounter<number>;
  readonly strikes: ByCounter<Strikes>;
}

/**
 * What the limits of an instance have kept it from lately. What the kernel has counted is remembered beside the
 * instance, so that each strike is found once, whoever looks.
 * @param amounts the limits that its units have
 */
export function findStruckLimits(
  { limits }: Pick<LocalNode, 'limits'>,
  directory: InstanceDirectory,
  amounts: Amounts,
  now = Date.now(),
): ByCounter<Strikes> {
  const groups = limits?.keeper.groups;
  if (!groups) return {};
  const counted = groups.count(limits.group);
  const before = (readMark(directory, name) as Mark | undefined) ?? { counted: {}, strikes: {} };
  const strikes: ByCounter<Strikes> = {
    memoryKills: addUp('memoryKills', counted, before, amounts.memory, now),
    pidsRefused: addUp('pidsRefused', counted, before, amounts.pids, now),
  };
  if (counters.some((counter) => counted[counter] !== (before.counted[counter] ?? 0)))
    remember(directory, { counted, strikes });
  return strikes;
}

/**
 * For a unit that lives: as a status while it is fresh, unless it has been started anew since then, and as a reason for
 * as long as somebody may ask why.
 * @param began milliseconds since 1970
 */
export function tellStruckLimits(
  strikes: ByCounter<Strikes>,
  began: number,
  now = Date.now(),
): Pick<UnitFacts, 'limited' | 'reason'> {
  const found = counters.flatMap((counter) => strikes[counter] ?? []);
  const those = (fits: (one: Strikes) => boolean) => found.filter(fits).map(clauseOf).join('; ') || undefined;
  const lately = those((one) => isWithin(one, remembered, now));
  return {
    limited: those((one) => isWithin(one, fresh, now) && Date.parse(one.last) >= began),
    reason: lately && `it runs and answers; ${lately}`,
  };
}

/** The facts of an instance that its hooks have told, with what its limits have kept it from. */
export function withStruckLimits<Facts extends Omit<UnitFacts, 'unit'>>(
  facts: Facts,
  node: Pick<LocalNode, 'limits'>,
  directory: InstanceDirectory,
): Facts {
  const { limited, reason } = tellStruckLimits(
    findStruckLimits(node, directory, node.limits?.amounts ?? {}),
    0,
  );
  if (!facts.alive) return facts;
  return { ...facts, limited, reason: facts.reason ?? (facts.answer === 'ready' ? reason : undefined) };
}

/**
 * For a unit that has ended: that it was ended for want of memory. Undefined when nothing was since it has begun.
 * @param began milliseconds since 1970
 */
export function tellMemoryEnd({ memoryKills }: ByCounter<Strikes>, began: number): string | undefined {
  if (!memoryKills || Date.parse(memoryKills.last) < began) return undefined;
  const { times, first, limit } = memoryKills;
  const often = times === 1 ? '' : `, ${times} times since ${first}`;
  return `it was ended for want of memory, of which its plan allows ${inMegabytes(limit)} MB${often}`;
}

const name = 'struck-limits';
const counters: readonly Counter[] = ['memoryKills', 'pidsRefused'];

function clauseOf({ of, times, first, limit }: Strikes): string {
  const were = times === 1 ? 'was' : 'were';
  return of === 'memoryKills'
    ? `for want of memory, of which its plan allows ${inMegabytes(limit)} MB, ${times} of its processes ${were} ended since ${first}`
    : `its plan allows ${limit} processes and threads, and ${times} more ${were} refused since ${first}`;
}

/** A group that was made anew counts from nothing; what is long past is no part of what happens now. */
function addUp(
  counter: Counter,
  counted: Readonly<Record<Counter, number>>,
  { counted: last, strikes }: Mark,
  limit: number | undefined,
  now: number,
): Strikes | undefined {
  const base = last[counter] ?? 0;
  const more = counted[counter] < base ? counted[counter] : counted[counter] - base;
  const before = strikes[counter];
  if (more === 0 || limit === undefined) return before;
  const at = new Date(now).toISOString();
  const goesOn = before && isWithin(before, remembered, now);
  return {
    of: counter,
    times: more + (goesOn ? before.times : 0),
    first: goesOn ? before.first : at,
    last: at,
    limit,
  };
}

function isWithin({ last }: Strikes, ms: number, now: number): boolean {
  const age = now - Date.parse(last);
  return age >= 0 && age < ms;
}

/** Without room to write it down it is found again at the next look. */
function remember(directory: InstanceDirectory, mark: Mark): void {
  try {
    writeNote(directory, name, mark as unknown as JsonObject);
  } catch (error) {
    if (codeOf(error) === '') throw error;
  }
}
