import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { directoryOf } from '../../src/node/instance-directory.ts';
import type { LocalNode } from '../../src/node/local-node.ts';
import { findStruckLimits, tellMemoryEnd, tellStruckLimits } from '../../src/node/struck-limits.ts';
import type { Groups } from '../../src/system/limits/groups.ts';
import type { Counter } from '../../src/system/limits/trees.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const start = Date.parse('2031-05-06T07:00:00.000Z');
const amounts = { memory: 32 * 1024 * 1024, pids: 12 };
let number = 0;

/** An instance whose kernel has counted what the test says, looked at so many seconds after the start. */
function anInstance() {
  const base = scratchDirectory(`struck-${(number += 1)}`);
  const directory = directoryOf({ directory: base } as LocalNode, 'process', 'p1');
  mkdirSync(directory.state, { recursive: true });
  return { directory, base };
}

function look(
  { directory }: ReturnType<typeof anInstance>,
  seconds: number,
  counts: Partial<Record<Counter, number>>,
  limits = amounts,
) {
  const counted = { memoryKills: 0, pidsRefused: 0, ...counts };
  const keeper = { ways: { memory: 'cgroup v1', cpu: 'cgroup v1', pids: 'cgroup v1' } } as const;
  const groups = { count: () => counted } as Partial<Groups> as Groups;
  const node = { limits: { keeper: { ...keeper, groups }, group: 'p1', amounts: limits } };
  const now = start + seconds * 1000;
  const strikes = findStruckLimits(node, directory, limits, now);
  return {
    lives: (began = start) => tellStruckLimits(strikes, began, now),
    hasEnded: (began = start) => tellMemoryEnd(strikes, began),
  };
}

describe('Limits that have struck', () => {
  test('A unit whose limits have not struck has nothing to tell.', () => {
    const seen = look(anInstance(), 0, {});
    expect(seen.lives()).toEqual({});
    expect(seen.hasEnded()).toBeUndefined();
  });

  test('A unit that lives is limited for a minute, has it as its reason for an hour, and then no more.', () => {
    const instance = anInstance();
    const killed = { memoryKills: 2 };
    const clause =
      'for want of memory, of which its plan allows 32 MB, 2 of its processes were ended since 2031-05-06T07:00:00.000Z';
    const reason = `it runs and answers; ${clause}`;
    expect(look(instance, 0, killed).lives()).toEqual({ limited: clause, reason });
    expect(look(instance, 59, killed).lives()).toEqual({ limited: clause, reason });
    expect(look(instance, 61, killed).lives()).toEqual({ reason });
    expect(look(instance, 3599, killed).lives()).toEqual({ reason });
    expect(look(instance, 3601, killed).lives()).toEqual({});
  });

  test('Refused processes are told with the limit and how many they are.', () => {
    expect(look(anInstance(), 0, { pidsRefused: 40 }).lives().limited).toBe(
      'its plan allows 12 processes and threads, and 40 more were refused since 2031-05-06T07:00:00.000Z',
    );
  });

  test('What strikes again within an hour is added up, and after an hour it begins anew.', () => {
    const instance = anInstance();
    look(instance, 0, { memoryKills: 1 });
    expect(look(instance, 600, { memoryKills: 3 }).lives().limited).toMatch(
      /3 of its processes were ended since 2031-05-06T07:00/,
    );
    expect(look(instance, 600 + 3601, { memoryKills: 4 }).lives().limited).toMatch(
      /1 of its processes was ended since 2031-05-06T08:10/,
    );
  });

  test('A group that was made anew counts from nothing, and what was counted before is not told again.', () => {
    const instance = anInstance();
    look(instance, 0, { memoryKills: 5 });
    expect(look(instance, 4000, {}).lives()).toEqual({});
    expect(look(instance, 4010, { memoryKills: 1 }).lives().limited).toMatch(/1 of its processes was/);
  });

  test('A larger plan does not change what the limit was when it struck.', () => {
    const instance = anInstance();
    look(instance, 0, { memoryKills: 1 });
    const larger = { ...amounts, memory: 64 * 1024 * 1024 };
    expect(look(instance, 10, { memoryKills: 1 }, larger).lives().reason).toMatch(/allows 32 MB/);
  });

  test('A unit that was ended for want of memory says so for as long as it is not started again.', () => {
    const instance = anInstance();
    const began = start - 1000;
    expect(look(instance, 0, { memoryKills: 1 }).hasEnded(began)).toBe(
      'it was ended for want of memory, of which its plan allows 32 MB',
    );
    const later = look(instance, 7200, { memoryKills: 1 });
    expect(later.hasEnded(began)).toMatch(/^it was ended for want of memory/);
    expect(later.hasEnded(start + 5000)).toBeUndefined();
    expect(look(instance, 7300, { memoryKills: 2 }).hasEnded(began)).toMatch(/allows 32 MB$/);
    expect(look(instance, 7310, { memoryKills: 3 }).hasEnded(began)).toMatch(
      /32 MB, 2 times since 2031-05-06T09:01:40.000Z$/,
    );
  });

  test('A unit that was started anew since its limit struck is not limited by that.', () => {
    const instance = anInstance();
    look(instance, 0, { memoryKills: 1 });
    const { limited, reason } = look(instance, 10, { memoryKills: 1 }).lives(start + 5000);
    expect(limited).toBeUndefined();
    expect(reason).toMatch(/^it runs and answers; for want of memory/);
  });

  test('A state directory that cannot be written to keeps nobody from looking.', () => {
    const instance = anInstance();
    const gone = { ...instance.directory, state: join(instance.base, 'gone') };
    expect(look({ ...instance, directory: gone }, 0, { memoryKills: 1 }).lives().limited).toBeDefined();
  });
});
